import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  Accepted,
  BatchAccepted,
  Erased,
  Event,
  Lease,
  Schedule,
  ScheduledEvent,
  ScheduledEventWithEvent,
} from '@sluice/protocol'
import { openTestHub, type TestHub } from '../test-hub.ts'

const hourMs = 3_600_000
/** The clock of test hubs begins at midnight of the new year. */
const at = (hours: number): string => new Date(Date.UTC(2026, 0, 1) + hours * hourMs).toISOString()

async function take(t: TestHub, limit = 10): Promise<Event[]> {
  const body = { limit, wait_seconds: 20 }
  const { lease_id: id, events } = (await t.call<Lease>('POST', '/v1/inboxes/default/lease', { body })).body
  await t.call('POST', '/v1/inboxes/default/ack', { body: { lease_id: id } })
  return events
}

test('an event with deliver_at is kept until then, and is in the log from then on', async () => {
  await using t = await openTestHub({ roles: ['schedule'] })
  const event = { event_type: 'reminder.due', payload: { n: 1 }, deliver_at: at(2), subject: 's' }
  const sent = await t.call<Accepted>('POST', '/v1/events', { body: event })
  assert.equal(sent.status, 202)
  const { scheduled_id: id = '', event_id: sameId, status, deliver_at: due } = sent.body
  assert.deepEqual([status, due, sameId], ['scheduled', at(2), id])
  const soon = await t.call<BatchAccepted>('POST', '/v1/events/batch', {
    body: [
      { ...event, deliver_at: at(1) },
      { event_type: 'now', payload: {} },
      { ...event, deliver_at: at(-1) },
    ],
  })
  assert.deepEqual(
    soon.body.results.map((result) => 'status' in result && result.status),
    ['scheduled', 'accepted', 'accepted'],
  )
  assert.equal((await t.fail('GET', `/v1/events/${id}`)).status, 404)
  const listed = await t.call<{ scheduled_events: ScheduledEvent[] }>('GET', '/v1/scheduled-events')
  assert.deepEqual(
    listed.body.scheduled_events.map(({ deliver_at: time, subject }) => [time, subject]),
    [
      [at(1), 's'],
      [at(2), 's'],
    ],
  )
  const shown = await t.call<ScheduledEventWithEvent>('GET', `/v1/scheduled-events/${id}`)
  assert.deepEqual(shown.body.event, event)
  assert.equal((await take(t)).length, 2)
  t.advance(1.5 * hourMs)
  assert.deepEqual(
    (await take(t)).map(({ deliver_at: time, timestamp }) => [time, timestamp]),
    [[at(1), at(1.5)]],
  )
  t.advance(hourMs)
  const [last] = await take(t)
  assert.deepEqual([last?.payload, last?.deliver_at], [{ n: 1 }, at(2)])
  assert.equal((await t.fail('DELETE', `/v1/scheduled-events/${id}`)).status, 404, 'it is published')
})

test('a repeated request schedules once, before and after it is due; another body under the key is refused', async () => {
  await using t = await openTestHub({ roles: ['schedule'] })
  const event = { event_type: 'a', payload: {}, deliver_at: at(1) }
  const send = (body: object = event) =>
    t.call<Accepted>('POST', '/v1/events', { body, headers: { 'idempotency-key': 'k' } })
  const [first, second] = [await send(), await send()]
  assert.deepEqual([second.status, second.body.scheduled_id], [202, first.body.scheduled_id])
  assert.equal((await send({ ...event, deliver_at: at(3) })).status, 422)
  t.advance(hourMs)
  const [published] = await take(t)
  const third = await send()
  assert.deepEqual([third.status, third.body.status, third.body.event_id], [200, 'duplicate', published?.event_id])
})

