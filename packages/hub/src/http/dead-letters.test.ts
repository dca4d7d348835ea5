import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { AuditEntry, DeadLetter, Inbox, Lease, Settled } from '@sluice/protocol'
import { openTestHub, type TestHub } from '../test-hub.ts'

let t: TestHub
const letters = '/v1/inboxes/fragile/dead-letters'

before(async () => {
  t = await openTestHub()
  await t.call('PUT', '/v1/inboxes/fragile', { body: { max_attempts: 1 } })
})
after(() => t.close())

/** Publishes and gives up on events of these types; answers their ids. */
async function bury(...types: string[]): Promise<string[]> {
  await t.call('POST', '/v1/events/batch', { body: types.map((type) => ({ event_type: type, payload: { type } })) })
  const { body } = await t.call<Lease>('POST', '/v1/inboxes/fragile/lease', { body: {} })
  const settled = await t.call<Settled>('POST', '/v1/inboxes/fragile/release', {
    body: { lease_id: body.lease_id, reason: 'cannot be done' },
  })
  assert.ok(settled.body.results.every(({ status }) => status === 'dead'))
  return body.events.map(({ event_id }) => event_id)
}

type Page = { dead_letters: DeadLetter[]; pagination: { next_cursor: string | null } }

test('a dead letter keeps the event and the reason; lists page', async () => {
  const [id = ''] = await bury('a', 'b', 'c')
  const first = await t.call<Page>('GET', `${letters}?limit=2`)
  const [letter] = first.body.dead_letters
  assert.deepEqual([letter?.event_id, letter?.attempts, letter?.reason], [id, 1, 'cannot be done'])
  assert.deepEqual([letter?.event.event_id, letter?.event.payload], [id, { type: 'a' }])
  const second = await t.call<Page>('GET', `${letters}?limit=2&cursor=${first.body.pagination.next_cursor}`)
  assert.deepEqual(
    second.body.dead_letters.map(({ event_type }) => event_type),
    ['c'],
  )
  assert.equal((await t.call<Inbox>('GET', '/v1/inboxes/fragile')).body.dead, 3)
  await t.call('POST', `${letters}/discard`, { body: { all: true } })
})

test('a dry run only counts; replay and discard go by ids, by filter, or all', async () => {
  const settle = async (action: 'replay' | 'discard', body: object): Promise<number> => {
    const answer = await t.call<{ count: number; dry_run: boolean }>('POST', `${letters}/${action}`, { body })
    assert.equal(answer.status, 200, answer.text)
    return answer.body.count
  }
  const [first = ''] = await bury('order.made', 'order.paid', 'user.made')
  assert.equal(await settle('discard', { all: true, dry_run: true }), 3)
  assert.equal(await settle('replay', { filter: { event_type: 'order.*' }, dry_run: true }), 2)
  assert.equal(await settle('replay', { event_ids: [first, 'nonsense'] }), 1)
  const again = await t.call<Lease>('POST', '/v1/inboxes/fragile/lease', { body: {} })
  assert.deepEqual(
    again.body.events.map(({ event_id, attempt }) => [event_id, attempt]),
    [[first, 1]],
  )
  assert.equal(await settle('discard', { filter: { before: '2020-01-01T00:00:00Z' } }), 0)
  assert.equal(await settle('discard', { filter: { event_type: 'order.*', after: '2020-01-01T00:00:00Z' } }), 1)
  assert.equal(await settle('discard', { all: true }), 1)
  const audit = await t.call<{ entries: AuditEntry[] }>('GET', '/v1/audit?limit=1')
  assert.deepEqual(
    audit.body.entries.map(({ verb, target, details }) => [verb, target, details]),
    [['dead-letters.discard', 'fragile', { count: 1 }]],
  )
})
