import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { after, before, test } from 'node:test'
import type { BatchAccepted, EventPage, Problem } from '@sluice/protocol'
import { openTestHub, type CallOptions, type TestHub } from '../test-hub.ts'

let t: TestHub

before(async () => {
  t = await openTestHub()
})
after(async () => {
  // Whatever was refused here has left nothing behind.
  const { body } = await t.call<EventPage>('GET', '/v1/events/inbox')
  assert.deepEqual(
    body.events.map(({ event_type }) => event_type),
    [],
  )
  await t.close()
})

const order = { event_type: 'order.created', payload: { id: 1 } }

async function refused(body: unknown, options: CallOptions = {}): Promise<Problem> {
  return t.fail('POST', '/v1/events', { body, ...options })
}

const pointersOf = (problem: Problem): string[] => (problem.errors ?? []).map(({ pointer }) => pointer)

test('every limit of every member', async () => {
  const long = 'x'.repeat(256)
  const faults: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ event_type: '' }, '/event_type'],
    [{ event_type: long }, '/event_type'],
    [{ event_type: 1 }, '/event_type'],
    [{ event_type: 'a\nb' }, '/event_type'],
    [{ event_type: 'a\u0000' }, '/event_type'],
    [{ event_type: '\ud800' }, '/event_type'],
    [{ event_type: 'sluice.made' }, '/event_type'],
    [{ payload: null }, '/payload'],
    [{ payload: [] }, '/payload'],
    [{ payload: 'x' }, '/payload'],
    [{ source: '' }, '/source'],
    [{ source: long }, '/source'],
    [{ subject: long }, '/subject'],
    [{ subject: null }, '/subject'],
    [{ occurred_at: 'yesterday' }, '/occurred_at'],
    [{ occurred_at: '2026-01-01T00:00:00' }, '/occurred_at'],
    [{ metadata: [] }, '/metadata'],
    [{ actor: { type: 'robot', id: '1' } }, '/actor/type'],
    [{ actor: { type: 'user' } }, '/actor/id'],
    [{ actor: { type: 'user', id: '1', name: 'x' } }, '/actor/name'],
    [{ identity: { email: 'e'.repeat(321) } }, '/identity/email'],
    [{ identity: { phone: '1'.repeat(65) } }, '/identity/phone'],
    [{ identity: { ssn: '1' } }, '/identity/ssn'],
    [{ entity: { type: 'order' } }, '/entity/id'],
    [{ entity: 'order' }, '/entity'],
    [{ correlation_id: long }, '/correlation_id'],
    [{ external_event_id: '' }, '/external_event_id'],
    [{ channel: long }, '/channel'],
    [{ event_id: '1' }, '/event_id'],
    [{ timestamp: 'x' }, '/timestamp'],
    [{ attempt: 1 }, '/attempt'],
    [{ idempotency_key: 'k' }, '/idempotency_key'],
    [{ deliver_at: 'tomorrow' }, '/deliver_at'],
    [{ 'a/b~c': 1 }, '/a~1b~0c'],
  ]
  for (const [change, pointer] of faults) {
    const problem = await refused({ ...order, ...change })
    const seen = [problem.status, problem.error_code, ...pointersOf(problem)]
    assert.deepEqual(seen, [400, 'validation-error', pointer], JSON.stringify(change).slice(0, 100))
  }
  const missing = await refused({})
  assert.deepEqual(pointersOf(missing).toSorted(), ['/event_type', '/payload'])
})

test('all faults are named at once', async () => {
  const problem = await refused({ event_type: '', payload: [], source: '', x: 1, y: 2 })
  assert.deepEqual(pointersOf(problem).toSorted(), ['/event_type', '/payload', '/source', '/x', '/y'])
  assert.ok(problem.message.startsWith('Validation error: '))
})

test('of very many faults the first hundred are named', async () => {
  const strangers = Array.from({ length: 50_000 }, (_, index) => `"${index}":1`).join(',')
  const problem = await refused(`{"event_type":"a","payload":{},${strangers}}`)
  assert.equal(problem.errors?.length, 101)
  assert.equal(problem.errors.at(-1)?.detail, 'and 49900 more faults')
})

