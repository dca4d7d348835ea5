import assert from 'node:assert/strict'
import type { ColumnType } from './column-type.ts'
import {
  contractSystem,
  deletedOf,
  fill,
  laterAt,
  orders,
  rowsOf,
  syncedAt,
  using,
  type Cases,
} from './destination-contract.ts'
import type { Batch, Row, Sweep, Swept, Table } from './destination.ts'

const empty: Omit<Batch, 'table' | 'upserts'> = { syncedAt: laterAt, updates: [], deletes: [] }

export const mergeCases: Cases = {
  'an upsert replaces the whole row of its key': async (place) => {
    await fill(place, orders, [
      [1, 'a', 1.5],
      [2, 'b', 2.5],
    ])
    await using(place, async (destination) => {
      await destination.write({ ...empty, table: orders, upserts: [[2, 'B'], [3]] })
      await destination.commit('{}')
      assert.equal(await destination.countRows('orders'), 3)
    })
    assert.deepEqual(await rowsOf(place, orders), [
      ['1', 'a', '1.5'],
      ['2', 'B', null],
      ['3', null, null],
    ])
  },

  'columns that the batch does not name become null, too': async (place) => {
    await fill(place, orders, [[1, 'a', 1.5]])
    const part: Table = { ...orders, columns: orders.columns.slice(0, 2) }
    await using(place, async (destination) => {
      await destination.write({ ...empty, table: part, upserts: [[1, 'A']] })
      await destination.commit('{}')
    })
    assert.deepEqual(await rowsOf(place, orders), [['1', 'A', null]])
  },

  'null in a key is a value like any other': async (place) => {
    const table: Table = {
      name: 'participants',
      key: ['uid', 'email'],
      columns: [
        { name: 'uid', type: 'STRING' },
        { name: 'email', type: 'STRING' },
        { name: 'status', type: 'STRING' },
      ],
    }
    await fill(place, table, [
      ['1', null, 'old'],
      ['2', 'b@example.com', 'old'],
      [null, null, 'old'],
    ])
    await using(place, async (destination) => {
      const upserts = [
        ['1', null, 'new'],
        ['1', '', 'empty is not null'],
        [null, null, 'new'],
      ]
      await destination.write({ ...empty, table, upserts })
      await destination.commit('{}')
    })
    const rows = await rowsOf(place, table)
    assert.equal(rows.length, 4)
    assert.deepEqual(
      rows.map(([, , status]) => String(status)).toSorted((left, right) => left.localeCompare(right)),
      ['empty is not null', 'new', 'new', 'old'],
    )
  },

  'many rows in one batch, twice': async (place) => {
    const toRows = (mark: string): Row[] => Array.from({ length: 5000 }, (_, index) => [index, mark, index / 2])
    await fill(place, orders, toRows('a'))
    await using(place, async (destination) => {
      await destination.write({ ...empty, table: orders, upserts: toRows('b') })
      await destination.commit('{}')
      assert.equal(await destination.countRows('orders'), 5000)
    })
    const rows = await rowsOf(place, orders)
    assert.ok(rows.every(([, mark]) => mark === 'b'))
  },
}

export const transactionCases: Cases = {
  'what was not committed is gone, tables and all': async (place) => {
    await fill(place, orders, [[1, 'a', 1.5]])
    await using(place, async (destination) => {
      await destination.createTable({ ...orders, name: 'others' })
      await destination.addColumns('orders', [{ name: 'more', type: 'LONG' }])
      await destination.write({ ...empty, table: orders, upserts: [[2, 'b', 2.5]] })
    })
    await using(place, async (destination) => {
      assert.equal(await destination.readColumns('others'), undefined)
      assert.deepEqual(await destination.readColumns('orders'), orders.columns)
      assert.equal(await destination.readState(), '{"filled":true}')
    })
    assert.deepEqual(await rowsOf(place, orders), [['1', 'a', '1.5']])
  },

  'after a rollback the destination goes on': async (place) => {
    await fill(place, orders, [[1, 'a', 1.5]])
    await using(place, async (destination) => {
      await destination.write({ ...empty, table: orders, upserts: [[2, 'b', 2.5]] })
      await assert.rejects(destination.createTable(orders), { kind: 'destination' })
      await destination.rollback()
      assert.equal(await destination.countRows('orders'), 1)
      await destination.write({ ...empty, table: orders, upserts: [[3, 'c', 3.5]] })
      await destination.commit('{}')
    })
    assert.deepEqual(
      (await rowsOf(place, orders)).map(([id]) => id),
      ['1', '3'],
    )
  },
}

