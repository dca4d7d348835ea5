import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Accepted, BatchAccepted, CloudEvent, Event, Problem } from '@sluice/protocol'
import { openTestHub, type CallOptions, type TestHub } from '../test-hub.ts'

let t: TestHub
let workspaces = 0

before(async () => {
  t = await openTestHub()
})
after(() => t.close())

/** Each test in a workspace of its own. */
async function openWorkspace(): Promise<string> {
  workspaces += 1
  await t.call('PUT', `/v1/workspaces/ce-${workspaces}`)
  return t.makeKey({ workspace: `ce-${workspaces}`, role: 'admin' })
}

const event = {
  specversion: '1.0',
  id: 'i-1',
  source: '/shop',
  type: 'order.created',
  time: '2026-01-31T12:00:00.5Z',
  data: { total: 1 },
}

const structured = { 'content-type': 'application/cloudevents+json; charset=utf-8' }
const batch = { 'content-type': 'Application/CloudEvents-Batch+JSON' }
const binary = {
  'CE-SpecVersion': '1.0',
  'ce-id': 'i-1',
  'ce-source': '/shop',
  'ce-type': 'order.created',
  'ce-time': '2026-01-31T12:00:00.5Z',
  'content-type': 'application/json',
}

/** The three modes: how to send these events. */
const modes: Readonly<Record<string, CallOptions>> = {
  structured: { headers: structured, body: event },
  binary: { headers: binary, body: event.data },
  batch: { headers: batch, body: [event] },
}

for (const [mode, sent] of Object.entries(modes)) {
  test(`${mode} mode is taken on either route, answered as the route does, and comes back equal`, async () => {
    for (const path of ['/v1/events', '/v1/events/batch']) {
      const key = await openWorkspace()
      const first = await t.call<Accepted & BatchAccepted>('POST', path, { ...sent, key })
      const isOne = path === '/v1/events' && mode !== 'batch'
      assert.equal(first.status, isOne ? 201 : 200, first.text)
      const [result] = isOne ? [first.body] : first.body.results
      assert.ok(result && 'event_id' in result)
      const found = await t.call<CloudEvent>('GET', `/v1/events/${result.event_id}?format=cloudevents`, { key })
      const { sleventid, recordedtime, datacontenttype, ...same } = found.body
      assert.deepEqual(same, event)
      assert.deepEqual([sleventid, recordedtime], [result.event_id, result.timestamp])
      assert.equal(datacontenttype, mode === 'binary' ? 'application/json' : undefined)
      const again = await t.call<Accepted & BatchAccepted>('POST', path, { ...sent, key })
      const [repeated] = isOne ? [again.body] : again.body.results
      assert.ok(repeated && 'event_id' in repeated)
      assert.deepEqual([again.status, repeated.status, repeated.event_id], [200, 'duplicate', result.event_id])
    }
  })
}

test('source and id are one event in every mode; other data under them is refused', async () => {
  const key = await openWorkspace()
  const first = await t.call<Accepted>('POST', '/v1/events', { ...modes['structured'], key })
  const again = await t.call<Accepted>('POST', '/v1/events', { ...modes['binary'], key })
  assert.deepEqual([again.status, again.body.event_id], [200, first.body.event_id])
  const body = { ...event, data: { total: 2 } }
  const other = await t.fail('POST', '/v1/events', { key, headers: structured, body })
  assert.deepEqual([other.status, other.error_code], [422, 'idempotency-mismatch'])
  const elsewhere = { ...event, source: '/till' }
  assert.equal((await t.call('POST', '/v1/events', { key, headers: structured, body: elsewhere })).status, 201)
})

test('an Idempotency-Key counts for one event and is refused for a batch', async () => {
  const key = await openWorkspace()
  const send = (id: string): ReturnType<typeof t.call<Accepted>> =>
    t.call<Accepted>('POST', '/v1/events', {
      key,
      headers: { ...structured, 'idempotency-key': 'k' },
      body: { ...event, id },
    })
  const first = await send('a')
  const again = await send('b')
  assert.deepEqual([again.body.status, again.body.event_id], ['duplicate', first.body.event_id])
  const headers = { ...batch, 'idempotency-key': 'k' }
  for (const path of ['/v1/events', '/v1/events/batch']) {
    const problem = await t.fail('POST', path, { key, headers, body: [event] })
    assert.equal(problem.errors?.[0]?.pointer, 'header.Idempotency-Key')
  }
})

