import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { after, before, test } from 'node:test'
import type { Accepted, BatchAccepted, Event, EventPage, Replayed, Verdict } from '@sluice/protocol'
import { openTestHub, type TestHub } from '../test-hub.ts'

let t: TestHub

before(async () => {
  t = await openTestHub()
})
after(() => t.close())

/** Each test in a workspace of its own: they do not see each other's events. */
async function openWorkspace(name: string): Promise<{ key: string }> {
  await t.call('PUT', `/v1/workspaces/${name}`)
  return { key: await t.makeKey({ workspace: name, role: 'admin' }) }
}

const order = { event_type: 'order.created', payload: { id: 1 } }

async function publish(key: string, body: unknown, headers: Record<string, string> = {}): Promise<Accepted> {
  const answer = await t.call<Accepted>('POST', '/v1/events', { key, body, headers })
  assert.ok(answer.status === 201 || answer.status === 200, answer.text)
  return answer.body
}

test('an event is stored as received and comes back with the members of the hub in front', async () => {
  const { key } = await openWorkspace('bytes')
  const text =
    '{ "payload" : {"b":1e2,"a":[1.0, "\\ud83d\\ude00 \\u0000 \\ud800"],\r\n"__proto__":{"x":1}},\n "event_type":"a.b" }'
  const answer = await t.call<Accepted>('POST', '/v1/events', { key, body: `\n ${text} \n` })
  assert.equal(answer.status, 201)
  assert.equal(answer.body.status, 'accepted')
  const { event_id: id, timestamp } = answer.body
  const found = await t.call('GET', `/v1/events/${id}`, { key })
  const inOneLine = text.replaceAll(/[\r\n]/g, ' ')
  assert.equal(found.text, `{"event_id":"${id}","timestamp":"${timestamp}",${inOneLine.slice(1)}`)
  const inbox = await t.call('GET', '/v1/events/inbox', { key })
  assert.ok(inbox.text.includes(inOneLine.slice(1)))
})

test('every member that an event may have is accepted', async () => {
  const { key } = await openWorkspace('members')
  const event = {
    ...order,
    source: 'shop',
    subject: 'customer-1',
    occurred_at: '2026-01-01T00:00:00+02:00',
    metadata: { any: ['thing'] },
    actor: { type: 'service', id: 'billing' },
    identity: { id: 'i', email: 'e@example.org', phone: '1', external_id: 'x' },
    entity: { type: 'order', id: '1' },
    correlation_id: 'c',
    external_event_id: 'e',
    channel: 'ch',
  }
  const { event_id: id, timestamp } = await publish(key, event)
  const found = await t.call<Event>('GET', `/v1/events/${id}`, { key })
  assert.deepEqual(found.body, { event_id: id, timestamp, ...event })
})

test('the same idempotency key with the same body answers the first id; with another body it is refused', async () => {
  const { key } = await openWorkspace('idempotent')
  const first = await publish(key, order, { 'idempotency-key': 'k "1"' })
  const quoted = await t.call<Accepted>('POST', '/v1/events', {
    key,
    body: order,
    headers: { 'idempotency-key': '"k \\"1\\""' },
  })
  assert.equal(quoted.status, 200)
  assert.deepEqual([quoted.body.status, quoted.body.event_id], ['duplicate', first.event_id])
  const other = { ...order, payload: { id: 2 } }
  const mismatch = await t.fail('POST', '/v1/events', { key, body: other, headers: { 'idempotency-key': 'k "1"' } })
  assert.deepEqual([mismatch.status, mismatch.error_code], [422, 'idempotency-mismatch'])
  const inBatch = await t.call<BatchAccepted>('POST', '/v1/events/batch', {
    key,
    body: [{ idempotency_key: 'k "1"', ...order }],
  })
  assert.deepEqual(inBatch.body.results[0], {
    index: 0,
    event_id: first.event_id,
    timestamp: first.timestamp,
    status: 'duplicate',
  })
})