export const updateCases: Cases = {
  'parts of rows change, and rows that are not there are passed over': async (place) => {
    await fill(place, orders, [
      [1, 'a', 1.5],
      [2, 'b', 2.5],
    ])
    const [id, label, total] = orders.columns
    assert.ok(id && label && total)
    await using(place, async (destination) => {
      const updates = [
        {
          columns: [id, label],
          rows: [
            [1, 'A'],
            [9, 'nobody'],
          ],
        },
        { columns: [total, id], rows: [[null, 2]] },
      ]
      await destination.write({ ...empty, table: orders, upserts: [], updates })
      await destination.commit('{}')
    })
    assert.deepEqual(await rowsOf(place, orders), [
      ['1', 'A', '1.5'],
      ['2', 'b', null],
    ])
  },
}

const three: Row[] = [
  [1, 'a', 1.5],
  [2, 'b', 2.5],
  [3, 'a', 3.5],
]

type SweepCase = {
  readonly what: string
  readonly sweep: Partial<Sweep>
  readonly swept: Swept
  readonly marked: string[]
}

const names = [{ name: 'name', type: 'STRING' }] as const

const sweeps: readonly SweepCase[] = [
  { what: 'everything', sweep: {}, swept: { deleted: 3, live: 3, isStopped: false }, marked: ['1', '2', '3'] },
  {
    what: 'what is older',
    sweep: { syncedBefore: laterAt },
    swept: { deleted: 2, live: 3, isStopped: false },
    marked: ['1', '2'],
  },
  {
    what: 'some values',
    sweep: { where: { columns: names, rows: [['a'], [null]] } },
    swept: { deleted: 2, live: 3, isStopped: false },
    marked: ['1', '3'],
  },
  {
    what: 'more than the share is none at all',
    sweep: { syncedBefore: laterAt, maxShare: 0.5 },
    swept: { deleted: 2, live: 3, isStopped: true },
    marked: [],
  },
]

function toSweepCase({ sweep, swept, marked }: SweepCase): Cases[string] {
  return async (place) => {
    await fill(place, orders, three)
    await using(place, async (destination) => {
      await destination.write({ ...empty, table: orders, upserts: [[3, 'a', 4.5]] })
      assert.deepEqual(await destination.sweep({ table: orders, syncedAt: laterAt, ...sweep }), swept)
      await destination.commit('{}')
    })
    assert.deepEqual(await deletedOf(place, orders), marked)
  }
}

export const deleteCases: Cases = {
  'a row is marked and lives again when it is put again': async (place) => {
    await fill(place, orders, three)
    await using(place, async (destination) => {
      await destination.write({ ...empty, table: orders, upserts: [], deletes: [[2], [9], [1]] })
      await destination.commit('{}')
      assert.equal(await destination.countRows('orders'), 1)
    })
    assert.deepEqual(await deletedOf(place, orders), ['1', '2'])
    await using(place, async (destination) => {
      await destination.write({ ...empty, table: orders, upserts: [[2, 'again', 0]] })
      await destination.commit('{}')
    })
    assert.deepEqual(await deletedOf(place, orders), ['1'])
    assert.equal((await place.read('orders')).length, 3)
  },

  ...Object.fromEntries(sweeps.map((sweep) => [`a sweep of ${sweep.what}`, toSweepCase(sweep)])),

  'the mark says when': async (place) => {
    await fill(place, orders, [[1, 'a', 1.5]])
    await using(place, async (destination) => {
      await destination.write({ ...empty, table: orders, upserts: [], deletes: [[1]] })
      await destination.commit('{}')
      // Once is enough: who deletes it again changes nothing.
      const again = '2026-01-03T00:00:00Z'
      await destination.write({ ...empty, table: orders, upserts: [], deletes: [[1]], syncedAt: again })
      await destination.commit('{}')
    })
    const [row] = await place.read('orders')
    assert.equal(row?.[contractSystem.synced], '2026-01-02T00:00:00Z')
  },
}