test('a batch: a result for each, a bad one does not touch the others, none is none', async () => {
  const key = await openWorkspace()
  const body = [event, { ...event, id: 'i-2', source: 'a b' }, 17, { ...event, id: 'i-3', data: ['x'] }]
  for (const path of ['/v1/events', '/v1/events/batch']) {
    const answer = await t.call<BatchAccepted>('POST', path, { key, headers: batch, body })
    assert.equal(answer.status, 200)
    const { accepted, failed, results } = answer.body
    assert.deepEqual([accepted, failed], [2, 2])
    const errors = results.map((result) => ('error' in result ? result.error.errors?.[0]?.pointer : undefined))
    assert.deepEqual(errors, [undefined, '/source', '', undefined])
    const none = await t.call('POST', path, { key, headers: batch, body: [] })
    assert.deepEqual([none.status, none.body], [200, { accepted: 0, failed: 0, results: [] }])
    assert.equal((await t.fail('POST', path, { key, headers: batch, body: event })).status, 400)
  }
  const many = Array.from({ length: 1001 }, () => 0)
  assert.equal((await t.fail('POST', '/v1/events/batch', { key, headers: batch, body: many })).status, 413)
})

test('one bad event is a 400 on either route, in a sender’s terms', async () => {
  const key = await openWorkspace()
  for (const path of ['/v1/events', '/v1/events/batch']) {
    const bad = await t.fail('POST', path, { key, headers: structured, body: { specversion: '0.3', type: 'sluice.x' } })
    assert.equal(bad.status, 400)
    assert.deepEqual(
      bad.errors?.map(({ pointer }) => pointer),
      ['/id', '/source', '/specversion', '/type'],
    )
    const { 'ce-id': _id, 'ce-source': _source, ...rest } = binary
    const partial = await t.fail('POST', path, { key, headers: rest, body: '{' })
    assert.deepEqual(
      partial.errors?.map(({ pointer }) => pointer),
      ['data', 'header.ce-id', 'header.ce-source'],
    )
  }
})

test('event formats other than JSON are 415; headers that repeat attributes are passed over', async () => {
  const key = await openWorkspace()
  for (const type of ['application/cloudevents', 'application/cloudevents+xml', 'application/cloudevents-batch+avro']) {
    const problem = await t.fail('POST', '/v1/events', { key, headers: { 'content-type': type }, body: event })
    assert.deepEqual([problem.status, problem.error_code], [415, 'unsupported-media-type'])
  }
  const latin = { 'content-type': 'application/cloudevents+json; charset=latin1' }
  assert.equal((await t.fail('POST', '/v1/events', { key, headers: latin, body: event })).status, 415)
  const both = { ...binary, 'ce-id': 'another', ...structured }
  const { body } = await t.call<Accepted>('POST', '/v1/events', { key, headers: both, body: event })
  const found = await t.call<Event>('GET', `/v1/events/${body.event_id}`, { key })
  assert.equal(found.body.external_event_id, 'i-1')
})

test('JSON without the fields of binary mode is a native event, as ever', async () => {
  const key = await openWorkspace()
  const native = { event_type: 'a', payload: {} }
  const headers = { 'ce-other': 'x', traceparent: 'x' }
  assert.equal((await t.call('POST', '/v1/events', { key, headers, body: native })).status, 201)
  for (const more of [{ cloudevent: {} }, { payload_base64: 'AA==' }]) {
    const problem = await t.fail('POST', '/v1/events', { key, body: { ...native, ...more } })
    assert.equal(problem.errors?.[0]?.detail, 'unknown member')
  }
})