test('texts that are no event', async () => {
  const texts: readonly (readonly [string | Uint8Array, string])[] = [
    ['', ''],
    ['{', ''],
    ['null', ''],
    ['[]', ''],
    ['"x"', ''],
    ['{"event_type":"a","payload":{}} x', ''],
    ['\ufeff{"event_type":"a","payload":{}}', ''],
    ["{'event_type':'a'}", ''],
    ['{"event_type":"a","payload":{"n":NaN}}', ''],
    ['{"event_type":"a","payload":{"text":"\u0000"}}', ''],
    [Buffer.concat([Buffer.from('{"event_type":"'), Buffer.from([0xc3, 0x28]), Buffer.from('","payload":{}}')]), ''],
    [Buffer.from('{"event_type":"a","payload":{}}', 'utf16le'), ''],
    ['{"event_type":"a","event_type":"b","payload":{}}', '/event_type'],
    ['{"event_type":"a","\\u0065vent_type":"b","payload":{}}', '/event_type'],
    ['{"event_type":"a","payload":{},"__proto__":{"x":1}}', '/__proto__'],
    ['{"event_type":"a","payload":{},"constructor":{"x":1}}', '/constructor'],
  ]
  for (const [text, pointer] of texts) {
    const problem = await refused(text)
    assert.deepEqual([problem.status, ...pointersOf(problem)], [400, pointer], String(text).slice(0, 100))
  }
})

test('100,000 levels deep, in payload, metadata and outside', async () => {
  const deep = (open: string, close: string): string => open.repeat(100_000) + close.repeat(100_000)
  const texts = [
    `{"event_type":"a","payload":{"x":${deep('[', ']')}}}`,
    `{"event_type":"a","payload":${deep('{"":', '}').replace('}', '1}')}}`,
    deep('[', ']'),
    deep('[', ''),
  ]
  for (const text of texts) assert.equal((await refused(text)).error_code, 'validation-error')
  const inItem = await t.call<BatchAccepted>('POST', '/v1/events/batch', { body: `[${texts[0]}]` })
  assert.deepEqual([inItem.status, inItem.body.failed], [200, 1])
  for (const path of ['/v1/inboxes/x/lease', '/v1/keys', '/v1/inboxes/default/seek']) {
    assert.equal((await t.fail('POST', path, { body: texts[2] })).status, 400)
    assert.equal((await t.fail('POST', path, { body: `{"a":${texts[2]}}` })).status, 400)
  }
})

test('payloads and bodies over their size', async () => {
  const filler = (bytes: number): string => 'x'.repeat(bytes)
  const payloadOf = (bytes: number): string => `{"p":"${filler(bytes - 8)}"}`
  const eventOf = (payload: string): string => `{"event_type":"a","payload":${payload}}`
  const over = await refused(eventOf(payloadOf(262_145)))
  assert.deepEqual([over.status, over.error_code], [413, 'payload-too-large'])
  const wide = await refused(eventOf(`{"p":"${'€'.repeat(90_000)}"}`))
  assert.equal(wide.status, 413)
  assert.equal((await refused(filler(512 * 1024 + 1))).status, 413)
  const inBatch = await t.call<BatchAccepted>('POST', '/v1/events/batch', { body: `[${eventOf(payloadOf(262_145))}]` })
  assert.deepEqual(
    inBatch.body.results.map((result) => 'error' in result && result.error.error_code),
    ['payload-too-large'],
  )
  const metadata = `[{"event_type":"a","payload":{},"metadata":${payloadOf(600_000)}}]`
  const large = await t.call<BatchAccepted>('POST', '/v1/events/batch', { body: metadata })
  assert.equal(large.body.failed, 1)
  assert.equal((await t.fail('POST', '/v1/events/batch', { body: filler(5 * 1024 * 1024 + 1) })).status, 413)
  const many = `[${Array.from({ length: 1001 }, () => '1').join(',')}]`
  assert.equal((await t.fail('POST', '/v1/events/batch', { body: many })).status, 413)
})

test('a batch that cannot be read at all', async () => {
  const bodies: readonly (readonly [unknown, string])[] = [
    [[], ''],
    [{ events: [] }, ''],
    [{ events: {} }, '/events'],
    [{}, '/events'],
    [{ events: [order], more: 1 }, '/more'],
    ['{"events":[],"events":[]}', '/events'],
    ['[{"event_type":"a","payload":{}}', ''],
    ['null', ''],
  ]
  for (const [body, pointer] of bodies) {
    const problem = await t.fail('POST', '/v1/events/batch', { body })
    assert.deepEqual([problem.status, ...pointersOf(problem)], [400, pointer], JSON.stringify(body))
  }
  const blank = await t.fail('POST', '/v1/events/batch', {
    body: '\n \n',
    headers: { 'content-type': 'application/x-ndjson' },
  })
  assert.equal(blank.status, 400)
  const withHeader = await t.fail('POST', '/v1/events/batch', { body: [order], headers: { 'idempotency-key': 'k' } })
  assert.deepEqual(pointersOf(withHeader), ['header.Idempotency-Key'])
})