test('source and external_event_id deduplicate in a namespace of their own', async () => {
  const { key } = await openWorkspace('external')
  const event = { ...order, source: 'shop', external_event_id: '7' }
  const first = await publish(key, event)
  assert.equal((await publish(key, event)).event_id, first.event_id)
  const elsewhere = await publish(key, { ...event, source: 'till' })
  assert.notEqual(elsewhere.event_id, first.event_id)
  const byHeader = await publish(key, { ...order, payload: { id: 9 } }, { 'idempotency-key': '7' })
  assert.equal(byHeader.status, 'accepted')
  const withoutSource = { ...order, external_event_id: '7' }
  assert.notEqual((await publish(key, withoutSource)).event_id, (await publish(key, withoutSource)).event_id)
})

const batchForms: readonly (readonly [string, string, (events: readonly string[]) => string])[] = [
  ['an object', 'application/json', (events) => `{ "events" : [ ${events.join(' ,\n')} ] }`],
  ['an array', 'application/json; charset=utf-8', (events) => `[${events.join(',')}]`],
  ['NDJSON', 'application/x-ndjson', (events) => `\n${events.join('\r\n\n')}\n`],
  ['JSON lines', 'application/jsonl', (events) => events.join('\n')],
]

for (const [form, contentType, print] of batchForms) {
  test(`a batch as ${form}: a result for each in order, a bad one does not touch the others`, async () => {
    const { key } = await openWorkspace(`batch-${batchForms.findIndex(([name]) => name === form)}`)
    const body = print([
      '{"event_type":"a","payload":{"n":0}}',
      '{"event_type":"","payload":null,"extra":1}',
      '{"payload":{"n":2},"idempotency_key":"k","event_type":"b"}',
      `{"event_type":"c","payload":{"deep":${'['.repeat(200)}${']'.repeat(200)}}}`,
      '{"event_type":"a","event_type":"b","payload":{}}',
      '17',
      '{"idempotency_key":"k","payload":{"n":2},"event_type":"b"}',
      '{"event_type":"d","payload":{"n":3},"idempotency_key":"k3"}',
    ])
    const answer = await t.call<BatchAccepted>('POST', '/v1/events/batch', {
      key,
      body,
      headers: { 'content-type': contentType },
    })
    assert.equal(answer.status, 200)
    const statuses = answer.body.results.map((result) => ('error' in result ? result.error.error_code : result.status))
    assert.deepEqual(statuses, [
      'accepted',
      'validation-error',
      'accepted',
      'validation-error',
      'validation-error',
      'validation-error',
      'duplicate',
      'accepted',
    ])
    assert.deepEqual([answer.body.accepted, answer.body.failed], [4, 4])
    const [, bad] = answer.body.results
    assert.deepEqual(bad && 'error' in bad && bad.error.errors?.map(({ pointer }) => pointer), [
      '/extra',
      '/event_type',
      '/payload',
    ])
    const { body: page } = await t.call<EventPage>('GET', '/v1/events/inbox', { key })
    assert.deepEqual(
      page.events.map(({ event_type, payload }) => [event_type, payload]),
      [
        ['a', { n: 0 }],
        ['b', { n: 2 }],
        ['d', { n: 3 }],
      ],
    )
    assert.ok(!JSON.stringify(page).includes('idempotency_key'))
  })
}

test('a malformed line of NDJSON, or one that is no UTF-8, is the error of its item', async () => {
  const { key } = await openWorkspace('lines')
  const good = Buffer.from('{"event_type":"a","payload":{}}\n')
  const body = Buffer.concat([good, Buffer.from('{"event_type":\n'), Buffer.from([0xff, 0xfe, 10]), good])
  const headers = { 'content-type': 'application/x-ndjson' }
  const answer = await t.call<BatchAccepted>('POST', '/v1/events/batch', { key, body, headers })
  assert.deepEqual(
    answer.body.results.map((result) => 'error' in result),
    [false, true, true, false],
  )
})

test('a request may be packed with gzip', async () => {
  const { key } = await openWorkspace('gzip')
  const body = gzipSync(JSON.stringify(order))
  await publish(key, body, { 'content-encoding': 'gzip' })
  const { body: page } = await t.call<EventPage>('GET', '/v1/events/inbox', { key })
  assert.equal(page.events.length, 1)
})

