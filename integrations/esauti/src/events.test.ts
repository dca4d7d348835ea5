import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { EventValidationError } from '@sluice/client'
import { createEsauti } from './esauti.ts'
import type { EsautiOptions } from './options.ts'
import { startInstance } from './testing.ts'

async function open(context: TestContext, options: Partial<EsautiOptions> = {}) {
  const instance = await startInstance({ hmacSecret: 'geheim' })
  context.after(() => instance.close())
  const clock = { now: () => Date.parse('2026-01-31T12:00:00Z'), sleep: () => Promise.resolve() }
  return { instance, esauti: createEsauti({ baseUrl: instance.url, token: instance.token, clock, ...options }) }
}

test('an event goes in the envelope and the fields of eSauti', async (context) => {
  const { instance, esauti } = await open(context)
  const receipt = await esauti.events.send('customer.created', {
    identity: { id: 'cus_123', email: 'jane@esauti.com' },
    entity: { type: 'customer', id: 'cus_123' },
    data: { status: 'active' },
    source: 'my-app',
    externalEventId: 'shop-7',
  })
  assert.deepEqual(receipt, {
    received: true,
    event_id: 'evt_1',
    status: 202,
    raw: { received: true, event_id: 'evt_1' },
  })
  const { method, target, headers, body } = instance.seen[0] ?? assert.fail('nothing was sent')
  assert.equal(`${method} ${target}`, 'POST /api/integrations/events')
  assert.equal(headers.authorization, 'Bearer YOUR_BEARER_TOKEN')
  assert.equal(headers['content-type'], 'application/json')
  assert.equal(headers['x-esauti-source'], 'my-app')
  assert.match(String(headers['idempotency-key']), /^[0-9a-f-]{36}$/)
  assert.match(String(headers['x-request-id']), /^[0-9a-f-]{36}$/)
  assert.equal(headers['x-esauti-signature'], undefined)
  assert.deepEqual(JSON.parse(body.toString()), {
    type: 'customer.created',
    occurred_at: '2026-01-31T12:00:00.000Z',
    source: 'my-app',
    customer: { id: 'cus_123', email: 'jane@esauti.com' },
    entity: { type: 'customer', id: 'cus_123' },
    properties: { status: 'active' },
    external_event_id: 'shop-7',
  })
})

test('each attempt has the same keys, and a signature of its own time', async (context) => {
  let nowMs = 1_700_000_000_000
  const clock = { now: () => nowMs, sleep: () => Promise.resolve(void (nowMs += 2000)) }
  const { instance, esauti } = await open(context, { hmacSecret: 'geheim', clock })
  instance.meet('reset', { status: 503 })
  await esauti.events.send('order.created', { data: { value: 99.99 } })
  const fields = (name: string): unknown[] => instance.seen.map(({ headers }) => headers[name])
  for (const name of ['idempotency-key', 'x-request-id', 'x-esauti-source']) {
    assert.equal(new Set(fields(name)).size, 1, name)
  }
  assert.deepEqual(fields('x-esauti-timestamp'), ['1700000000', '1700000002', '1700000004'])
  assert.equal(new Set(fields('x-esauti-signature')).size, 3)
})

test('a signature does without a token, and a wrong one does not', async (context) => {
  const { instance, esauti } = await open(context, { token: undefined, hmacSecret: 'geheim' })
  const first = await esauti.events.send('order.paid', { idempotencyKey: 'order-7' })
  const again = await esauti.events.send('order.paid', { idempotencyKey: 'order-7' })
  assert.deepEqual([first.status, again.status, again.event_id], [202, 200, first.event_id])
  assert.equal(instance.seen[0]?.headers.authorization, undefined)
  await assert.rejects(esauti.with({ hmacSecret: 'falsch' }).events.send('order.paid'), { status: 401 })
  await assert.rejects(esauti.api.contacts.list(), { status: 401 })
  assert.equal(instance.seen.at(-1)?.headers['x-esauti-signature'], undefined)
})