test('a key that was used for another event meanwhile does not keep a scheduled one back', async () => {
  await using t = await openTestHub({ roles: ['schedule'] })
  const headers = { 'idempotency-key': 'k' }
  await t.call('POST', '/v1/events', { body: { event_type: 'late', payload: {}, deliver_at: at(1) }, headers })
  await t.call('POST', '/v1/events', { body: { event_type: 'at-once', payload: {} }, headers })
  assert.equal((await take(t, 1))[0]?.event_type, 'at-once')
  t.advance(hourMs)
  assert.equal((await take(t, 1))[0]?.event_type, 'late')
})

test('a scheduled event is cancelled, and what cannot be meant is refused', async () => {
  await using t = await openTestHub()
  const send = (deliverAt: unknown) =>
    t.call<Accepted>('POST', '/v1/events', { body: { event_type: 'a', payload: {}, deliver_at: deliverAt } })
  const { scheduled_id: id = '' } = (await send(at(1))).body
  assert.equal((await t.call('DELETE', `/v1/scheduled-events/${id}`)).status, 204)
  assert.equal((await t.fail('GET', `/v1/scheduled-events/${id}`)).status, 404)
  for (const wrong of ['tomorrow', '2026-01-01', 5, at(24 * 400)]) {
    const { status, text } = await send(wrong)
    assert.deepEqual([status, /"pointer":"\/deliver_at"/.test(text)], [400, true], String(wrong))
  }
  const viewer = await t.makeKey({ role: 'viewer' })
  assert.equal((await t.call('DELETE', `/v1/scheduled-events/${id}`, { key: viewer })).status, 403)
})

test('a scheduled event of somebody who is erased is never published', async () => {
  await using t = await openTestHub()
  const identity = { email: 'jane@example.org' }
  await t.call('POST', '/v1/events', { body: { event_type: 'a', payload: {}, identity, deliver_at: at(1) } })
  await t.call('POST', '/v1/events', { body: { event_type: 'a', payload: {}, deliver_at: at(1) } })
  const { body } = await t.call<Erased>('POST', '/v1/erasures', { body: { identity: identity.email } })
  assert.deepEqual([body.scheduled, body.events, body.done], [1, 0, true])
  const listed = await t.call<{ scheduled_events: unknown[] }>('GET', '/v1/scheduled-events')
  assert.equal(listed.body.scheduled_events.length, 1)
})

test('a schedule makes an event each time; what was missed makes one', async () => {
  await using t = await openTestHub({ roles: ['schedule'] })
  const event = { event_type: 'report.due', payload: { kind: 'daily' }, metadata: { team: 'a' } }
  const body = { cron: '30 9 * * *', time_zone: 'Europe/Berlin', event }
  const made = await t.call<Schedule>('PUT', '/v1/schedules/report', { body })
  assert.deepEqual([made.status, made.body.next_at, made.body.last_at], [201, at(8.5), null])
  assert.equal((await t.call('PUT', '/v1/schedules/report', { body })).status, 200)
  t.advance(9 * hourMs)
  const [first] = await take(t)
  assert.deepEqual(
    [first?.event_type, first?.payload, first?.metadata],
    ['report.due', { kind: 'daily' }, { team: 'a', schedule: 'report', due_at: at(8.5) }],
  )
  t.advance(72 * hourMs)
  assert.deepEqual(
    (await take(t)).map(({ metadata }) => metadata?.['due_at']),
    [at(32.5)],
  )
  const shown = await t.call<Schedule>('GET', '/v1/schedules/report')
  assert.deepEqual([shown.body.last_at, shown.body.next_at], [at(32.5), at(104.5)])
})

test('a paused schedule makes nothing, and goes on with the time that is to come', async () => {
  await using t = await openTestHub()
  const body = { cron: '0 * * * *', event: { event_type: 'tick', payload: {} } }
  await t.call('PUT', '/v1/schedules/hourly', { body })
  assert.equal((await t.call<Schedule>('POST', '/v1/schedules/hourly/pause')).body.status, 'paused')
  t.advance(10.5 * hourMs)
  const resumed = await t.call<Schedule>('POST', '/v1/schedules/hourly/resume')
  assert.deepEqual([resumed.body.status, resumed.body.next_at], ['active', at(11)])
  assert.equal((await t.call('DELETE', '/v1/schedules/hourly')).status, 204)
  assert.equal((await t.fail('GET', '/v1/schedules/hourly')).status, 404)
})