test('limits: 256 KB of data, 512 KiB of body, what the key may publish', async () => {
  const key = await openWorkspace()
  const large = { ...event, data: 'x'.repeat(262_143) }
  assert.equal((await t.fail('POST', '/v1/events', { key, headers: structured, body: large })).status, 413)
  const items = await t.call<BatchAccepted>('POST', '/v1/events/batch', { key, headers: batch, body: [large, event] })
  const [first] = items.body.results
  assert.ok(first && 'error' in first)
  assert.deepEqual([first.error.error_code, items.body.accepted], ['payload-too-large', 1])
  const bytes = { ...binary, 'ce-id': 'bytes', 'content-type': 'image/png' }
  const whole = await t.call<Accepted>('POST', '/v1/events', { key, headers: bytes, body: Buffer.alloc(262_144, 200) })
  assert.equal(whole.status, 201, whole.text)
  const more = { ...bytes, 'ce-id': 'more' }
  assert.equal((await t.fail('POST', '/v1/events', { key, headers: more, body: Buffer.alloc(262_145) })).status, 413)
  const quotes = { ...bytes, 'ce-id': 'quotes', 'content-type': 'text/plain' }
  assert.equal((await t.fail('POST', '/v1/events', { key, headers: quotes, body: '"'.repeat(262_144) })).status, 413)
  const narrow = await t.makeKey({ role: 'publisher', allowed_event_types: ['invoice.*'] })
  const refused = await t.fail('POST', '/v1/events', { key: narrow, headers: structured, body: event })
  assert.equal(refused.error_code, 'event-type-not-allowed')
})

test('one event: by format or by Accept, structured or binary', async () => {
  const key = await openWorkspace()
  const native = { event_type: 'a €', payload: { n: 1 }, correlation_id: 'c "1"' }
  const { body: made } = await t.call<Accepted>('POST', '/v1/events', { key, body: native })
  const path = `/v1/events/${made.event_id}`
  const get = (query: string, accept?: string): ReturnType<typeof t.call<CloudEvent>> =>
    t.call<CloudEvent>('GET', path + query, { key, headers: accept === undefined ? {} : { accept } })
  const expected = {
    specversion: '1.0',
    id: made.event_id,
    source: `/workspaces/ce-${workspaces}`,
    type: 'a €',
    datacontenttype: 'application/json',
    correlationid: 'c "1"',
    recordedtime: made.timestamp,
    data: { n: 1 },
  }
  for (const accept of [
    'application/cloudevents+json',
    'text/html, Application/CloudEvents+JSON;q=0.9, application/json;q=0.8',
    'application/cloudevents+json, application/json',
  ]) {
    const answer = await get('', accept)
    assert.equal(answer.headers.get('content-type'), 'application/cloudevents+json; charset=utf-8')
    assert.deepEqual(answer.body, expected)
  }
  assert.deepEqual((await get('?format=cloudevents')).body, expected)
  for (const accept of ['*/*', 'application/json, application/cloudevents+json', 'application/cloudevents+json;q=0'])
    assert.equal((await get('', accept)).headers.get('content-type'), 'application/json', accept)
  const { headers, text } = await get('?format=cloudevents-binary')
  assert.deepEqual(
    ['content-type', 'ce-id', 'ce-type', 'ce-correlationid', 'ce-datacontenttype'].map((name) => headers.get(name)),
    ['application/json', made.event_id, 'a%20%E2%82%AC', 'c%20%221%22', null],
  )
  assert.equal(text, '{"n":1}')
  // The content type is the publisher's; a browser must not take it for a page of this origin.
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  assert.equal(headers.get('content-security-policy'), "sandbox; default-src 'none'")
  assert.equal((await t.fail('GET', `${path}?format=xml`, { key })).status, 400)
})

