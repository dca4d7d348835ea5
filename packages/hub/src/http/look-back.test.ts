import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Accepted, Lease, NewBatchEvent, ReplayedRange, TriedFilter } from '@sluice/protocol'
import { openTestHub, type TestHub } from '../test-hub.ts'

const minuteMs = 60_000
const at = (minutes: number): string => new Date(Date.UTC(2026, 0, 1) + minutes * minuteMs).toISOString()

async function publish(t: TestHub, ...events: Partial<NewBatchEvent>[]): Promise<void> {
  const body = events.map((event) => ({ event_type: 'order.created', payload: {}, ...event }))
  assert.equal((await t.call<{ failed: number }>('POST', '/v1/events/batch', { body })).body.failed, 0)
}

/** Takes and acknowledges what is there. */
async function take(t: TestHub, inbox = 'crm'): Promise<unknown[]> {
  const { body } = await t.call<Lease>('POST', `/v1/inboxes/${inbox}/lease`, { body: { limit: 1000 } })
  await t.call('POST', `/v1/inboxes/${inbox}/ack`, { body: { lease_id: body.lease_id } })
  return body.events.map(({ payload }) => payload?.['n'])
}

const replay = async (t: TestHub, body: object): Promise<ReplayedRange> =>
  (await t.call<ReplayedRange>('POST', '/v1/inboxes/crm/replay', { body })).body

test('events of a time are handed out again: those that the inbox wants, and the filter as well', async () => {
  await using t = await openTestHub()
  await t.call('PUT', '/v1/inboxes/crm', { body: { filter: { event_types: ['order.*'] } } })
  for (let n = 1; n <= 4; n += 1) {
    await publish(t, { payload: { n } }, { event_type: 'user.created', payload: { n: n * 10 } })
    t.advance(minuteMs)
  }
  assert.deepEqual(await take(t), [1, 2, 3, 4])
  const range = { after: at(1), before: at(3) }
  const counted = await replay(t, { ...range, dry_run: true })
  assert.deepEqual([counted.replayed, counted.looked_at, counted.done], [2, 4, true])
  assert.deepEqual(await take(t), [], 'it was counted only')
  assert.equal((await replay(t, range)).replayed, 2)
  const again = await replay(t, range)
  assert.deepEqual([again.replayed, again.left], [0, 2], 'they wait already')
  assert.deepEqual(await take(t), [2, 3])
  const filter = { payload: [{ pointer: '/n', gte: 3 }] }
  assert.equal((await replay(t, { filter })).replayed, 2)
  assert.deepEqual(await take(t), [3, 4])
  assert.equal(
    (await replay(t, { filter: { event_types: ['user.*'] }, ignore_filter: true, after: at(3) })).replayed,
    1,
  )
  assert.deepEqual(await take(t), [40])
  const audit = await t.call<{ entries: { verb: string; details: object }[] }>('GET', '/v1/audit')
  assert.deepEqual(audit.body.entries.find(({ verb }) => verb === 'inbox.replay')?.details, { replayed: 1, left: 0 })
})

test('what is leased or erased is left alone', async () => {
  await using t = await openTestHub()
  await t.call('PUT', '/v1/inboxes/crm')
  await publish(t, { payload: { n: 1 }, identity: { id: 'jane' } }, { payload: { n: 2 } })
  await take(t)
  await publish(t, { payload: { n: 3 } })
  await t.call('POST', '/v1/inboxes/crm/lease', { body: {} })
  await t.call('POST', '/v1/erasures', { body: { identity: 'jane' } })
  const replayed = await replay(t, {})
  assert.deepEqual([replayed.replayed, replayed.left], [1, 1])
  assert.deepEqual(await take(t), [2])
})

test('a filter is tried on the past, alone and beside another; nothing is handed out', async () => {
  await using t = await openTestHub()
  for (let n = 1; n <= 10; n += 1) await publish(t, { payload: { n }, source: n % 2 === 0 ? 'shop' : 'app' })
  const ask = async (body: object): Promise<TriedFilter> =>
    (await t.call<TriedFilter>('POST', '/v1/filters/try', { body })).body
  const alone = await ask({ filter: { sources: ['shop'] } })
  assert.deepEqual([alone.matched, alone.matched_other, alone.looked_at, alone.done], [5, null, 10, true])
  assert.deepEqual(new Set(alone.events.map(({ source }) => source)), new Set(['shop']))
  const compare = { payload: [{ pointer: '/n', gt: 7 }] }
  const both = await ask({ filter: { sources: ['shop'] }, compare_with: compare })
  assert.deepEqual([both.matched, both.matched_other, both.only_filter, both.only_other], [5, 3, 3, 1])
  assert.deepEqual(
    both.events.map(({ wanted_by: by }) => by),
    ['filter', 'filter', 'filter', 'compare_with'],
  )
  assert.equal((await ask({ filter: {}, last: 3 })).matched, 3)
  const { body } = await t.call<{ events: unknown[] }>('GET', '/v1/events/inbox')
  assert.equal(body.events.length, 10)
})

test('a long past is gone through step by step; a cursor serves nothing else', async () => {
  await using t = await openTestHub()
  await t.call('PUT', '/v1/inboxes/crm')
  const event: Partial<NewBatchEvent> = { event_type: 'a' }
  for (let sent = 0; sent < 21; sent += 1) await publish(t, ...Array.from({ length: 1000 }, () => event))
  await t.call('POST', '/v1/inboxes/crm/seek', { body: { to: 'latest' } })
  const first = await replay(t, { dry_run: true })
  assert.deepEqual([first.replayed, first.done], [20_000, false])
  await publish(t, { event_type: 'late' })
  const second = await replay(t, { dry_run: true, cursor: first.next_cursor })
  assert.deepEqual([second.replayed, second.done, second.next_cursor], [1000, true, null])
  const tried = await t.call<TriedFilter>('POST', '/v1/filters/try', { body: { filter: {}, last: 30_000 } })
  assert.deepEqual([tried.body.matched, tried.body.done], [20_000, false])
  for (const [path, cursor] of [
    ['/v1/inboxes/crm/replay', tried.body.next_cursor],
    ['/v1/filters/try', first.next_cursor],
    ['/v1/inboxes/default/replay', first.next_cursor],
  ] as const) {
    const refused = await t.fail('POST', path, { body: { cursor, filter: {} } })
    assert.equal(refused.error_code, 'invalid-cursor', path)
  }
})

test('another workspace has another past', async () => {
  await using t = await openTestHub()
  await t.call('PUT', '/v1/workspaces/other')
  const sent = await t.call<Accepted>('POST', '/v1/events', { body: { event_type: 'a', payload: {} } })
  assert.equal(sent.status, 201)
  const key = await t.makeKey({ workspace: 'other', role: 'admin' })
  const tried = await t.call<TriedFilter>('POST', '/v1/filters/try', { key, body: { filter: {} } })
  assert.equal(tried.body.looked_at, 0)
  assert.equal((await t.fail('POST', '/v1/inboxes/crm/replay', { key, body: {} })).status, 404)
})
