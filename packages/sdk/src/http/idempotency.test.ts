import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import { createContext, type ContextOptions } from '../integration.ts'
import { checkConfig } from '../integration/config.ts'

const server = createServer((request, response) => {
  seen.push(request.headers)
  response.writeHead(status).end()
})
let seen: NodeJS.Dict<string | string[]>[] = []
let status = 200
let base: string

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
after(() => void server.close())
beforeEach(() => {
  seen = []
  status = 200
})

const fetchWith = (options: ContextOptions = {}) =>
  createContext({
    idempotencyHeader: 'X-Request-Once',
    metadata: { idempotency_key: 'event-1' },
    sleep: async () => {},
    ...options,
  }).fetch
const keys = () => seen.map((headers) => headers['x-request-once'])
const post = { method: 'POST', json: {} }
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/

describe('the idempotency key of a run', () => {
  it('goes with write requests in the header that the integration declares, and with no other', async () => {
    const fetch = fetchWith()
    await fetch(`${base}/a`)
    await fetch(`${base}/a`, post)
    assert.equal(keys()[0], undefined)
    assert.match(String(keys()[1]), uuid)
  })

  it('is another for each request of a run, and the same when the run is done again, whatever the bodies hold', async () => {
    const requests = ['/a', '/a', '/b?x=1', '/b?x=2']
    for (const at of [1, 2]) {
      const fetch = fetchWith()
      for (const path of requests) await fetch(base + path, { method: 'POST', json: { at } })
    }
    assert.equal(new Set(keys()).size, requests.length)
    assert.deepEqual(keys().slice(0, 4), keys().slice(4))
  })

  it('stays the same when one of the requests is left out the second time', async () => {
    const first = fetchWith()
    await first(`${base}/a`, post)
    await first(`${base}/b`, post)
    await fetchWith()(`${base}/b`, post)
    assert.equal(keys()[1], keys()[2])
  })

  it('makes a POST safe to repeat', async () => {
    status = 503
    await assert.rejects(fetchWith()(base, post), { status: 503 })
    assert.equal(seen.length, 4)
    assert.equal(new Set(keys()).size, 1)
  })

  it('gives way to what the handler says', async () => {
    const fetch = fetchWith()
    await fetch(base, { ...post, idempotencyKey: 'own' })
    await fetch(base, { ...post, headers: { 'X-REQUEST-ONCE': 'header' } })
    await fetch(base, { ...post, idempotencyKey: null })
    assert.deepEqual(keys(), ['own', 'header', undefined])
  })

  it('goes to declared hosts only: another service does not know the header, and a POST to it stays unsafe', async () => {
    status = 503
    await assert.rejects(fetchWith({ hosts: ['api.example.com'] })(base, post), { status: 503 })
    assert.deepEqual(keys(), [undefined])
    status = 200
    await fetchWith({ hosts: ['http://127.0.0.1:*'] })(base, post)
    assert.match(String(keys()[1]), uuid)
  })

  it('is not there without a declared header, or without a key of the run', async () => {
    await fetchWith({ idempotencyHeader: undefined })(base, post)
    await fetchWith({ metadata: {} })(base, post)
    assert.deepEqual(keys(), [undefined, undefined])
    assert.deepEqual(
      seen.map((headers) => headers['idempotency-key']),
      [undefined, undefined],
    )
  })
})

describe('idempotency_header of a configuration', () => {
  const config = { name: 'a', version: '1.0.0', description: 'b', actions: {} }
  it('is the name of a header', () => {
    const { config: read } = checkConfig({ ...config, idempotency_header: 'Idempotency-Key' })
    assert.equal(read?.idempotency_header, 'Idempotency-Key')
  })
  for (const name of [7, '', 'with blank', 'x:y', 'Authorization', 'Content-Type', 'x\r\ny'])
    it(`is not ${JSON.stringify(name)}`, () => {
      const { errors } = checkConfig({ ...config, idempotency_header: name })
      assert.deepEqual(
        errors.map(({ pointer }) => pointer),
        ['/idempotency_header'],
      )
    })
})
