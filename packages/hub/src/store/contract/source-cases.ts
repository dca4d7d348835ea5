import assert from 'node:assert/strict'
import { failuresKept, outcomesMs, type NewSource, type SourceNotes } from '../sources.ts'
import { assertSame, notFound, type ContractCases } from './stage.ts'

const github: NewSource = { key: 'github', id: 's1', settings: '{"scheme":"github"}', secrets: '[]' }
const hourMs = 3_600_000

export const sourceCases: ContractCases = {
  'sources are made once, found, changed by whoever has read them, and removed': async (stage) => {
    const { id } = stage
    assert.equal(await stage.store.sources.create(id, github), true)
    assert.equal(await stage.store.sources.create(id, { ...github, id: 's2', settings: '{}' }), false)
    await stage.crash()
    const { sources } = stage.store
    const kept = (await sources.find(id, 'github')) ?? assert.fail('it is not there')
    assertSame(kept, { ...github, revision: 1, createdMs: kept.createdMs, updatedMs: kept.createdMs })
    stage.advance(1000)
    const changed = await sources.update(id, { ...kept, settings: '{"a":1}', secrets: '[1]' })
    assertSame(changed, { ...kept, settings: '{"a":1}', secrets: '[1]', revision: 2, updatedMs: kept.createdMs + 1000 })
    assert.equal(await sources.update(id, { ...kept, settings: '{}' }), undefined, 'somebody was faster')
    assertSame(await sources.find(id, 'github'), changed)
    assert.equal(await sources.remove(id, 'github'), true)
    assert.equal(await sources.remove(id, 'github'), false)
    assert.equal(await sources.find(id, 'github'), undefined)
    await sources.create(id, { ...github, id: 's9' })
    assert.equal(await sources.update(id, { ...kept, settings: '{}' }), undefined, 'it is another one')
  },

  'sources are listed by key, each workspace its own, and go with it': async ({ store, id }) => {
    const { sources } = store
    for (const key of ['b', 'a', 'c']) await sources.create(id, { ...github, key, id: key })
    const keys = async (after: string, limit: number): Promise<string[]> =>
      (await sources.list(id, { after, limit })).map(({ key }) => key)
    assert.deepEqual(await keys('', 2), ['a', 'b'])
    assert.deepEqual(await keys('b', 9), ['c'])
    const { workspace } = await store.ensureWorkspace('source-neighbour')
    await sources.create(workspace.id, github)
    assert.equal(await sources.find(id, 'github'), undefined)
    await store.deleteWorkspace('source-neighbour')
    await assert.rejects(sources.create(workspace.id, github), notFound)
  },

  'what became of requests is counted by hour, for a week, and goes with the source': async (stage) => {
    const { store, id } = stage
    const { sources } = store
    await sources.create(id, github)
    const first = Math.floor(store.nowMs() / hourMs) * hourMs
    const count = (outcome: 'accepted' | 'mismatch', at: number, n: number): SourceNotes['counts'][number] => ({
      id: 's1',
      hourMs: at,
      outcome,
      count: n,
    })
    const gone = { ...count('accepted', first, 9), id: 'gone' }
    await sources.note(id, { counts: [count('accepted', first, 2), count('mismatch', first, 1), gone], failures: [] })
    await sources.note(id, {
      counts: [count('accepted', first, 3), count('accepted', first + hourMs, 1)],
      failures: [],
    })
    const hours = async (sinceMs: number): Promise<unknown[]> =>
      (await sources.readReport(id, 's1', sinceMs)).hours.map((hour) => [
        (hour.hourMs - first) / hourMs,
        hour.outcome,
        hour.count,
      ])
    assert.deepEqual(await hours(first), [
      [1, 'accepted', 1],
      [0, 'accepted', 5],
      [0, 'mismatch', 1],
    ])
    assert.deepEqual(await hours(first + 1), [[1, 'accepted', 1]])
    assert.deepEqual((await sources.readReport(id, 'gone', 0)).hours, [])
    stage.advance(outcomesMs + hourMs)
    await sources.note(id, { counts: [count('accepted', store.nowMs(), 1)], failures: [] })
    assert.equal((await hours(0)).length, 1)
    await sources.remove(id, 'github')
    assert.deepEqual(await hours(0), [])
  },

  'the last failures are kept, and no more of them': async ({ store, id }) => {
    const { sources } = store
    await sources.create(id, github)
    const failure = (n: number): SourceNotes['failures'][number] => ({
      id: 's1',
      atMs: n,
      outcome: 'mismatch',
      cause: n % 2 === 0 ? 'clock' : null,
      reason: `number ${n}`,
    })
    const all = Array.from({ length: failuresKept + 5 }, (_, n) => failure(n))
    await sources.note(id, { counts: [], failures: [...all.slice(0, 30), { ...failure(0), id: 'gone' }] })
    await sources.note(id, { counts: [], failures: all.slice(30) })
    const { failures } = await sources.readReport(id, 's1', 0)
    const { id: _, ...newest } = failure(failuresKept + 4)
    assertSame(failures[0], newest)
    assert.deepEqual(
      failures.map(({ atMs }) => atMs),
      all
        .slice(5)
        .map(({ atMs }) => atMs)
        .toReversed(),
    )
  },
}
