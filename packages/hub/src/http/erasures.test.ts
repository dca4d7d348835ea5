import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { Accepted, AuditEntry, Erased } from '@sluice/protocol'
import { openTestHub } from '../test-hub.ts'

const jane = { email: 'jane@example.org', id: 'user-77' }

test('an erased event is gone, its inbox goes on, and the record does not say whose it was', async () => {
  await using t = await openTestHub()
  const send = async (body: object): Promise<string> =>
    (await t.call<Accepted>('POST', '/v1/events', { body: { event_type: 'a', payload: {}, ...body } })).body.event_id
  const gone = await send({ identity: jane, payload: { note: 'hers' } })
  const kept = await send({ identity: { id: 'user-78' } })
  const found = await t.call<{ events: unknown[] }>('GET', '/v1/events?identity=JANE@example.org')
  assert.equal(found.body.events.length, 1, 'what is searched for is what is erased')
  const counted = await t.call<Erased>('POST', '/v1/erasures', { body: { identity: jane.email, dry_run: true } })
  assert.deepEqual([counted.body.events, counted.body.dry_run], [1, true])
  assert.equal((await t.call('GET', `/v1/events/${gone}`)).status, 200)

  const { body } = await t.call<Erased>('POST', '/v1/erasures', { body: { identity: [jane.id, 'nobody'] } })
  assert.deepEqual(body, {
    events: 1,
    dead_letters: 0,
    quarantined: 0,
    scheduled: 0,
    looked_at: 2,
    dry_run: false,
    done: true,
    next_cursor: null,
  })
  assert.equal((await t.fail('GET', `/v1/events/${gone}`)).error_code, 'erased')
  assert.equal((await t.call('GET', `/v1/events/${kept}`)).status, 200)
  const page = await t.call<{ events: { event_id: string }[] }>('GET', '/v1/events/inbox')
  assert.deepEqual(
    page.body.events.map(({ event_id: id }) => id),
    [kept],
  )
  const audit = await t.call<{ entries: AuditEntry[] }>('GET', '/v1/audit')
  const entry = audit.body.entries.find(({ verb }) => verb === 'identity.erase')
  assert.deepEqual(entry?.details, { events: 1, dead_letters: 0, quarantined: 0, scheduled: 0, done: true })
  assert.doesNotMatch(audit.text, /user-77|jane/)
  const plain = createHash('sha256').update(jane.id).digest('hex').slice(0, 32)
  assert.ok(!audit.text.includes(plain), 'who has the audit log cannot try values')
})

test('a long erasure goes step by step; its cursor serves no other', async () => {
  await using t = await openTestHub()
  const event = { event_type: 'a', payload: {}, identity: jane }
  for (let sent = 0; sent < 51_000; sent += 1000) {
    const body = Array.from({ length: 1000 }, () => JSON.stringify(event)).join('\n')
    await t.call('POST', '/v1/events/batch', { body, headers: { 'content-type': 'application/x-ndjson' } })
  }
  const first = await t.call<Erased>('POST', '/v1/erasures', { body: { identity: jane.id } })
  assert.deepEqual([first.body.events, first.body.done], [50_000, false])
  const cursor = first.body.next_cursor
  const stolen = await t.fail('POST', '/v1/erasures', { body: { identity: 'user-78', cursor } })
  assert.equal(stolen.error_code, 'invalid-cursor')
  const last = await t.call<Erased>('POST', '/v1/erasures', { body: { identity: jane.id, cursor } })
  assert.deepEqual([last.body.events, last.body.done], [1000, true])
})

test('bad requests change nothing and name their faults', async () => {
  await using t = await openTestHub()
  for (const body of [{}, { identity: [] }, { identity: '' }, { identity: 'a', all: true }, { identity: { id: 'a' } }])
    assert.equal((await t.fail('POST', '/v1/erasures', { body })).error_code, 'validation-error')
})

test('what is quarantined is removed too', async () => {
  await using t = await openTestHub()
  const schema = { type: 'object', required: ['id'] }
  await t.call('PUT', '/v1/event-types/order.created', { body: { mode: 'quarantine', schema } })
  for (const identity of [jane, { id: 'user-78' }])
    await t.call('POST', '/v1/events', { body: { event_type: 'order.created', payload: {}, identity } })
  const { body } = await t.call<Erased>('POST', '/v1/erasures', { body: { identity: jane.id } })
  assert.deepEqual([body.quarantined, body.events, body.done], [1, 0, true])
  const { text } = await t.call('GET', '/v1/quarantine')
  assert.equal(JSON.parse(text).quarantined.length, 1)
})
