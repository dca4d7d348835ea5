import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { NewSchedule, ScheduledDraft, ScheduledOutcome } from '../scheduled.ts'
import { assertSame, notFound, repeated, toDraft, type ContractCases, type EventSpec, type Stage } from './stage.ts'

const minuteMs = 60_000

const toWaiting = ({ store }: Stage, inMs: number, spec: EventSpec = {}): ScheduledDraft => ({
  ...toDraft(spec),
  id: randomUUID(),
  dueMs: store.nowMs() + inMs,
})

/** Of this workspace: others share the store. */
async function claimDue({ store, id }: Stage, forMs = minuteMs): Promise<string[]> {
  const due = await store.scheduled.claimDue(1000, forMs)
  return due.filter(({ workspaceId }) => workspaceId === id).map((event) => event.id)
}

const statusesOf = (outcomes: readonly ScheduledOutcome[]): string[] => outcomes.map(({ status }) => status)
const start = { after: { dueMs: 0, place: 0 }, limit: 10 }

export const scheduledEventCases: ContractCases = {
  'events wait until they are due, and come in that order': async (stage) => {
    const { id } = stage
    const [late, early, same] = [toWaiting(stage, 9000), toWaiting(stage, 1000), toWaiting(stage, 1000)]
    assert.deepEqual(statusesOf(await stage.store.scheduled.add(id, [late, early, same])), ['added', 'added', 'added'])
    assert.deepEqual(await claimDue(stage), [])
    await stage.crash()
    stage.advance(1000)
    assert.deepEqual(await claimDue(stage), [early.id, same.id])
    assert.deepEqual(await claimDue(stage), [], 'they are claimed')
    stage.advance(8000)
    assert.deepEqual(await claimDue(stage), [late.id])
    assert.equal(await stage.store.scheduled.remove(id, [early.id, same.id, late.id, randomUUID()]), 3)
    stage.advance(10 * minuteMs)
    assert.deepEqual(await claimDue(stage), [])
  },

  'a claim that came to nothing is free again': async (stage) => {
    const waiting = toWaiting(stage, 0)
    await stage.store.scheduled.add(stage.id, [waiting])
    assert.deepEqual(await claimDue(stage, 1000), [waiting.id])
    stage.advance(1000)
    assert.deepEqual(await claimDue(stage, 1000), [waiting.id])
    const kept = await stage.store.scheduled.find(stage.id, waiting.id)
    assertSame([kept?.body, kept?.dedup, kept?.dueMs], [waiting.body, waiting.dedup, waiting.dueMs])
  },

  'one that waits already is not kept twice': async (stage) => {
    const { store, id } = stage
    const [first, second] = [toWaiting(stage, 1000, repeated), toWaiting(stage, 1000, repeated)]
    const other = toWaiting(stage, 1000, { dedup: [{ key: 'k', fingerprint: 'another' }] })
    const outcomes = await store.scheduled.add(id, [first, second, other, toWaiting(stage, 1000)])
    assert.deepEqual(statusesOf(outcomes), ['added', 'repeated', 'mismatch', 'added'])
    assert.equal(outcomes[1]?.status === 'repeated' && outcomes[1].id, first.id)
    const [kept, none, clash] = await store.scheduled.findKept(id, [second, toDraft(), other])
    assertSame(
      [kept, none, clash],
      [
        { status: 'repeated', id: first.id, atMs: store.nowMs(), dueMs: first.dueMs },
        undefined,
        { status: 'mismatch' },
      ],
    )
    assertSame([await store.scheduled.count(id, 9), await store.scheduled.count(id, 1)], [2, 1])
    await store.scheduled.remove(id, [first.id])
    assert.deepEqual(statusesOf(await store.scheduled.add(id, [second])), ['added'])
  },

  'they are listed in the order in which they are due': async (stage) => {
    const { store, id } = stage
    const drafts = [5, 1, 3, 1].map((seconds) => toWaiting(stage, seconds * 1000))
    await store.scheduled.add(id, drafts)
    const expected = [1, 3, 2, 0].map((at) => drafts[at]?.id)
    const page = await store.scheduled.list(id, { ...start, limit: 2 })
    const last = page.at(-1) ?? assert.fail('nothing is listed')
    const rest = await store.scheduled.list(id, { after: { dueMs: last.dueMs, place: last.place }, limit: 9 })
    assert.deepEqual(
      [...page, ...rest].map((row) => row.id),
      expected,
    )
    const { workspace } = await store.ensureWorkspace(`beside-${id}`)
    assert.deepEqual(await store.scheduled.list(workspace.id, start), [])
    assert.equal(await store.scheduled.find(workspace.id, expected[0] ?? ''), undefined)
    assert.equal(await store.scheduled.cancel(workspace.id, expected[0] ?? ''), 'unknown')
  },

  'one is cancelled before it is claimed, and not after': async (stage) => {
    const { store, id } = stage
    const [one, two] = [toWaiting(stage, 1000, repeated), toWaiting(stage, 1000)]
    await store.scheduled.add(id, [one, two])
    assert.equal(await store.scheduled.cancel(id, one.id), 'cancelled')
    assert.equal(await store.scheduled.cancel(id, one.id), 'unknown')
    assert.deepEqual(statusesOf(await store.scheduled.add(id, [one])), ['added'])
    stage.advance(1000)
    assert.deepEqual(await claimDue(stage), [two.id, one.id])
    assert.equal(await store.scheduled.cancel(id, two.id), 'claimed')
    stage.advance(minuteMs)
    assert.equal(await store.scheduled.cancel(id, two.id), 'cancelled', 'nobody has it any more')
  },

  'a removed workspace has none': async (stage) => {
    const { workspace } = await stage.store.ensureWorkspace(`gone-${stage.id}`)
    const other: Stage = { ...stage, store: stage.store, id: workspace.id }
    await stage.store.scheduled.add(workspace.id, [toWaiting(stage, 0)])
    await stage.store.schedules.put(workspace.id, { key: 'a', id: 's', settings: '{}', nextMs: 0 })
    await stage.store.deleteWorkspace(workspace.key)
    assert.deepEqual(await claimDue(other), [])
    assert.equal((await stage.store.schedules.listDue(1000)).filter((due) => due.id === 's').length, 0)
    await assert.rejects(stage.store.scheduled.add(workspace.id, [toWaiting(stage, 0)]), notFound)
  },
}

