import assert from 'node:assert/strict'
import { after, before, describe, it, test } from 'node:test'
import { limits, type Event, type KeyWithSecret, type Problem } from '@sluice/protocol'
import { runPython } from '../../../../../scripts/run-python.ts'
import { openTestHub, type CallOptions, type TestHub } from '../../test-hub.ts'

const path = '/api/integrations/events'
const envelope = {
  type: 'order.created',
  occurred_at: '2026-01-01T00:00:00.123Z',
  source: 'shopify',
  customer: { id: 'cus_1', external_id: 'x-1', email: 'jane@example.org', phone: '+254700000000' },
  entity: { type: 'order', id: '7' },
  properties: { value: 99.99, currency: 'USD' },
  external_event_id: 'evt-1',
}

let t: TestHub
let aheadMs = 0

before(async () => {
  // Python signs with the time of this machine.
  t = await openTestHub({ roles: ['http'], clock: () => Date.now() + aheadMs })
})
after(() => t.close())

type Receipt = { received: true; event_id: string; status: string }
type Failure = Problem & { readonly error: { message: string; code: number } }

async function send(body: unknown, options: CallOptions = {}, to = path): Promise<Receipt> {
  const answer = await t.call<Receipt>('POST', to, { body, ...options })
  assert.ok(answer.status < 300, answer.text)
  return answer.body
}

/** Without the members that the hub adds. */
async function stored(body: unknown, options: CallOptions = {}): Promise<Partial<Event>> {
  const { event_id: id } = await send(body, options)
  const { event_id: _id, timestamp: _timestamp, ...rest } = (await t.call<Event>('GET', `/v1/events/${id}`)).body
  return rest
}

describe('an envelope', () => {
  it('becomes an event, member by member', async () => {
    assert.deepEqual(await stored(envelope), {
      event_type: 'order.created',
      source: 'shopify',
      external_event_id: 'evt-1',
      entity: { type: 'order', id: '7' },
      identity: { id: 'cus_1', email: 'jane@example.org', phone: '+254700000000', external_id: 'x-1' },
      payload: { value: 99.99, currency: 'USD' },
      occurred_at: '2026-01-01T00:00:00.123Z',
    })
  })

  it('needs no more than its type; the source may come in the header', async () => {
    assert.deepEqual(await stored({ type: 'a.b' }), { event_type: 'a.b', payload: {} })
    const headers = { 'x-esauti-source': 'web' }
    assert.deepEqual(await stored({ type: 'a.b' }, { headers }), { event_type: 'a.b', source: 'web', payload: {} })
    assert.equal((await stored({ type: 'a.b', source: 'own' }, { headers })).source, 'own')
  })

  it('loses nothing: halves of an entity, members of a customer and of its own that are not known', async () => {
    const { metadata, entity, identity } = await stored(
      '{"type":"a.b","entity":{"type":"order"},"customer":{"external_id":"x","name":"Jane"},"tenant":{"n":1}}',
    )
    assert.deepEqual([entity, identity], [undefined, { external_id: 'x' }])
    assert.deepEqual(metadata, { entity: { type: 'order' }, customer: { name: 'Jane' }, tenant: { n: 1 } })
    assert.deepEqual((await stored({ type: 'a.b', entity: { id: 7 } })).metadata, { entity: { id: '7' } })
    const more = await stored({ type: 'a.b', entity: { id: 7, type: 'order', shop: 'x' } })
    assert.deepEqual([more.entity, more.metadata], [{ type: 'order', id: '7' }, { entity: { shop: 'x' } }])
  })

  it('may hold what other languages print for nothing, and numbers for ids', async () => {
    const nothing = { source: '', customer: [], entity: null, properties: [], external_event_id: null, occurred_at: '' }
    assert.deepEqual(await stored({ type: 'a.b', ...nothing }), { event_type: 'a.b', payload: {} })
    const { identity } = await stored({ type: 'a.b', customer: { id: 47, email: '', phone: null } })
    assert.deepEqual(identity, { id: '47' })
  })

  it('keeps the text of its properties', async () => {
    const properties = '{"n":12345678901234567890, "f":1.0}'
    const { event_id: id } = await send(`{"properties":${properties},"type":"a.b"}`)
    assert.ok((await t.call('GET', `/v1/events/${id}`)).text.includes(`"payload":${properties}`))
  })

  it('has a time in any of the usual forms', async () => {
    const forms = {
      '2026-01-01T00:00:00+00:00': '2026-01-01T00:00:00+00:00',
      '2026-01-01T03:00:00.5+0300': '2026-01-01T03:00:00.5+03:00',
      '2026-01-01 00:00:00': '2026-01-01T00:00:00Z',
      '2026-01-01T00:00:00.123456': '2026-01-01T00:00:00.123456Z',
    }
    for (const [given, expected] of Object.entries(forms))
      assert.equal((await stored({ type: 'a.b', occurred_at: given })).occurred_at, expected)
  })

  it('comes to the older address as well', async () => {
    assert.equal((await send({ type: 'a.b' }, {}, '/v1/inbound/event')).received, true)
  })
})

