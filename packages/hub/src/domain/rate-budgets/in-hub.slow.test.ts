import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import type { Poll, RunResult } from '@sluice/protocol'
import { openTestHub, type TestHub } from '../../test-hub.ts'

const schema = { type: 'object' }
const described = { description: 'x', input_schema: schema, output_schema: {} }
const config = {
  name: 'Metered',
  version: '1.0.0',
  description: 'calls a service that counts',
  auth: { type: 'custom', fields: { type: 'object', properties: { key: { type: 'string' } } } },
  hosts: ['http://127.0.0.1:*'],
  rate_limit: { requests: 3, per_seconds: 3600 },
  actions: { call: described },
  polling_triggers: { look: { ...described, polling_interval: '1m' } },
}
const handlers = `import { Integration } from '@sluice/sdk/integration'
const integration = await Integration.load()
integration.action('call', async ({ url, times }, { fetch }) => {
  for (let count = 0; count < times; count += 1) await fetch(url)
  return { data: times }
})
integration.pollingTrigger('look', async ({ url }, _, { fetch }) => { await fetch(url); return [] })
export default integration
`

let folder: string
let url: string
let requests = 0
let answer: (response: ServerResponse) => void
const server = createServer((_, response) => {
  requests += 1
  answer(response)
})

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-metered-'))
  await mkdir(join(folder, 'metered'))
  await writeFile(join(folder, 'metered', 'config.json'), JSON.stringify(config))
  await writeFile(join(folder, 'metered', 'integration.ts'), handlers)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
})
after(async () => {
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true })
})
beforeEach(() => {
  requests = 0
  answer = (response) => response.end('{}')
})

async function openHub(): Promise<TestHub> {
  const t = await openTestHub({ integrations: folder, allowCidr: ['127.0.0.0/8'] })
  for (const key of ['mine', 'other'])
    await t.call('PUT', `/v1/connections/${key}`, { body: { integration: 'metered', credentials: { key: 'k' } } })
  return t
}

const path = '/v1/integrations/metered/actions/call'
const order = (times: number, connection = 'mine') => ({ body: { inputs: { url, times }, connection } })

test('runs share what the integration declares for an account, and each account has its own', async () => {
  await using t = await openHub()
  assert.equal((await t.call<RunResult>('POST', path, order(2))).body.type, 'action')
  const { body } = await t.call<RunResult>('POST', path, order(2))
  assert.equal(body.type, 'error')
  assert.match(String(body.result['message']), /no leave for this connection/)
  assert.equal(requests, 3)
  assert.ok(Number(body.result['retry_after']) > 3000, JSON.stringify(body))
  const refused = await t.fail('POST', path, order(1))
  assert.deepEqual([refused.status, refused.error_code], [429, 'rate-limit-exceeded'])
  assert.match(refused.detail ?? '', /connection "mine" has used up what its service allows/)
  assert.equal((await t.call<RunResult>('POST', path, order(1, 'other'))).body.type, 'action')
  t.advance(3_602_000)
  assert.equal((await t.call<RunResult>('POST', path, order(3))).body.type, 'action')
})

test('leave that a run did not use is there for the next', async () => {
  await using t = await openHub()
  for (let run = 0; run < 5; run += 1) assert.equal((await t.call('POST', path, order(0))).status, 200)
  assert.equal((await t.call<RunResult>('POST', path, order(3))).body.type, 'action')
})

test('a 429 of the service holds the next runs before anything is sent, and triggers too', async () => {
  answer = (response) => response.writeHead(429, { 'retry-after': '900' }).end()
  await using t = await openHub()
  const { body } = await t.call<RunResult>('POST', path, order(1))
  assert.deepEqual([body.type, body.result['retry_after']], ['error', 900])
  assert.equal((await t.fail('POST', path, order(1))).status, 429)
  const trigger = { integration: 'metered', polling_trigger: 'look', connection: 'mine', inputs: { url } }
  await t.call('PUT', '/v1/triggers/look', { body: trigger })
  const polled = await t.call<Poll>('POST', '/v1/triggers/look/run')
  assert.match(polled.body.error ?? '', /has used up what its service allows; there is more in 900 s/)
  assert.equal(requests, 1)
})

test('what the service says of its limits goes before what is declared', async () => {
  answer = (response) => response.writeHead(200, { 'ratelimit-policy': '"a";q=5;w=3600' }).end('{}')
  await using t = await openHub()
  assert.equal((await t.call<RunResult>('POST', path, order(5))).body.type, 'action')
  assert.equal((await t.fail('POST', path, order(1))).status, 429)
  assert.equal(requests, 5)
})

test('work in bulk leaves the rest to people', async () => {
  answer = (response) => response.writeHead(200, { 'ratelimit-policy': '"a";q=10;w=3600' }).end('{}')
  await using t = await openHub()
  const bulk = (times: number) => ({ body: { ...order(times).body, bulk: true } })
  const { body } = await t.call<RunResult>('POST', path, bulk(99))
  assert.equal(body.type, 'error')
  assert.equal(requests, 8)
  assert.equal((await t.call<RunResult>('POST', path, order(2))).body.type, 'action')
})