test('the endpoint can be another, and an answer may be anything', async (context) => {
  const { instance, esauti } = await open(context, { eventsEndpoint: '/v1/inbound/event', source: 'shop' })
  instance.meet({ status: 204 }, { status: 200, body: 'ok' }, { status: 200, body: { id: 7 } })
  assert.deepEqual(await esauti.events.send('a.b'), { received: true, status: 204, raw: '' })
  assert.deepEqual(await esauti.events.send('a.b'), { received: true, status: 200, raw: 'ok' })
  assert.deepEqual(await esauti.events.send('a.b'), { received: true, event_id: '7', status: 200, raw: { id: 7 } })
  assert.equal(instance.seen[0]?.target, '/v1/inbound/event')
  assert.equal(instance.seen[0]?.headers['x-esauti-source'], 'shop')
})

test('what is no event is not sent, and every fault is named', async (context) => {
  const { instance, esauti } = await open(context)
  // @ts-expect-error data is an object
  const wrong = esauti.events.send('order', { source: 'ümlaut', occurredAt: 'soon', data: [1] })
  await assert.rejects(wrong, (error: unknown) => {
    assert.ok(error instanceof EventValidationError)
    assert.equal(error.status, 0)
    assert.deepEqual(
      error.errors.map(({ pointer }) => pointer),
      ['/type', '/occurred_at', '/source', '/properties'],
    )
    return true
  })
  assert.equal(instance.seen.length, 0)
  const { occurred_at: occurredAt } = esauti.events.build('a.b', { occurredAt: new Date(0) })
  assert.equal(occurredAt, '1970-01-01T00:00:00.000Z')
})

test('with OAuth2 an event takes the token of the other calls', async (context) => {
  const { instance, esauti } = await open(context, {
    token: undefined,
    oauth: { clientId: 'client', clientSecret: 'secret' },
    hmacSecret: 'geheim',
  })
  await esauti.api.tags.list()
  await esauti.events.send('order.created')
  assert.deepEqual(
    instance.seen.map(({ target }) => target),
    ['/oauth/v2/token', '/api/tags', '/api/integrations/events'],
  )
  assert.equal(instance.seen[2]?.headers.authorization, 'Bearer access-1')
})

test('a customer is identified, signed like an event', async (context) => {
  const { instance, esauti } = await open(context, { hmacSecret: 'geheim' })
  const { id } = await esauti.api.contacts.create({ email: 'jane@esauti.com' })
  const linked = await esauti.events.identify({ email: 'jane@esauti.com' }, { firstname: 'Jane' })
  assert.deepEqual(linked, { linked: true, contact_id: String(id), status: 200, raw: { linked: true, contact_id: id } })
  const { target, headers, body } = instance.seen.at(-1) ?? assert.fail('nothing was sent')
  assert.equal(target, '/api/integrations/identify')
  assert.ok(headers['x-esauti-signature'])
  assert.deepEqual(JSON.parse(body.toString()), { firstname: 'Jane', identity: { email: 'jane@esauti.com' } })
  assert.equal((await esauti.events.identify({ email: 'nobody@esauti.com' })).contact_id, undefined)
  await assert.rejects(esauti.events.identify({}), { status: 422 })
})

test('options that there are not are refused by name, and nothing is lost on the quiet', async (context) => {
  const { instance, esauti } = await open(context)
  const payload = { payload: { a: 1 } } as never
  const refused = { name: 'TypeError', message: 'an event of eSauti has no member payload; here it is called data' }
  await assert.rejects(esauti.events.send('order.created', payload), refused)
  assert.throws(() => esauti.events.build('order.created', payload), refused)
  await assert.rejects(esauti.events.send('order.created', { dta: {} } as never), /no member dta; there are identity, /)
  assert.equal(instance.seen.length, 0)
})