describe('the same event', () => {
  const later = '2026-01-01T00:00:09Z'

  it('under one idempotency key is stored once, though its time was made anew', async () => {
    const headers = { 'idempotency-key': 'e-1' }
    const first = await send({ type: 'a.b', occurred_at: '2026-01-01T00:00:00Z' }, { headers })
    const again = await send({ type: 'a.b', occurred_at: later }, { headers })
    assert.deepEqual([first.status, again.status, again.event_id], ['accepted', 'duplicate', first.event_id])
    const other = await t.call<Failure>('POST', path, { body: { type: 'a.c' }, headers })
    assert.deepEqual([other.status, other.body.error.code], [422, 422])
  })

  it('with one external id from one source is stored once', async () => {
    const event = { ...envelope, external_event_id: 'evt-2' }
    const [first, again] = [await send(event), await send({ ...event, occurred_at: later })]
    assert.deepEqual([again.status, again.event_id], ['duplicate', first.event_id])
    assert.equal((await send({ ...event, source: 'other' })).status, 'accepted')
  })
})

describe('who a visitor is', () => {
  const identify = '/api/integrations/identify'
  type Linked = { linked: true; contact_id?: string; event_id: string; status: string }

  it('becomes customer.identified', async () => {
    const body = { identity: { email: 'jane@example.org', customer: 'cus_1' }, page: '/pricing', n: 1 }
    const answer = await t.call<Linked>('POST', identify, { body, headers: { 'x-esauti-source': 'web' } })
    assert.deepEqual([answer.status, answer.body.linked, answer.body.contact_id], [201, true, 'cus_1'])
    const { body: event } = await t.call<Event>('GET', `/v1/events/${answer.body.event_id}`)
    const { event_id: _id, timestamp: _timestamp, ...rest } = event
    assert.deepEqual(rest, {
      event_type: 'customer.identified',
      source: 'web',
      identity: { email: 'jane@example.org', id: 'cus_1' },
      payload: { page: '/pricing', n: 1 },
    })
  })

  it('may be another customer, in whole', async () => {
    const body = { identity: { phone: '1', customer: { id: 5, email: 'a@example.org', name: 'A' } } }
    const { body: linked } = await t.call<Linked>('POST', identify, { body })
    assert.equal(linked.contact_id, '5')
    const { body: event } = await t.call<Event>('GET', `/v1/events/${linked.event_id}`)
    assert.deepEqual(event.identity, { id: '5', email: 'a@example.org', phone: '1' })
    assert.deepEqual(event.metadata, { customer: { name: 'A' } })
  })

  it('must be somebody', async () => {
    for (const body of [
      {},
      { identity: {} },
      { identity: { email: '' } },
      { identity: { name: 'x' } },
      { identity: 1 },
    ])
      assert.equal((await t.call('POST', identify, { body })).status, 400, JSON.stringify(body))
  })
})