/** From a type, to a wider one: values before, and the texts afterwards. */
const widenings: readonly (readonly [ColumnType, ColumnType, Row, readonly (string | null)[]])[] = [
  ['SHORT', 'LONG', [7, null], ['7', null]],
  ['LONG', 'DOUBLE', [7, -1], ['7', '-1']],
  ['LONG', 'DECIMAL(20,1)', [9_007_199_254_740_993n, 1], ['9007199254740993.0', '1.0']],
  ['LONG', 'STRING', [9_007_199_254_740_993n, null], ['9007199254740993', null]],
  ['DOUBLE', 'STRING', [1, 1e21, 1e-7, 0.1, 1.5e300], ['1', '1e+21', '1e-7', '0.1', '1.5e+300']],
  ['BOOLEAN', 'STRING', [true, false], ['true', 'false']],
  ['DECIMAL(10,2)', 'DECIMAL(12,4)', ['12345678.25'], ['12345678.2500']],
  ['NAIVE_DATE', 'NAIVE_DATETIME', ['2026-01-31'], ['2026-01-31T00:00:00']],
  [
    'NAIVE_DATETIME',
    'STRING',
    ['2026-01-31T10:00:00', '2026-01-31T10:00:00.25'],
    ['2026-01-31T10:00:00', '2026-01-31T10:00:00.25'],
  ],
  ['UTC_DATETIME', 'STRING', ['2026-01-31T10:00:00Z'], ['2026-01-31T10:00:00Z']],
  ['JSON', 'STRING', ['{"a":1}', '"x"'], ['{"a":1}', '"x"']],
  ['BINARY', 'STRING', [Uint8Array.of(0, 255, 10)], ['AP8K']],
]

function toWideningCase([from, to, before, after]: (typeof widenings)[number]): Cases[string] {
  const toTable = (type: ColumnType): Table => ({
    name: 'widening',
    key: ['id'],
    columns: [
      { name: 'id', type: 'LONG' },
      { name: 'value', type },
    ],
  })
  return async (place) => {
    await fill(
      place,
      toTable(from),
      before.map((value, index) => [index, value]),
    )
    await using(place, async (destination) => {
      assert.equal(await destination.changeType('widening', { name: 'value', type: to }), 'changed')
      await destination.commit('{}')
      assert.deepEqual(await destination.readColumns('widening'), toTable(to).columns)
    })
    const rows = await rowsOf(place, toTable(to))
    assert.deepEqual(
      rows.map(([, value]) => value),
      after,
    )
  }
}

export const evolutionCases: Cases = {
  'new columns are null in the rows before': async (place) => {
    await fill(place, orders, [[1, 'a', 1.5]])
    const more = [
      { name: 'when', type: 'UTC_DATETIME' },
      { name: 'extra', type: 'JSON' },
    ] as const
    const table: Table = { ...orders, columns: [...orders.columns, ...more] }
    await using(place, async (destination) => {
      await destination.addColumns('orders', more)
      await destination.write({ ...empty, table, upserts: [[2, 'b', 2.5, '2026-01-01T00:00:00Z', '{}']] })
      await destination.commit('{}')
      assert.deepEqual(await destination.readColumns('orders'), table.columns)
    })
    assert.deepEqual(await rowsOf(place, table), [
      ['1', 'a', '1.5', null, null],
      ['2', 'b', '2.5', '2026-01-01T00:00:00Z', '{}'],
    ])
  },

  ...Object.fromEntries(
    widenings.map((each) => [`${each[0]} becomes ${each[1]}, its values with it`, toWideningCase(each)]),
  ),

  'no digit gets lost': async (place) => {
    const table: Table = { name: 'big', key: ['id'], columns: [{ name: 'id', type: 'LONG' }] }
    await fill(place, table, [[9_007_199_254_740_993n]])
    await using(place, async (destination) => {
      assert.equal(await destination.changeType('big', { name: 'id', type: 'DOUBLE' }), 'inexact')
      assert.deepEqual(await destination.readColumns('big'), table.columns)
      await destination.commit('{}')
    })
    assert.deepEqual(await rowsOf(place, table), [['9007199254740993']])
  },

  'a table that is written and changed within one commit': async (place) => {
    await using(place, async (destination) => {
      await destination.createTable(orders)
      await destination.write({ ...empty, syncedAt, table: orders, upserts: [[1, 'a', 1.5]] })
      await destination.changeType('orders', { name: 'total', type: 'STRING' })
      const table: Table = { ...orders, columns: [...orders.columns.slice(0, 2), { name: 'total', type: 'STRING' }] }
      await destination.write({ ...empty, table, upserts: [[2, 'b', 'much']] })
      await destination.commit('{}')
    })
    assert.deepEqual(await rowsOf(place, orders), [
      ['1', 'a', '1.5'],
      ['2', 'b', 'much'],
    ])
  },
}