test('every fault of a schedule is named', async () => {
  await using t = await openTestHub()
  const event = { event_type: 'a', payload: {} }
  const faults = async (body: object, key = 'k') =>
    (await t.fail('PUT', `/v1/schedules/${key}`, { body })).errors?.map(({ pointer }) => pointer)
  assert.deepEqual(await faults({ cron: 'hourly', event }), ['/cron'])
  assert.deepEqual(await faults({ cron: '0 0 31 2 *', event }), ['/cron'], 'it never comes')
  assert.deepEqual(await faults({ cron: '61 * * * *', event }), ['/cron'])
  assert.deepEqual(await faults({ cron: '0 0 * * *', time_zone: 'Berlin', event }), ['/time_zone'])
  assert.deepEqual(await faults({ cron: 'x', event }, 'Not%20a%20key'), ['path.key', '/cron'])
  assert.deepEqual(await faults({ cron: '0 0 * * *', event: { event_type: 'sluice.x', payload: {} } }), [
    '/event/event_type',
  ])
  const key = await t.makeKey({ role: 'creator', allowed_event_types: ['order.*'] })
  const refused = await t.fail('PUT', '/v1/schedules/k', { body: { cron: '0 0 * * *', event }, key })
  assert.equal(refused.error_code, 'event-type-not-allowed')
})

test('a schedule publishes for as long as its key may, and says why it does not', async () => {
  await using t = await openTestHub({ roles: ['schedule'] })
  const made = await t.call<{ key_id: string; api_key: string }>('POST', '/v1/keys', { body: { user_id: 'ada' } })
  const { key_id: keyId, api_key: key } = made.body
  const body = { cron: '0 * * * *', event: { event_type: 'tick', payload: {} } }
  assert.equal((await t.call('PUT', '/v1/schedules/hourly', { key, body })).status, 201)
  t.advance(hourMs)
  assert.equal((await take(t)).length, 1)
  assert.equal((await t.call('DELETE', `/v1/keys/${keyId}`)).status, 204)
  // Another schedule shows that the time has been looked at.
  await t.call('PUT', '/v1/schedules/other', { body: { ...body, event: { event_type: 'other', payload: {} } } })
  t.advance(hourMs)
  assert.deepEqual(
    (await take(t)).map(({ event_type: type }) => type),
    ['other'],
  )
  const { body: shown } = await t.call<Schedule>('GET', '/v1/schedules/hourly')
  assert.deepEqual([shown.next_at, shown.last_error], [at(3), `key ${keyId} is revoked`])
})

test('with a quota no more events wait than it lets through in a day', async () => {
  await using t = await openTestHub()
  await t.call('PUT', '/v1/workspaces/small', { body: { quotas: { events_per_day: 5 } } })
  const key = await t.makeKey({ workspace: 'small', role: 'admin' })
  const events = (count: number) =>
    Array.from({ length: count }, () => ({ event_type: 'a', payload: {}, deliver_at: at(1) }))
  assert.equal((await t.call<BatchAccepted>('POST', '/v1/events/batch', { key, body: events(4) })).body.accepted, 4)
  assert.equal((await t.call<BatchAccepted>('POST', '/v1/events/batch', { key, body: events(2) })).body.accepted, 1)
  // What has been published is counted anew; what waits is not in the log.
  t.advance(2000)
  assert.equal((await t.fail('POST', '/v1/events/batch', { key, body: events(1) })).error_code, 'quota-exceeded')
  const listed = await t.call<{ scheduled_events: unknown[] }>('GET', '/v1/scheduled-events', { key })
  assert.equal(listed.body.scheduled_events.length, 5)
})
