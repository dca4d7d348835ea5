import assert from 'node:assert/strict'
import type { ClaimedTrigger, NewTrigger, PollEnd } from '../triggers.ts'
import { assertSame, notFound, type ContractCases, type Stage } from './stage.ts'

const minuteMs = 60_000
const weekMs = 7 * 86_400_000

function newTrigger({ store }: Stage, change: Partial<NewTrigger> = {}): NewTrigger {
  return { key: 'issues', id: 't1', settings: '{}', nextPollMs: store.nowMs(), ...change }
}

function ended({ store }: Stage, change: Partial<PollEnd> = {}): PollEnd {
  const startedMs = store.nowMs()
  return { startedMs, ms: 5, found: 0, published: 0, error: null, nextPollMs: startedMs + minuteMs, ...change }
}

const good = (seen: readonly string[] = [], state: string | null = null) => ({ good: { seen, state } })

async function claimOne(stage: Stage): Promise<ClaimedTrigger> {
  const claimed = await stage.store.triggers.claim(stage.id, 'issues', minuteMs)
  return claimed ?? assert.fail('it is claimed already')
}

/** Of this workspace: others share the store. */
async function claimDue(stage: Stage): Promise<string[]> {
  const claimed = await stage.store.triggers.claimDue(100, minuteMs)
  return claimed.filter(({ workspaceId }) => workspaceId === stage.id).map(({ key }) => key)
}

