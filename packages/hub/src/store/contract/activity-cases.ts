import assert from 'node:assert/strict'
import { hourMs, minuteMs, type ActivityEntry, type ActivityRow } from '../activity.ts'
import { assertSame, type ContractCases, type Stage } from './stage.ts'

const nothing = { published: 0, acknowledged: 0, failed: 0, dead: 0, waiting: null, leased: null, oldestMs: null }

const entry = ({ id, store }: Stage, change: Partial<ActivityEntry>): ActivityEntry => ({
  ...nothing,
  workspaceId: id,
  atMs: store.nowMs(),
  ...change,
})

const list = ({ store, id }: Stage, stepMs: number): Promise<ActivityRow[]> =>
  store.activity.list(id, { stepMs, fromMs: 0, toMs: Number.MAX_SAFE_INTEGER })

export const activityCases: ContractCases = {
  'what is added stands in its minute and in its hour, levels by the highest': async (stage) => {
    const { store } = stage
    await store.activity.add([])
    await store.activity.add([
      entry(stage, { published: 3, waiting: 5 }),
      entry(stage, { published: 2, acknowledged: 1 }),
    ])
    const first = store.nowMs()
    stage.advance(minuteMs)
    await store.activity.add([entry(stage, { failed: 2, dead: 1, waiting: 4, leased: 1, oldestMs: 9 })])
    await stage.crash()
    const minutes = await list(stage, minuteMs)
    assertSame(minutes, [
      { ...nothing, atMs: Math.floor(first / minuteMs) * minuteMs, published: 5, acknowledged: 1, waiting: 5 },
      {
        ...nothing,
        atMs: Math.floor(stage.store.nowMs() / minuteMs) * minuteMs,
        failed: 2,
        dead: 1,
        waiting: 4,
        leased: 1,
        oldestMs: 9,
      },
    ])
    const total = (rows: readonly ActivityRow[]): number => rows.reduce((sum, { published }) => sum + published, 0)
    const hours = await list(stage, hourMs)
    assert.equal(total(hours), 5)
    assert.equal(Math.max(...hours.map(({ waiting }) => waiting ?? 0)), 5)
    const { atMs = 0 } = minutes[1] ?? {}
    assert.equal(
      (await stage.store.activity.list(stage.id, { stepMs: minuteMs, fromMs: atMs, toMs: atMs + 1 })).length,
      1,
    )
    assert.equal((await stage.store.activity.list(stage.id, { stepMs: minuteMs, fromMs: 0, toMs: atMs })).length, 1)
  },

  'minutes are kept for two days, hours for a month': async (stage) => {
    const days = [0, 1, 1, 1, 27, 2]
    for (const day of days) {
      stage.advance(day * 24 * hourMs)
      await stage.store.activity.add([entry(stage, { published: 1 })])
    }
    assert.equal((await list(stage, minuteMs)).length, 2)
    assert.equal((await list(stage, hourMs)).length, 4)
  },

  'the busiest are named first, and nothing is added to workspaces that are gone': async (stage) => {
    const { store, id } = stage
    const { workspace } = await store.ensureWorkspace('activity-neighbour')
    const busy = async (): Promise<number[]> =>
      (await store.activity.listBusy(store.nowMs() - 24 * hourMs, 1000)).filter(
        (one) => one === id || one === workspace.id,
      )
    await store.activity.add([
      entry(stage, { published: 1 }),
      entry(stage, { workspaceId: workspace.id, acknowledged: 2 }),
      entry(stage, { waiting: 99 }),
    ])
    assert.deepEqual(await busy(), [workspace.id, id])
    assert.equal((await store.activity.listBusy(0, 1)).length, 1)
    await store.deleteWorkspace('activity-neighbour')
    await store.activity.add([entry(stage, { workspaceId: workspace.id, acknowledged: 2 })])
    // What was there may go a little later.
    const left = await store.activity.list(workspace.id, { stepMs: minuteMs, fromMs: 0, toMs: Number.MAX_SAFE_INTEGER })
    assert.ok(left.every(({ acknowledged }) => acknowledged === 2))
    stage.advance(26 * hourMs)
    assert.deepEqual(await busy(), [])
  },

  'failed hand-outs are counted from where one has looked': async (stage) => {
    const { store, id } = stage
    const { lastId } = await store.activity.countFailures(undefined)
    await stage.makeInbox({ max_attempts: 2 })
    await stage.publish('a', 'b')
    await stage.take('l1')
    await stage.release('l1')
    const ofThis = async (after: number) => {
      const counted = await store.activity.countFailures(after)
      return { ...counted, failures: counted.failures.filter(({ workspaceId }) => workspaceId === id) }
    }
    const first = await ofThis(lastId)
    assertSame(first.failures, [{ workspaceId: id, failed: 2, dead: 0 }])
    await stage.take('l2')
    await stage.release('l2')
    assertSame((await ofThis(first.lastId)).failures, [{ workspaceId: id, failed: 2, dead: 2 }])
  },
}
