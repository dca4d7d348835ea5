import assert from 'node:assert/strict'
import { deletedOf, fill, laterAt, orders, rowsOf, syncedAt, using, type Cases } from './destination-contract.ts'
import type { Batch, Sweep, Table } from './destination.ts'

const empty: Omit<Batch, 'table' | 'upserts'> = { syncedAt: laterAt, updates: [], deletes: [] }
const three = [
  [1, 'a', 1.5],
  [2, 'b', 2.5],
  [3, 'a', 3.5],
]
const names = [{ name: 'name', type: 'STRING' }] as const
const sweeps: Readonly<Record<string, { readonly sweep: Partial<Sweep>; readonly marked: string[] }>> = {
  everything: { sweep: {}, marked: ['1', '2', '3'] },
  'what is older': { sweep: { syncedBefore: laterAt }, marked: ['1', '2'] },
  'some values': { sweep: { where: { columns: names, rows: [['a'], [null]] } }, marked: ['1', '3'] },
  'what is older, when something was read': {
    sweep: { syncedBefore: laterAt, maxShare: 0.999_999 },
    marked: ['1', '2'],
  },
}

const toSweepCase =
  ({ sweep, marked }: (typeof sweeps)[string]): Cases[string] =>
  async (place) => {
    await fill(place, orders, three)
    await using(place, async (destination) => {
      await destination.write({ ...empty, table: orders, upserts: [[3, 'a', 4.5]] })
      const { isStopped } = await destination.sweep({ table: orders, syncedAt: laterAt, ...sweep })
      assert.equal(isStopped, false)
      await destination.commit('{}')
    })
    assert.deepEqual(await deletedOf(place, orders), marked)
  }

/** The section `delete` of destinations that keep records, and cannot count what a change deletes. */
export const recordDeleteCases: Cases = {
  'a row is marked and lives again when it is put again': async (place) => {
    await fill(place, orders, three)
    await using(place, async (destination) => {
      await destination.write({ ...empty, table: orders, upserts: [], deletes: [[2], [9], [1]] })
      await destination.commit('{}')
    })
    assert.deepEqual(await deletedOf(place, orders), ['1', '2'])
    await using(place, async (destination) => {
      await destination.write({ ...empty, table: orders, upserts: [[2, 'again', 0]] })
      await destination.commit('{}')
    })
    assert.deepEqual(await deletedOf(place, orders), ['1'])
  },

  ...Object.fromEntries(Object.entries(sweeps).map(([what, sweep]) => [`a sweep of ${what}`, toSweepCase(sweep)])),

  'a refresh that has put nothing leaves what there was': async (place) => {
    await fill(place, orders, three)
    await using(place, async (destination) => {
      const sweep = { table: orders, syncedAt: laterAt, syncedBefore: laterAt, maxShare: 0.999_999 }
      assert.deepEqual(await destination.sweep(sweep), { deleted: 3, live: 3, isStopped: true })
      await destination.commit('{}')
    })
    assert.deepEqual(await deletedOf(place, orders), [])
  },

  'a share cannot be guarded, and nobody believes that it is': async (place) => {
    await fill(place, orders, three)
    await using(place, async (destination) => {
      await assert.rejects(destination.sweep({ table: orders, syncedAt: laterAt, maxShare: 0.5 }), {
        kind: 'configuration',
        message: /^table orders has max_delete_share, and .* cannot count/,
      })
    })
  },
}

export const historyCases: Cases = {
  'each version of a row stays, with its time': async (place) => {
    await fill(place, orders, [[1, 'a', 1.5]])
    await using(place, async (destination) => {
      await destination.write({ ...empty, table: orders, upserts: [[1, 'b', 1.5]] })
      await destination.write({ ...empty, table: orders, upserts: [], deletes: [[1]] })
      await destination.commit('{}')
    })
    const records = (await place.readRecords?.('orders')) ?? []
    assert.deepEqual(
      records.map(({ change, syncedAt: at, members }) => [change, at, members['name']]),
      [
        ['upsert', syncedAt, 'a'],
        ['upsert', laterAt, 'b'],
        ['delete', laterAt, undefined],
      ],
    )
  },

  'records have the columns of their time': async (place) => {
    await fill(place, orders, [[1, 'a', 1]])
    const columns = [...orders.columns.slice(0, 2), { name: 'total', type: 'STRING' as const }, ...more]
    const table: Table = { ...orders, columns }
    await using(place, async (destination) => {
      await destination.write({ ...empty, table, upserts: [[2, 'b', 'much', true]] })
      await destination.commit('{}')
      assert.deepEqual(await destination.readColumns('orders'), columns)
    })
    assert.deepEqual(await rowsOf(place, table), [
      ['1', 'a', '1', null],
      ['2', 'b', 'much', 'true'],
    ])
    const records = (await place.readRecords?.('orders')) ?? []
    assert.deepEqual(
      records.map(({ members }) => members['total']),
      [1, 'much'],
    )
  },
}

const more = [{ name: 'more', type: 'BOOLEAN' }] as const