export const triggerCases: ContractCases = {
  'a trigger is made, polled when its time has come, and then not before the next': async (stage) => {
    const { id } = stage
    assert.equal(
      await stage.store.triggers.put(id, newTrigger(stage, { nextPollMs: stage.store.nowMs() + minuteMs })),
      true,
    )
    assert.deepEqual(await claimDue(stage), [])
    stage.advance(minuteMs)
    assert.deepEqual(await claimDue(stage), ['issues'])
    assert.deepEqual(await claimDue(stage), [], 'it is claimed')
    stage.advance(minuteMs)
    const claimed = await claimOne(stage)
    assert.equal(
      await stage.store.triggers.finish(claimed, ended(stage, { found: 2, published: 1, ...good(['a'], '{"n":1}') })),
      true,
    )
    await stage.crash()
    const kept = await stage.store.triggers.find(id, 'issues')
    assertSame([kept?.primed, kept?.state, kept?.failures, kept?.lastError], [true, '{"n":1}', 0, null])
    assert.equal(kept?.lastPollMs, stage.store.nowMs())
    assert.deepEqual(await claimDue(stage), [])
    const [poll] = await stage.store.triggers.listPolls(id, 'issues', { before: Number.MAX_SAFE_INTEGER, limit: 9 })
    assertSame([poll?.outcome, poll?.found, poll?.published], ['good', 2, 1])
  },

  'what was seen is seen until the memory is lost, for this trigger alone': async (stage) => {
    const { store, id } = stage
    await store.triggers.put(id, newTrigger(stage))
    const claimed = await claimOne(stage)
    await store.triggers.finish(claimed, ended(stage, good(['a', 'b'])))
    const seen = await store.triggers.findSeen(claimed, ['a', 'b', 'c'])
    assert.deepEqual(seen.toSorted(), ['a', 'b'])
    assert.deepEqual(await store.triggers.findSeen({ ...claimed, id: 't2' }, ['a']), [])
    for (let week = 0; week < 9; week += 1) {
      stage.advance(weekMs)
      await store.triggers.finish(await claimOne(stage), ended(stage, good(['a'])))
    }
    assert.deepEqual(await store.triggers.findSeen(claimed, ['a', 'b']), ['a'])
    assert.equal(
      (await store.triggers.listPolls(id, 'issues', { before: Number.MAX_SAFE_INTEGER, limit: 99 })).length,
      2,
    )
  },

  'a failed poll keeps state and memory, and counts': async (stage) => {
    const { store, id } = stage
    await store.triggers.put(id, newTrigger(stage))
    await store.triggers.finish(await claimOne(stage), ended(stage, good(['a'], '1')))
    for (const error of ['no', 'no again'])
      assert.equal(await store.triggers.finish(await claimOne(stage), ended(stage, { error })), true)
    const failed = await store.triggers.find(id, 'issues')
    assertSame([failed?.failures, failed?.lastError, failed?.state, failed?.primed], [2, 'no again', '1', true])
    await store.triggers.finish(await claimOne(stage), ended(stage, good([], '2')))
    const mended = await store.triggers.find(id, 'issues')
    assertSame([mended?.failures, mended?.lastError, mended?.state], [0, null, '2'])
  },

  'a poll that took too long, or whose trigger was changed, counts no more': async (stage) => {
    const { store, id } = stage
    await store.triggers.put(id, newTrigger(stage))
    const slow = await claimOne(stage)
    stage.advance(minuteMs + 1)
    const quick = await claimOne(stage)
    assert.equal(await store.triggers.finish(slow, ended(stage, good(['late'], '"late"'))), false)
    assert.equal(await store.triggers.finish(quick, ended(stage, good(['quick'], '"quick"'))), true)
    assert.equal(await store.triggers.finish(quick, ended(stage, good(['twice']))), false)
    const before = await claimOne(stage)
    await store.triggers.put(id, newTrigger(stage, { settings: '{"a":1}' }))
    assert.equal(await store.triggers.finish(before, ended(stage, good(['before']))), false)
    assert.deepEqual(await store.triggers.findSeen(quick, ['late', 'quick', 'twice', 'before']), ['quick'])
    const kept = await store.triggers.find(id, 'issues')
    assertSame([kept?.state, kept?.primed, kept?.generation], ['"quick"', true, 2])
    const polls = await store.triggers.listPolls(id, 'issues', { before: Number.MAX_SAFE_INTEGER, limit: 9 })
    assert.deepEqual(
      polls.map(({ outcome }) => outcome),
      ['superseded', 'superseded', 'good', 'superseded'],
    )
  },

  'one that asks for something else begins anew': async (stage) => {
    const { store, id } = stage
    await store.triggers.put(id, newTrigger(stage))
    const claimed = await claimOne(stage)
    await store.triggers.finish(claimed, ended(stage, good(['a'], '1')))
    assert.equal(await store.triggers.put(id, newTrigger(stage, { id: 't2' })), false)
    const anew = await store.triggers.find(id, 'issues')
    assertSame([anew?.state, anew?.primed, anew?.lastPollMs], [null, false, null])
    assert.deepEqual(await store.triggers.findSeen({ ...claimed, id: 't2' }, ['a']), [])
    assert.deepEqual(await store.triggers.findSeen(claimed, ['a']), [])
  },

  'a paused trigger is not due; one that is gone is gone with its memory': async (stage) => {
    const { store, id } = stage
    await store.triggers.put(id, newTrigger(stage))
    await store.triggers.setStatus(id, 'issues', 'paused')
    assert.deepEqual(await claimDue(stage), [])
    await store.triggers.setStatus(id, 'issues', 'active')
    assert.deepEqual(await claimDue(stage), ['issues'])
    assert.equal(await store.triggers.remove(id, 'issues'), true)
    assert.equal(await store.triggers.remove(id, 'issues'), false)
    assert.equal(await store.triggers.find(id, 'issues'), undefined)
  },

  'triggers are listed by key, each workspace its own': async (stage) => {
    const { store, id } = stage
    for (const key of ['b', 'a', 'c']) await store.triggers.put(id, newTrigger(stage, { key, id: `t-${key}` }))
    const keys = async (after: string): Promise<string[]> =>
      (await store.triggers.list(id, { after, limit: 2 })).map(({ key }) => key)
    assert.deepEqual([await keys(''), await keys('b')], [['a', 'b'], ['c']])
    const { workspace } = await store.ensureWorkspace('trigger-neighbour')
    await store.triggers.put(workspace.id, newTrigger(stage, { key: 'a' }))
    assert.equal((await store.triggers.list(workspace.id, { after: '', limit: 9 })).length, 1)
    await store.deleteWorkspace('trigger-neighbour')
    await assert.rejects(store.triggers.put(workspace.id, newTrigger(stage)), notFound)
  },
}
