import assert from 'node:assert/strict'
import { dayMs, runsMs, type CostSpan, type NewRun } from '../spending.ts'
import { assertSame, notFound, type ContractCases } from './stage.ts'

const run: NewRun = {
  atMs: 100 * dayMs + 5,
  ms: 7,
  integration: 'slack',
  action: 'post',
  connection: 'main',
  userId: 'ada',
  keyId: 'key1',
  door: 'http',
  type: 'action',
  microUsd: 1500,
}
const always: CostSpan = { fromDay: 0, toDay: 1_000_000, match: {} }
const all = { before: Number.MAX_SAFE_INTEGER, limit: 50, match: {} }

export const spendingCases: ContractCases = {
  'runs are kept with what they were, newest first, and found by what is asked for': async (stage) => {
    const { id } = stage
    const first = { ...run, atMs: stage.store.nowMs() }
    const others = [
      { ...first, type: 'error', microUsd: null },
      { ...first, connection: null, keyId: null, userId: 'bob', action: 'list' },
    ]
    for (const one of [first, ...others]) await stage.store.spending.noteRun(id, one)
    await stage.crash()
    const { spending } = stage.store
    const kept = await spending.listRuns(id, all)
    assertSame(
      kept.map((one) => ({ ...one, id: 0 })),
      [...others.toReversed(), first].map((one) => ({ ...one, id: 0 })),
    )
    const idsOf = async (page: Partial<typeof all>): Promise<number[]> =>
      (await spending.listRuns(id, { ...all, ...page })).map((one) => one.id)
    const [c = 0, b = 0, a = 0] = kept.map((one) => one.id)
    assert.deepEqual(await idsOf({ limit: 1 }), [c])
    assert.deepEqual(await idsOf({ before: c }), [b, a])
    const found: readonly (readonly [match: object, ids: number[]])[] = [
      [{ type: 'error' }, [b]],
      [{ userId: 'bob' }, [c]],
      [{ connection: 'main', action: 'post' }, [b, a]],
      [{ integration: 'github' }, []],
    ]
    for (const [match, ids] of found) assert.deepEqual(await idsOf({ match }), ids, JSON.stringify(match))
  },

  'runs of longer ago are let go, their costs stay': async ({ store, id, advance }) => {
    const now = (): NewRun => ({ ...run, atMs: store.nowMs() })
    await store.spending.noteRun(id, now())
    advance(runsMs + dayMs)
    await store.spending.noteRun(id, now())
    assert.equal((await store.spending.listRuns(id, all)).length, 1)
    assert.equal(await store.spending.sumCosts(id, always), 3000)
  },

  'costs are added up exactly, by each of the groups, page by page': async ({ store, id }) => {
    const { spending } = store
    const some: NewRun[] = [
      run,
      { ...run, microUsd: 1 },
      { ...run, microUsd: null },
      { ...run, atMs: run.atMs + dayMs, userId: 'bob', connection: null, action: 'list', microUsd: 2 ** 50 },
    ]
    for (const one of some) await spending.noteRun(id, one)
    const by = (groupBy: 'integration' | 'action' | 'connection' | 'user' | 'day', page = {}) =>
      spending.listCosts(id, { ...always, groupBy, after: null, limit: 50, ...page })
    assertSame(await by('integration'), [{ name: 'slack', runs: 4, unpriced: 1, microUsd: 2 ** 50 + 1501 }])
    const ada = { runs: 3, unpriced: 1, microUsd: 1501 }
    const bob = { runs: 1, unpriced: 0, microUsd: 2 ** 50 }
    assertSame(await by('action'), [
      { name: 'slack.list', ...bob },
      { name: 'slack.post', ...ada },
    ])
    assertSame(await by('connection'), [
      { name: '', ...bob },
      { name: 'main', ...ada },
    ])
    assertSame(await by('connection', { after: '' }), [{ name: 'main', ...ada }])
    assertSame(await by('user', { limit: 1 }), [{ name: 'ada', ...ada }])
    assertSame(await by('day', { fromDay: 101 }), [{ name: '101', ...bob }])
    assertSame(await by('day', { toDay: 100 }), [{ name: '100', ...ada }])
    assert.equal(await spending.sumCosts(id, { ...always, match: { action: 'post', userId: 'ada' } }), 1501)
    assert.equal(await spending.sumCosts(id, { ...always, match: { userId: 'nobody' } }), 0)
  },

  'runs that end at once are all counted': async ({ store, id }) => {
    await Promise.all(Array.from({ length: 40 }, () => store.spending.noteRun(id, run)))
    const [sum] = await store.spending.listCosts(id, { ...always, groupBy: 'user', after: null, limit: 50 })
    assertSame(sum, { name: 'ada', runs: 40, unpriced: 0, microUsd: 60_000 })
  },

  'budgets are kept, changed, listed and removed; a change forgets what was told': async (stage) => {
    const { id } = stage
    const { spending } = stage.store
    assert.equal(await spending.putBudget(id, { key: 'b', settings: '{}' }), true)
    assert.equal(await spending.putBudget(id, { key: 'a', settings: '{}' }), true)
    await spending.markTold(id, 'b', { kind: 'near', fromDay: 7 })
    await spending.markTold(id, 'b', { kind: 'exceeded', fromDay: 8 })
    await stage.crash()
    const after = stage.store.spending
    const told = await after.findBudget(id, 'b')
    assert.deepEqual([told?.nearFrom, told?.exceededFrom], [7, 8])
    stage.advance(1000)
    assert.equal(await after.putBudget(id, { key: 'b', settings: '{"limit":1}' }), false)
    const changed = await after.findBudget(id, 'b')
    assert.deepEqual([changed?.settings, changed?.nearFrom, changed?.exceededFrom], ['{"limit":1}', null, null])
    assert.deepEqual([changed?.createdMs, changed?.updatedMs], [told?.createdMs, (told?.updatedMs ?? 0) + 1000])
    const keys = async (page: { after: string; limit: number }): Promise<string[]> =>
      (await after.listBudgets(id, page)).map(({ key }) => key)
    assert.deepEqual(await keys({ after: '', limit: 1 }), ['a'])
    assert.deepEqual(await keys({ after: 'a', limit: 9 }), ['b'])
    assert.equal(await after.removeBudget(id, 'b'), true)
    assert.equal(await after.removeBudget(id, 'b'), false)
    assert.equal(await after.findBudget(id, 'b'), undefined)
  },

  'a workspace has its own, and takes them along when it is removed': async ({ store, id }) => {
    const { workspace } = await store.ensureWorkspace('spending-neighbour')
    const { spending } = store
    await spending.noteRun(workspace.id, run)
    await spending.putBudget(workspace.id, { key: 'a', settings: '{}' })
    assert.equal(await spending.sumCosts(id, always), 0)
    assert.deepEqual(await spending.listRuns(id, all), [])
    assert.equal(await spending.findBudget(id, 'a'), undefined)
    await store.deleteWorkspace('spending-neighbour')
    await assert.rejects(spending.noteRun(workspace.id, run), notFound)
    await assert.rejects(spending.putBudget(workspace.id, { key: 'a', settings: '{}' }), notFound)
    await store.ensureWorkspace('spending-neighbour')
  },
}
