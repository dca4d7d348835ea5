import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { HTTPError, RateLimitError } from '../integration.ts'
import { createClock, createVendor, cut, drip, hold, mockContext, rateLimited, type Vendor } from '../testing.ts'

let vendor: Vendor
before(async () => {
  vendor = await createVendor()
})
after(() => vendor.close())

describe('a vendor', () => {
  it('answers for every host, with the members of the path, and remembers what it was asked', async () => {
    vendor.on('POST /users/:id/tags', ({ params, query, json, host }) => ({
      status: 201,
      headers: { 'x-served-by': ['a', 'b'] },
      json: { params, tag: query.get('tag'), json, host },
    }))
    const { fetch } = mockContext({ vendor })
    const options = { method: 'POST', params: { tag: 'x y' }, json: { a: 1 } }
    const { status, headers, data } = await fetch('https://api.example.com/users/a%20b/tags', options)
    assert.deepEqual(
      [status, headers['x-served-by'], data],
      [201, ['a', 'b'], { params: { id: 'a b' }, tag: 'x y', json: { a: 1 }, host: 'api.example.com' }],
    )
    const last = vendor.requests.at(-1)
    assert.deepEqual([last?.method, last?.path, last?.text], ['POST', '/users/a%20b/tags', '{"a":1}'])
  })

  it('says which routes there are when none fits, and refuses one that is none', async () => {
    const { fetch } = mockContext({ vendor })
    await assert.rejects(fetch('https://api.example.com/nothing'), /no route for GET \/nothing; it has .*tags/)
    assert.throws(() => vendor.on('/users', {}), /write a method and a path/)
  })

  it('answers in turn, the last for good, and breaks connections; time passes by itself', async () => {
    vendor.on('GET /turn', cut(), cut({ json: { half: true } }), { status: 503 }, { text: 'ok' })
    const context = mockContext({ vendor, clock: createClock(0) })
    assert.equal((await context.fetch('https://api.example.com/turn')).data, 'ok')
    assert.equal((await context.fetch('https://api.example.com/turn')).data, 'ok')
    assert.deepEqual(context.clock.waits, [1000, 2000, 4000])
    assert.equal(context.clock.nowMs(), 7000)
  })

  it('limits rates', async () => {
    vendor.on('GET /limited', rateLimited(7), rateLimited(), { json: 1 })
    const { fetch, clock } = mockContext({ vendor })
    await assert.rejects(fetch('https://api.example.com/limited'), (error: RateLimitError) => error.retryAfter === 7)
    assert.equal((await fetch('https://api.example.com/limited', { retryRateLimited: true })).data, 1)
    assert.deepEqual(clock.waits, [60_250])
  })

  it('answers in pieces, bytes, and nothing at all', async () => {
    const bytes = Uint8Array.from({ length: 50 }, (_, index) => 200 + index)
    vendor.on('GET /drip', drip({ bytes }, 7))
    vendor.on('GET /empty', { status: 204 })
    const { fetch } = mockContext({ vendor })
    assert.deepEqual(new Uint8Array((await fetch<Uint8Array>('https://api.example.com/drip')).data), bytes)
    assert.equal((await fetch('https://api.example.com/empty')).data, null)
  })

  it('waits until it is told to go on', async () => {
    const slow = hold({ json: { slow: true } })
    vendor.on('GET /slow', slow.reply)
    const order: string[] = []
    const asked = mockContext({ vendor })
      .fetch('https://api.example.com/slow')
      .then(() => order.push('answered'))
    await slow.reached
    order.push('reached')
    slow.release()
    await asked
    assert.deepEqual(order, ['reached', 'answered'])
  })

  it('a reply that throws is a 500 that says so', async () => {
    vendor.on('POST /bug', () => {
      throw new Error('oops')
    })
    await assert.rejects(
      mockContext({ vendor }).fetch('https://api.example.com/bug', { method: 'POST' }),
      (error: HTTPError) => error.status === 500 && /oops/.test(error.message),
    )
  })
})

describe('a mock context', () => {
  it('has the credentials and metadata that it was given, and sends them as a real one does', async () => {
    vendor.on('GET /me', ({ headers }) => ({ json: headers['authorization'] ?? null }))
    const auth = { auth_type: 'PlatformOauth2', credentials: { access_token: 't' } }
    const context = mockContext({ vendor, auth, metadata: { run: 1 }, hosts: ['api.example.com'] })
    assert.deepEqual([context.auth, context.metadata], [auth, { run: 1 }])
    assert.equal((await context.fetch('https://api.example.com/me')).data, 'Bearer t')
    assert.equal((await context.fetch('https://elsewhere.example/me')).data, null)
  })

  it('reaches no network without a vendor', async () => {
    const context = mockContext({ cassette: 'there-is-none' })
    await assert.rejects(context.fetch(vendor.url), /reaches no network/)
  })
})