test('lists and leases are batches for those who accept them; what is no event stands in fields', async () => {
  const key = await openWorkspace()
  const ids = ['a', 'b', 'c']
  await t.call('POST', '/v1/events/batch', { key, headers: batch, body: ids.map((id) => ({ ...event, id })) })
  const headers = { accept: 'application/cloudevents-batch+json' }
  const list = async (path: string, method = 'GET', body?: object): ReturnType<typeof t.call<CloudEvent[]>> => {
    const answer = await t.call<CloudEvent[]>(method, path, { key, headers, ...(body && { body }) })
    assert.equal(answer.headers.get('content-type'), 'application/cloudevents-batch+json; charset=utf-8')
    return answer
  }
  const idsOf = (events: readonly CloudEvent[]): string[] => events.map(({ id }) => id)
  const page = await list('/v1/events/inbox?limit=2')
  assert.deepEqual(idsOf(page.body), ['a', 'b'])
  assert.equal(page.headers.get('x-sluice-has-more'), 'true')
  const rest = await list(`/v1/events/inbox?cursor=${page.headers.get('x-sluice-next-cursor')}`)
  assert.deepEqual(idsOf(rest.body), ['c'])
  assert.deepEqual([rest.headers.get('x-sluice-has-more'), rest.headers.get('x-sluice-next-cursor')], ['false', null])
  assert.deepEqual(idsOf((await list('/v1/inboxes/default/events')).body), ids)
  assert.deepEqual(idsOf((await list('/v1/events?source=%2Fshop')).body), ids.toReversed())
  const lease = await list('/v1/inboxes/default/lease', 'POST', { limit: 2 })
  assert.deepEqual(
    lease.body.map(({ id, slattempt }) => [id, slattempt]),
    [
      ['a', 1],
      ['b', 1],
    ],
  )
  const leaseId = lease.headers.get('x-sluice-lease-id')
  assert.match(lease.headers.get('x-sluice-leased-until') ?? '', /Z$/)
  assert.equal(lease.headers.get('x-sluice-inbox-status'), 'active')
  const acked = await t.call<{ results: unknown[] }>('POST', '/v1/inboxes/default/ack', {
    key,
    body: { lease_id: leaseId, event_ids: lease.body.map(({ sleventid }) => sleventid) },
  })
  assert.equal(acked.body.results.length, 2)
  assert.deepEqual((await list('/v1/events?event_type=none')).body, [])
  const plain = await t.call('GET', '/v1/events/inbox', { key, headers: { accept: 'application/cloudevents+json' } })
  assert.equal(plain.headers.get('content-type'), 'application/json')
})

test('a stream of frames that hold CloudEvents', async () => {
  const key = await openWorkspace()
  await t.call('POST', '/v1/events', { ...modes['structured'], key })
  const stop = new AbortController()
  const path = '/v1/inboxes/default/stream'
  const headers = { authorization: `Bearer ${key}` }
  const response = await t.hub.app.request(`${path}?format=cloudevents&from=earliest`, { headers, signal: stop.signal })
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString()
    if (text.includes('data: ')) break
  }
  stop.abort()
  const [, data = ''] = /^data: (.*)$/m.exec(text) ?? []
  const { id, type, data: content } = JSON.parse(data) as CloudEvent
  assert.deepEqual([id, type, content], ['i-1', 'order.created', { total: 1 }])
  const problem: Problem = await t.fail('GET', `${path}?format=cloudevents&lease_seconds=5`, { key })
  assert.equal(problem.errors?.[0]?.pointer, 'query.format')
})

test('CloudEvents are held to the schema of their type as all events are, and can be mended', async () => {
  const key = await openWorkspace()
  const schema = { type: 'object', required: ['total'] }
  const define = (mode: string): ReturnType<typeof t.call> =>
    t.call('PUT', '/v1/event-types/order.created', { key, body: { schema, mode } })
  await define('reject')
  const { data: _data, ...none } = event
  const bad = [none, { ...none, data: null }, { ...none, data: ['total'] }, { ...none, data_base64: 'AAE=' }]
  for (const body of bad) {
    const problem = await t.fail('POST', '/v1/events', { key, headers: structured, body })
    assert.deepEqual([problem.status, problem.error_code], [422, 'schema-mismatch'])
  }
  assert.equal((await t.call('POST', '/v1/events', { key, headers: structured, body: event })).status, 201)
  await define('quarantine')
  for (const [index, body] of bad.entries()) {
    const sent = { key, headers: structured, body: { ...body, id: `kept-${index}` } }
    const kept = await t.call<Accepted>('POST', '/v1/events', sent)
    assert.deepEqual([kept.status, kept.body.status], [202, 'quarantined'])
    const path = `/v1/quarantine/${kept.body.quarantine_id}/fix`
    const fixed = await t.call<Accepted>('POST', path, { key, body: { payload: { total: index } } })
    assert.equal(fixed.status, 201, fixed.text)
    const found = await t.call<CloudEvent>('GET', `/v1/events/${fixed.body.event_id}?format=cloudevents`, { key })
    assert.deepEqual(
      [found.body.id, found.body.data, found.body.data_base64],
      [`kept-${index}`, { total: index }, undefined],
    )
  }
})