test('a key publishes only the event types it is allowed', async () => {
  const key = await t.makeKey({ role: 'publisher', allowed_event_types: ['order.*', 'refund'] })
  assert.equal((await publish(key, order)).status, 'accepted')
  const refused = await t.fail('POST', '/v1/events', { key, body: { ...order, event_type: 'user.made' } })
  assert.deepEqual([refused.status, refused.error_code], [403, 'event-type-not-allowed'])
  const batch = await t.call<BatchAccepted>('POST', '/v1/events/batch', {
    key,
    body: [order, { ...order, event_type: 'x' }],
  })
  assert.deepEqual(
    batch.body.results.map((result) => ('error' in result ? result.error.error_code : result.status)),
    ['accepted', 'event-type-not-allowed'],
  )
  const none = await t.makeKey({ role: 'publisher', allowed_event_types: [] })
  assert.equal((await t.fail('POST', '/v1/events', { key: none, body: order })).error_code, 'event-type-not-allowed')
})

test('the W3C trace context of the request is kept with the event', async () => {
  const { key } = await openWorkspace('trace')
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  await publish(key, order, { traceparent })
  await publish(key, order, { traceparent: `00-${'0'.repeat(32)}-b7ad6b7169203331-01` })
  const workspace = await t.hub.store.findWorkspace('trace')
  const events = await t.hub.store.readEvents(workspace?.id ?? 0, [1, 2])
  assert.deepEqual(
    events.map(({ notes }) => notes),
    [JSON.stringify({ traceparent }), null],
  )
})

test('polling pages through the inbox, oldest first, and a deleted event does not come again', async () => {
  const { key } = await openWorkspace('poll')
  for (let n = 1; n <= 5; n += 1) await publish(key, { event_type: 'n', payload: { n } })
  const first = await t.call<EventPage>('GET', '/events/inbox?limit=2', { key })
  assert.deepEqual(
    first.body.events.map(({ payload }) => payload['n']),
    [1, 2],
  )
  assert.equal(first.body.pagination.has_more, true)
  const next = `/events/inbox?limit=3&cursor=${first.body.pagination.next_cursor}`
  const second = await t.call<EventPage>('GET', next, { key })
  assert.deepEqual(
    second.body.events.map(({ payload }) => payload['n']),
    [3, 4, 5],
  )
  assert.deepEqual(second.body.pagination, { next_cursor: null, has_more: false })
  const [event] = first.body.events
  for (const again of ['', `?timestamp=${event?.timestamp}`]) {
    const gone = await t.call('DELETE', `/events/${event?.event_id}${again}`, { key })
    assert.deepEqual([gone.status, gone.text], [204, ''])
  }
  const left = await t.call<EventPage>('GET', '/v1/events/inbox', { key })
  assert.deepEqual(
    left.body.events.map(({ payload }) => payload['n']),
    [2, 3, 4, 5],
  )
  assert.equal((await t.call('GET', `/events/${event?.event_id}?timestamp=x`, { key })).status, 200)
})

test('an id in capitals is the same id; malformed, foreign and forged ones are not found', async () => {
  const { key } = await openWorkspace('ids')
  const { key: foreignKey } = await openWorkspace('ids-foreign')
  const { event_id: id } = await publish(key, order)
  assert.equal((await t.call('GET', `/v1/events/${id.toUpperCase()}`, { key })).status, 200)
  const { event_id: foreign } = await publish(foreignKey, order)
  const forged = id.replace(/^......../, '00000000')
  const beyond = id.replace(/-0000(.)(.)/, '-0001$1$2')
  for (const wrong of ['x', '%00', '..', '%zz', foreign, forged, beyond, '00000000-0000-8000-8000-000000000000']) {
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['GET', '/explain'],
    ] as const) {
      const problem = await t.fail(method, `/v1/events/${wrong}${path}`, { key })
      assert.equal(problem.status, 404, `${method} ${wrong}`)
    }
    const replay = await t.fail('POST', `/v1/events/${wrong}/replay`, { key, body: { inbox: 'default' } })
    assert.equal(replay.status, 404, wrong)
  }
})