const newSchedule = ({ store }: Stage, change: Partial<NewSchedule> = {}): NewSchedule => ({
  key: 'nightly',
  id: randomUUID(),
  settings: '{}',
  nextMs: store.nowMs() + minuteMs,
  ...change,
})

export const scheduleCases: ContractCases = {
  'a schedule is due when its time has come, until it is moved on': async (stage) => {
    const { id } = stage
    const schedule = newSchedule(stage)
    const dueNow = async () => (await stage.store.schedules.listDue(1000)).filter((due) => due.id === schedule.id)
    assert.equal(await stage.store.schedules.put(id, schedule), true)
    assert.deepEqual(await dueNow(), [])
    stage.advance(minuteMs)
    await stage.crash()
    const [due] = await dueNow()
    assert.ok(due)
    assert.equal(due.workspaceId, id)
    const nextMs = stage.store.nowMs() + minuteMs
    await stage.store.schedules.advance(due, { nextMs, error: 'refused' })
    await stage.store.schedules.advance(due, { nextMs: nextMs + minuteMs, error: null })
    const kept = await stage.store.schedules.find(id, 'nightly')
    assertSame(
      [kept?.lastMs, kept?.nextMs, kept?.lastError],
      [due.nextMs, nextMs, 'refused'],
      'the second node comes too late',
    )
    assert.deepEqual(await dueNow(), [])
  },

  'a change keeps the status, and who runs the old one moves nothing': async (stage) => {
    const { store, id } = stage
    await store.schedules.put(id, newSchedule(stage, { nextMs: store.nowMs() }))
    const old = (await store.schedules.listDue(1000)).find((due) => due.workspaceId === id)
    assert.ok(old)
    await store.schedules.setStatus(id, 'nightly', { status: 'paused', nextMs: old.nextMs })
    const changed = newSchedule(stage, { settings: '{"n":1}' })
    assert.equal(await store.schedules.put(id, changed), false)
    await store.schedules.advance(old, { nextMs: 0, error: null })
    const kept = await store.schedules.find(id, 'nightly')
    assertSame([kept?.status, kept?.settings, kept?.nextMs, kept?.lastMs], ['paused', '{"n":1}', changed.nextMs, null])
    stage.advance(minuteMs)
    assert.equal((await store.schedules.listDue(1000)).filter((due) => due.workspaceId === id).length, 0)
    await store.schedules.put(id, newSchedule(stage, { key: 'other' }))
    const keys = (await store.schedules.list(id, { after: '', limit: 9 })).map(({ key }) => key)
    assert.deepEqual(keys, ['nightly', 'other'])
    assert.equal(await store.schedules.remove(id, 'nightly'), true)
    assert.equal(await store.schedules.remove(id, 'nightly'), false)
    await assert.rejects(store.schedules.put(987_654, newSchedule(stage)), notFound)
  },
}