test('what is no envelope is refused in words of both worlds', async () => {
  const long = 'x'.repeat(321)
  const faults: readonly (readonly [unknown, string])[] = [
    [{}, '/type'],
    [{ type: 'created' }, '/type'],
    [{ type: '' }, '/type'],
    [{ type: 'sluice.made' }, '/event_type'],
    [{ type: 'a.b', occurred_at: 'yesterday' }, '/occurred_at'],
    [{ type: 'a.b', source: long }, '/source'],
    [{ type: 'a.b', source: 'a\nb' }, '/source'],
    [{ type: 'a.b', customer: 'x' }, '/customer'],
    [{ type: 'a.b', properties: [1] }, '/properties'],
    [{ type: 'a.b', properties: 'x' }, '/properties'],
    [{ type: 'a.b', external_event_id: {} }, '/external_event_id'],
    ['{"type":"a.b","customer":{"id":12345678901234567890}}', '/customer/id'],
    ['[]', ''],
    ['null', ''],
    ['{', ''],
    ['{"type":"a.b","type":"a.c"}', '/type'],
    ['{"type":"a.b","__proto__":{}}', '/__proto__'],
  ]
  for (const [body, pointer] of faults) {
    const answer = await t.call<Failure>('POST', path, { body })
    const { error, error_code, status, errors } = answer.body
    assert.deepEqual([answer.status, error.code, error_code, status], [400, 400, 'validation-error', 400], answer.text)
    assert.ok(error.message.length > 10)
    assert.ok(
      errors?.some((fault) => fault.pointer.startsWith(pointer)),
      answer.text,
    )
  }
})

test('refusals have the statuses that these clients know, and say when to come again', async () => {
  const limited = await t.makeKey({ rate_limit: 1 })
  const viewer = await t.makeKey({ role: 'viewer' })
  const body = { type: 'a.b' }
  await send(body, { key: limited })
  const large = { type: 'a.b', properties: { text: 'x'.repeat(limits.payloadBytes) } }
  const cases: readonly (readonly [number, CallOptions, string])[] = [
    [401, { body, key: null }, path],
    [401, { body, key: 'slk_x' }, '/v1/inbound/event'],
    [403, { body, key: viewer }, path],
    [404, { body }, '/api/integrations/other'],
    [413, { body: large }, path],
    [415, { body, headers: { 'content-type': 'text/plain' } }, path],
    [429, { body, key: limited }, path],
  ]
  for (const [status, options, to] of cases) {
    const answer = await t.call<Failure>('POST', to, options)
    assert.deepEqual([answer.status, answer.body.error.code, answer.body.status], [status, status, status], answer.text)
    assert.equal(answer.headers.get('content-type'), 'application/json')
    if (status === 429) assert.ok(Number(answer.headers.get('retry-after')) > 0)
  }
  const given = await t.call('POST', path, { body, headers: { 'x-request-id': 'r-1' } })
  assert.equal(given.headers.get('x-request-id'), 'r-1')
})

describe('the client itself, as Python', () => {
  it('sends with its token, with a signature, and with both', async () => {
    const { body: key } = await t.call<KeyWithSecret>('POST', '/v1/keys', { body: { user_id: 'u', hmac: true } })
    const env = { SLUICE_URL: t.hub.url, SLUICE_API_KEY: key.api_key, SLUICE_HMAC_SECRET: key.hmac_secret ?? '' }
    const output = await runPython('esauti_events.py', { env })
    for (const way of ['bearer', 'bearer and signature', 'signature'])
      assert.match(output, new RegExp(`^${way}: accepted True$`, 'm'))
    assert.match(output, /^under one key: accepted duplicate True$/m)
    assert.match(output, /^with one external id: accepted\nwith one external id: duplicate$/m)
    assert.match(output, /^identified: .*'linked': True, 'contact_id': 'cus_123'/m)
    assert.match(output, /^refused: 401: .*the secret is another one/m)
    assert.match(output, /^not sent: Invalid event type: created$/m)
  })

  it('tries again after 429, and the event is stored once', async () => {
    const key = await t.makeKey({ rate_limit: 1 })
    await send({ type: 'a.b' }, { key })
    let told = false
    const output = await runPython('esauti_events.py', {
      args: ['one'],
      env: { SLUICE_URL: t.hub.url, SLUICE_API_KEY: key },
      onStderr: () => {
        if (!told) aheadMs += 60_000
        told = true
      },
    })
    assert.ok(told)
    assert.match(output, /^stored [0-9a-f-]{36}$/m)
  })
})