test('search is newest first, by every criterion, in pages', async () => {
  const { key } = await openWorkspace('search')
  await publish(key, { event_type: 'a.b', source: 's', subject: 'u', channel: 'c', payload: { word: 'Needle' } })
  t.advance(60_000)
  await publish(key, {
    event_type: 'a.c',
    payload: {},
    identity: { email: 'e@example.org' },
    entity: { type: 'order', id: '7' },
  })
  t.advance(60_000)
  await publish(key, { event_type: 'z', payload: {} })
  const typesOf = async (query: string): Promise<string[]> => {
    const { body, status, text } = await t.call<EventPage>('GET', `/v1/events?${query}`, { key })
    assert.equal(status, 200, text)
    return body.events.map(({ event_type }) => event_type)
  }
  assert.deepEqual(await typesOf(''), ['z', 'a.c', 'a.b'])
  assert.deepEqual(await typesOf('event_type=a.*'), ['a.c', 'a.b'])
  assert.deepEqual(await typesOf('source=s'), ['a.b'])
  assert.deepEqual(await typesOf('subject=u&channel=c'), ['a.b'])
  assert.deepEqual(await typesOf('identity=e%40example.org'), ['a.c'])
  assert.deepEqual(await typesOf('entity=order:7'), ['a.c'])
  assert.deepEqual(await typesOf('text=needle'), ['a.b'])
  const middle = new Date(t.hub.store.nowMs() - 60_000)
  assert.deepEqual(await typesOf(`after=${middle.toISOString()}`), ['z', 'a.c'])
  assert.deepEqual(await typesOf(`before=${middle.toISOString()}`), ['a.b'])
  const page = await t.call<EventPage>('GET', '/v1/events?limit=2', { key })
  assert.deepEqual(await typesOf(`limit=2&cursor=${page.body.pagination.next_cursor}`), ['a.b'])
})

test('explain says what became of an event in each inbox; replay hands it out again', async () => {
  const { key } = await openWorkspace('explain')
  await t.call('PUT', '/v1/inboxes/orders', { key, body: { start: 'earliest', filter: { event_types: ['order.*'] } } })
  const { event_id: id } = await publish(key, { event_type: 'user.made', payload: {} })
  await t.call('POST', '/v1/inboxes/orders/lease', { key, body: {} })
  const explained = await t.call<{ event_id: string; verdicts: Verdict[] }>('GET', `/v1/events/${id}/explain`, { key })
  assert.deepEqual(
    explained.body.verdicts.map(({ inbox, verdict, rule }) => [inbox, verdict, rule?.split('/').at(-1)]),
    [
      ['default', 'waiting', undefined],
      ['orders', 'filtered', 'event_types'],
    ],
  )
  const refused = await t.fail('POST', `/v1/events/${id}/replay`, { key, body: { inbox: 'orders' } })
  assert.deepEqual([refused.status, refused.error_code], [409, 'conflict'])
  const replayed = await t.call<Replayed>('POST', `/v1/events/${id}/replay`, {
    key,
    body: { inbox: 'orders', ignore_filter: true },
  })
  assert.deepEqual([replayed.status, replayed.body.status], [200, 'replayed'])
  const waiting = await t.call<Replayed>('POST', `/v1/events/${id}/replay`, { key, body: { inbox: 'default' } })
  assert.equal(waiting.body.status, 'already-waiting')
  const nowhere = await t.fail('POST', `/v1/events/${id}/replay`, { key, body: { inbox: 'nowhere' } })
  assert.equal(nowhere.status, 404)
})

test('an event that retention has removed is gone: 410; acknowledging it is fine', async () => {
  const { key } = await openWorkspace('expiry')
  const { event_id: id } = await publish(key, order)
  t.advance(100 * 86_400_000)
  await publish(key, order)
  const workspace = await t.hub.store.findWorkspace('expiry')
  await t.hub.store.trimEvents(workspace?.id ?? 0, { passedMs: 1, anywayMs: 86_400_000, attemptsMs: 1, maxRows: 100 })
  const expired = await t.fail('GET', `/v1/events/${id}`, { key })
  assert.deepEqual([expired.status, expired.error_code], [410, 'expired'])
  assert.equal((await t.fail('POST', `/v1/events/${id}/replay`, { key, body: { inbox: 'default' } })).status, 410)
  assert.equal((await t.call('DELETE', `/v1/events/${id}`, { key })).status, 204)
  assert.equal((await t.call('GET', `/v1/events/${id}/explain`, { key })).status, 200)
})