test('idempotency keys that are none', async () => {
  for (const key of ['', '"open', '"a" "b"', 'x'.repeat(256), '"a\\b"', 'a\u0001b'.replace('\u0001', '\t')]) {
    const problem = await refused(order, { headers: { 'idempotency-key': key } })
    assert.deepEqual([problem.status, ...pointersOf(problem)], [400, 'header.Idempotency-Key'], JSON.stringify(key))
  }
})

test('content types and encodings that are not understood', async () => {
  const headers: readonly Record<string, string>[] = [
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/x-www-form-urlencoded' },
    { 'content-type': 'application/json; charset=latin1' },
    { 'content-type': 'application/x-ndjson' },
    { 'content-encoding': 'br' },
    { 'content-encoding': 'gzip, gzip' },
  ]
  for (const header of headers) {
    const problem = await refused(order, { headers: header })
    assert.deepEqual([problem.status, problem.error_code], [415, 'unsupported-media-type'], JSON.stringify(header))
  }
  const unnamed = await t.hub.app.fetch(
    new Request('http://localhost/v1/events', {
      method: 'POST',
      headers: { authorization: `Bearer ${t.adminKey}` },
      body: new Uint8Array(Buffer.from(JSON.stringify(order))),
    }),
  )
  assert.equal(unnamed.status, 415)
})

test('a gzip bomb, and a stream that is no gzip', async () => {
  const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024))
  const headers = { 'content-encoding': 'gzip' }
  assert.equal((await refused(bomb, { headers })).status, 413)
  assert.equal((await refused(Buffer.from('no gzip'), { headers })).status, 400)
  assert.equal((await refused(gzipSync(JSON.stringify(order)).subarray(0, 20), { headers })).status, 400)
})

test('query parameters that are wrong, unknown or given twice', async () => {
  const faults: readonly (readonly [string, string])[] = [
    ['/v1/events/inbox?limit=0', 'query.limit'],
    ['/v1/events/inbox?limit=201', 'query.limit'],
    ['/v1/events/inbox?limit=1.5', 'query.limit'],
    ['/v1/events/inbox?limit=x', 'query.limit'],
    ['/v1/events/inbox?limit=', 'query.limit'],
    ['/v1/events/inbox?limit=1&limit=2', 'query.limit'],
    ['/v1/events/inbox?page=1', 'query.page'],
    ['/v1/events?after=monday', 'query.after'],
    ['/v1/events?text=', 'query.text'],
    ['/v1/events?__proto__=1', 'query.__proto__'],
    ['/v1/inboxes/default?x=1', 'query.x'],
    ['/v1/keys?status=lost', 'query.status'],
    ['/v1/inboxes/default/stream?from=here', 'query.from'],
    ['/v1/inboxes/default/stream?lease_seconds=0', 'query.lease_seconds'],
  ]
  for (const [path, pointer] of faults) {
    const problem = await t.fail('GET', path)
    assert.deepEqual(
      [problem.status, problem.error_code, ...pointersOf(problem)],
      [400, 'validation-error', pointer],
      path,
    )
  }
  const both = await t.fail('GET', '/v1/events/inbox?limit=0&x=1')
  assert.deepEqual(pointersOf(both).toSorted(), ['query.limit', 'query.x'])
})

