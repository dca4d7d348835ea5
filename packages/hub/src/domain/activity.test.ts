import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Activity, Lease } from '@sluice/protocol'
import { openTestHub, type TestHub } from '../test-hub.ts'
import { createLook } from './activity.ts'

const show = async (t: TestHub, range: string): Promise<Activity> =>
  (await t.call<Activity>('GET', `/v1/activity?range=${range}`)).body

const noLevels = { waiting: null, leased: null, oldest_age_seconds: null }

test('what was published, acknowledged and failed is in the chart, with what waits', async () => {
  await using t = await openTestHub()
  const look = createLook(t.hub.store)
  await t.call('PUT', '/v1/inboxes/crm', { body: { start: 'earliest', max_attempts: 1 } })
  await look()
  const events = [1, 2, 3, 4].map((n) => ({ event_type: 'a', payload: { n } }))
  await t.call('POST', '/v1/events/batch', { body: events })
  const { body } = await t.call<Lease>('POST', '/v1/inboxes/crm/lease', { body: { limit: 3 } })
  const [first, second] = body.events.map((event) => event.event_id)
  await t.call('POST', '/v1/inboxes/crm/ack', { body: { lease_id: body.lease_id, event_ids: [first] } })
  await t.call('POST', '/v1/inboxes/crm/release', { body: { lease_id: body.lease_id, event_ids: [second] } })
  const at = '2026-01-01T00:00:00.000Z'
  const counted = { at, published: 4, acknowledged: 1, failed: 0, dead: 0 }
  assert.deepEqual((await show(t, 'hour')).points, [{ ...counted, ...noLevels }])
  t.advance(5000)
  await look()
  const levels = { waiting: 5, leased: 1, oldest_age_seconds: 5 }
  assert.deepEqual((await show(t, 'hour')).points, [{ ...counted, failed: 1, dead: 1, ...levels }])
})

test('ranges have their own steps, a step without anything has no point, and nobody sees the activity of others', async () => {
  await using t = await openTestHub()
  await t.call('PUT', '/v1/workspaces/other')
  const other = await t.makeKey({ workspace: 'other', role: 'viewer' })
  for (const minutes of [0, 1, 29, 300]) {
    t.advance(minutes * 60_000)
    await t.call('POST', '/v1/events', { body: { event_type: 'a', payload: { minutes } } })
    await show(t, 'hour')
  }
  const steps = { hour: [60, 1], day: [600, 3], month: [21_600, 1] } as const
  for (const [range, [seconds, points]] of Object.entries(steps)) {
    const shown = await show(t, range)
    assert.deepEqual([shown.step_seconds, shown.points.length], [seconds, points], range)
  }
  const { body } = await t.call<Activity>('GET', '/v1/activity', { key: other })
  assert.deepEqual(body.points, [])
  assert.equal((await t.fail('GET', '/v1/activity?range=year')).status, 400)
})