test('cursors that were made elsewhere, edited or invented', async () => {
  await t.call('PUT', '/v1/workspaces/paged')
  const key = await t.makeKey({ workspace: 'paged', role: 'admin' })
  const other = await t.makeKey({ workspace: 'default', role: 'admin' })
  for (let n = 0; n < 3; n += 1) await t.call('POST', '/v1/events', { key, body: order })
  await t.call('PUT', '/v1/inboxes/second', { key })
  const page = await t.call<EventPage>('GET', '/v1/events/inbox?limit=1', { key })
  const cursor = page.body.pagination.next_cursor ?? ''
  assert.notEqual(cursor, '')
  const uses: readonly (readonly [string, string])[] = [
    [`/v1/inboxes/second/events?cursor=${cursor}`, key],
    [`/v1/events?cursor=${cursor}`, key],
    [`/v1/inboxes?cursor=${cursor}`, key],
    [`/v1/audit?cursor=${cursor}`, key],
    [`/v1/events/inbox?cursor=${cursor}`, other],
    [`/v1/events/inbox?cursor=${cursor}x`, key],
    [`/v1/events/inbox?cursor=${cursor.slice(0, -1)}`, key],
    [`/v1/events/inbox?cursor=Mg.${cursor.split('.')[1]}`, key],
    ['/v1/events/inbox?cursor=2', key],
    ['/v1/events/inbox?cursor=..', key],
    ['/v1/inboxes/default/stream?cursor=2', key],
  ]
  for (const [path, caller] of uses) {
    const problem = await t.fail('GET', path, { key: caller })
    assert.deepEqual([problem.status, problem.error_code], [400, 'invalid-cursor'], path)
  }
  const again = await t.call('GET', `/v1/inboxes/default/events?cursor=${cursor}`, { key })
  assert.equal(again.status, 200)
})

test('bodies of the other routes: unknown and duplicate members, wrong values', async () => {
  const faults: readonly (readonly [string, string, unknown, string])[] = [
    ['PUT', '/v1/inboxes/x', { lease_seconds: 0 }, '/lease_seconds'],
    ['PUT', '/v1/inboxes/x', { filter: { event_type: 'x' } }, '/filter/event_type'],
    ['PUT', '/v1/inboxes/x', { filter: { payload: [{ pointer: 'x', equals: 1 }] } }, '/filter/payload/0/pointer'],
    ['PUT', '/v1/inboxes/x', { filter: { payload: [{ pointer: '/x' }] } }, '/filter/payload/0'],
    ['PUT', '/v1/inboxes/x', '{"owner":"a","owner":"b"}', '/owner'],
    ['PUT', '/v1/inboxes/x', '{"__proto__":{}}', '/__proto__'],
    ['PUT', '/v1/inboxes/UPPER', {}, 'path.inbox'],
    ['PUT', '/v1/inboxes/-x', {}, 'path.inbox'],
    ['PUT', '/v1/workspaces/a%2Fb', {}, 'path.workspace'],
    ['PUT', '/v1/workspaces/x', { quota: 1 }, '/quota'],
    ['PATCH', '/v1/inboxes/default', { start: 'latest' }, '/start'],
    ['POST', '/v1/inboxes/default/lease', { limit: 1001 }, '/limit'],
    ['POST', '/v1/inboxes/default/lease', { wait_seconds: 21 }, '/wait_seconds'],
    ['POST', '/v1/inboxes/default/lease', { lease_id: 'a b' }, '/lease_id'],
    ['POST', '/v1/inboxes/default/ack', {}, '/lease_id'],
    ['POST', '/v1/inboxes/default/ack', { lease_id: 'l', event_ids: [] }, '/event_ids'],
    ['POST', '/v1/inboxes/default/release', { lease_id: 'l', delay_seconds: -1 }, '/delay_seconds'],
    ['POST', '/v1/inboxes/default/extend', { lease_id: 'l', lease_seconds: 3601 }, '/lease_seconds'],
    ['POST', '/v1/inboxes/default/seek', { to: 'tomorrow' }, '/to'],
    ['POST', '/v1/inboxes/default/dead-letters/replay', {}, ''],
    ['POST', '/v1/inboxes/default/dead-letters/discard', { all: true, filter: {} }, ''],
    ['POST', '/v1/keys', { role: 'god', user_id: '' }, '/role'],
    ['POST', '/v1/keys', { user_id: 'x', expires_at: '2020-01-01T00:00:00Z' }, '/expires_at'],
    ['POST', '/v1/keys', '[]', ''],
    ['POST', '/v1/keys', '', ''],
  ]
  for (const [method, path, body, pointer] of faults) {
    const problem = await t.fail(method, path, { body })
    const pointers = pointersOf(problem)
    assert.equal(problem.status, 400, `${path} ${JSON.stringify(body)}: ${problem.message}`)
    assert.ok(pointers.includes(pointer), `${path} ${JSON.stringify(body)}: ${pointers.join(' ')}`)
  }
})
