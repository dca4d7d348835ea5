import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseExact } from './exact-json.ts'
import type { TableSource } from './schema.ts'
import { useSync } from './use-sync.ts'

const table = (more: Partial<TableSource> = {}): { readonly tables: readonly TableSource[] } => ({
  tables: [{ table: 't', primary_key: ['id'], ...more }],
})

test('types are inferred, and widen as values come; none ever narrows', async (context) => {
  const { sync, rows, drifts } = useSync(context)
  const result = await sync(async ({ op }) => {
    for (const [id, value] of [1, 2.5, null, 'x', 3].entries()) await op.upsert('t', { id, value })
  })
  assert.equal(result.error, undefined)
  assert.deepEqual(
    rows('t', 'value').map(([value]) => value),
    [null, '1', '2.5', '3', 'x'],
  )
  assert.deepEqual(
    drifts.map(({ detail }) => detail),
    ['value was LONG and is DOUBLE now', 'value was DOUBLE and is STRING now'],
  )
})

test('64-bit integers stay exact, also when something else comes to their column', async (context) => {
  const { sync, rows } = useSync(context)
  const given = parseExact('[{"id":9007199254740993,"n":9007199254740993},{"id":2,"n":0.5}]') as Record<
    string,
    unknown
  >[]
  await sync(async ({ op }) => {
    for (const row of given) await op.upsert('t', row)
  })
  assert.deepEqual(rows('t', 'n'), [['0.5'], ['9007199254740993']])
})

test('a column that is null everywhere is not made; a declared one is', async (context) => {
  const { sync, columnsOf } = useSync(context)
  await sync(
    async ({ op }) => op.upsert('t', { id: 1, nothing: null }),
    table({ columns: { declared: 'UTC_DATETIME' } }),
  )
  assert.deepEqual(columnsOf('t'), ['id', 'declared', '_fivetran_deleted', '_fivetran_synced'])
})

test('a declared type holds: what does not fit ends the sync and says where', async (context) => {
  const { sync, rows } = useSync(context)
  const columns = { total: { type: 'DECIMAL', precision: 10, scale: 2 }, at: 'UTC_DATETIME' } as const
  await sync(
    async ({ op }) => op.upsert('t', { id: 1, total: 12.5, at: '2026-01-01T01:00:00+01:00' }),
    table({ columns }),
  )
  assert.deepEqual(rows('t', 'total', 'at'), [['12.50', '2026-01-01T00:00:00.000000Z']])
  const { error } = await sync(async ({ op }) => op.upsert('t', { id: 2, at: 'yesterday' }), table({ columns }))
  assert.equal(error?.message, 'table t: column at is UTC_DATETIME and got string yesterday')
})

test('a column that is declared wider than it was becomes so', async (context) => {
  const { sync, rows } = useSync(context)
  await sync(async ({ op }) => op.upsert('t', { id: 1, n: 5 }))
  const { operations } = await sync(
    async ({ op }) => op.upsert('t', { id: 2, n: 'x' }),
    table({ columns: { n: 'STRING' } }),
  )
  assert.equal(operations.schema_changes, 1)
  assert.deepEqual(rows('t', 'n'), [['5'], ['x']])
})

test('lists and objects: as JSON', async (context) => {
  const { sync, rows } = useSync(context)
  await sync(async ({ op }) => op.upsert('t', { id: 1, tags: ['a', { b: [9007199254740993n] }], who: { x: 1 } }))
  assert.deepEqual(rows('t', 'tags', 'who'), [['["a",{"b":[9007199254740993]}]', '{"x":1}']])
})

test('lists and objects: objects flat', async (context) => {
  const { sync, rows } = useSync(context)
  await sync(
    async ({ op }) => op.upsert('t', { id: 1, who: { name: { first: 'Ada' } }, tags: ['a'] }),
    table({ nested: 'flatten' }),
  )
  assert.deepEqual(rows('t', 'who_name_first', 'tags'), [['Ada', '["a"]']])
  const { error } = await sync(
    async ({ op }) => op.upsert('t', { id: 1, a: { b: 1 }, a_b: 2 }),
    table({ nested: 'flatten' }),
  )
  assert.match(error?.message ?? '', /columns a\.b and a_b would both be a_b/)
})

test('lists and objects: lists in tables of their own, that follow their parents', async (context) => {
  const { sync, rows, deleted } = useSync(context)
  const options = table({ nested: 'child_tables' })
  const items = (...counts: number[]) => counts.map((count) => ({ count, marks: [`m${count}`] }))
  await sync(async ({ op }) => {
    await op.upsert('t', { id: 1, items: items(1, 2, 3) })
    await op.upsert('t', { id: 2, items: items(4) })
    await op.upsert('t', { id: 3 })
  }, options)
  assert.deepEqual(rows('t_items', '_parent_id', '_index', 'count'), [
    [1, 0, 1],
    [1, 1, 2],
    [1, 2, 3],
    [2, 0, 4],
  ])
  assert.deepEqual(rows('t_items_marks', '_parent_parent_id', '_parent_index', '_index', 'value').length, 4)
  // Shorter, gone with its parent, twice in one batch.
  await sync(async ({ op }) => {
    await op.upsert('t', { id: 1, items: items(9) })
    await op.delete('t', { id: 2 })
    await op.upsert('t', { id: 3, items: items(5, 6) })
    await op.upsert('t', { id: 3, items: items(7) })
  }, options)
  assert.deepEqual(rows('t_items', '_parent_id', 'count'), [
    [1, 9],
    [3, 7],
  ])
  assert.deepEqual(rows('t_items_marks', 'value'), [['m7'], ['m9']])
  assert.deepEqual(deleted('t_items', '_parent_id', '_index'), [
    [1, 1],
    [1, 2],
    [2, 0],
    [3, 1],
  ])
  await sync(async ({ op }) => op.truncate('t'), options)
  assert.deepEqual([rows('t', 'id'), rows('t_items', 'count'), rows('t_items_marks', 'value')], [[], [], []])
})

for (const [contract, expected] of [
  ['drop_row', { rows: [[1, 5]], changes: ['dropped_row', 'dropped_row'] }],
  [
    'drop_value',
    {
      rows: [
        [1, 5],
        [2, null],
        [3, 7],
      ],
      changes: ['dropped_value', 'dropped_value'],
    },
  ],
  ['quarantine', { rows: [[1, 5]], changes: ['quarantined', 'quarantined'] }],
] as const) {
  test(`contract ${contract}: neither new columns nor other types come in`, async (context) => {
    const { sync, rows, columnsOf, drifts } = useSync(context)
    const options = table({ columns: { id: 'LONG', n: 'LONG' }, contract })
    const { error } = await sync(async ({ op }) => {
      await op.upsert('t', { id: 1, n: 5 })
      await op.upsert('t', { id: 2, n: 'many' })
      await op.upsert('t', { id: 3, n: 7, more: true })
    }, options)
    assert.equal(error, undefined)
    assert.deepEqual(rows('t', 'id', 'n'), expected.rows)
    assert.deepEqual(
      drifts.map(({ change }) => change),
      expected.changes,
    )
    assert.ok(!columnsOf('t').includes('more'))
    if (contract === 'quarantine')
      assert.deepEqual(rows('t_quarantine', 'row', 'reason'), [
        ['{"id":2,"n":"many"}', 'column n is LONG and got string many'],
        ['{"id":3,"n":7,"more":true}', `column more is new, and the table's contract is "quarantine"`],
      ])
  })
}

test('contract freeze: what is new ends the sync; a table that is not there yet may have anything', async (context) => {
  const { sync } = useSync(context)
  const options = table({ contract: 'freeze' })
  assert.equal((await sync(async ({ op }) => op.upsert('t', { id: 1, n: 5 }), options)).status, 'succeeded')
  const column = await sync(async ({ op }) => op.upsert('t', { id: 1, n: 5, more: 1 }), options)
  assert.match(column.error?.message ?? '', /column more is new, and the table's contract is "freeze"/)
  const type = await sync(async ({ op }) => op.upsert('t', { id: 1, n: 'x' }), options)
  assert.match(type.error?.message ?? '', /column n is LONG and got string x/)
  const evolving = table({ contract: { columns: 'evolve', types: 'freeze' } })
  assert.equal((await sync(async ({ op }) => op.upsert('t', { id: 1, more: 1 }), evolving)).status, 'succeeded')
})

test('a generation replaces the one before only when it is complete, over several syncs', async (context) => {
  const { sync, rows, deleted } = useSync(context)
  await sync(async ({ op }) => {
    for (const id of [1, 2, 3, 4]) await op.upsert('t', { id })
  })
  const resumed: boolean[] = []
  const refresh = (ids: readonly number[], isWhole: boolean) =>
    sync(async ({ op }) => {
      resumed.push((await op.beginGeneration('t')).isResumed)
      for (const id of ids) await op.upsert('t', { id })
      await op.checkpoint({ half: true })
      if (!isWhole) throw new Error('interrupted')
      await op.completeGeneration('t')
    })
  await refresh([1, 2], false)
  assert.deepEqual(rows('t', 'id'), [[1], [2], [3], [4]])
  const { error } = await refresh([3, 5], true)
  assert.equal(error, undefined)
  assert.deepEqual([rows('t', 'id'), deleted('t', 'id'), resumed], [[[1], [2], [3], [5]], [[4]], [false, true]])
  await refresh([1], true)
  assert.deepEqual([rows('t', 'id'), resumed.at(-1)], [[[1]], false])
})

test('a generation that brings nothing is stopped, and so is one that takes too much', async (context) => {
  const { sync, rows } = useSync(context)
  const refresh = (ids: readonly number[], share?: number) =>
    sync(
      async ({ op }) => {
        await op.beginGeneration('t')
        for (const id of ids) await op.upsert('t', { id })
        await op.completeGeneration('t')
      },
      share === undefined ? {} : table({ max_delete_share: share }),
    )
  await refresh([1, 2, 3, 4])
  const empty = await refresh([])
  assert.match(empty.error?.message ?? '', /table t: 4 of 4 rows would be deleted, more than a share of 0\.999/)
  assert.equal((await refresh([1], 0.5)).status, 'failed')
  assert.deepEqual(rows('t', 'id').length, 4)
  assert.equal((await refresh([1, 2], 0.5)).status, 'succeeded')
  assert.equal((await refresh([], 1)).status, 'succeeded')
  assert.deepEqual(rows('t', 'id'), [])
  const never = await sync(({ op }) => op.completeGeneration('t'))
  assert.match(never.error?.message ?? '', /no generation was begun/)
})

test('deletes by feed are guarded where a share is set', async (context) => {
  const { sync, rows } = useSync(context)
  await sync(async ({ op }) => {
    for (const id of [1, 2, 3, 4]) await op.upsert('t', { id })
  })
  const { error } = await sync(
    async ({ op }) => {
      for (const id of [1, 2, 3]) await op.delete('t', { id })
    },
    table({ max_delete_share: 0.5 }),
  )
  assert.match(error?.message ?? '', /3 of 4 rows would be deleted/)
  assert.equal(rows('t', 'id').length, 4)
})

test('a clock that goes back does not make new rows old', async (context) => {
  const { sync, rows } = useSync(context)
  const refresh = (ids: readonly number[], nowMs: number, isWhole: boolean) =>
    sync(
      async ({ op }) => {
        await op.beginGeneration('t')
        for (const id of ids) await op.upsert('t', { id })
        await op.checkpoint({})
        if (!isWhole) throw new Error('interrupted')
        await op.completeGeneration('t')
      },
      { nowMs: () => nowMs },
    )
  await refresh([1, 2], 5000, false)
  await refresh([3], 1000, true)
  assert.deepEqual(rows('t', 'id'), [[1], [2], [3]])
})

test('1,000 columns, a page of rows at once, and little waits in memory', async (context) => {
  const { sync, rows } = useSync(context)
  const wide = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`c${index}`, index]))
  const result = await sync(
    async ({ op }) => {
      await op.upsert('t', { id: 0, ...wide })
      for (let id = 1; id < 2000; id += 1) await op.upsert('t', { id, text: 'x'.repeat(100) })
    },
    { maxWaitingBytes: 1_000_000 },
  )
  assert.equal(result.error, undefined)
  assert.equal(rows('t', 'id').length, 2000)
  assert.deepEqual(rows('t', 'c_999')[1999], [999])
})

test('names and system columns by option', async (context) => {
  const { sync, columnsOf } = useSync(context)
  await sync(async ({ op }) => op.upsert('t', { id: 1, userId: 2 }), { naming: 'source', systemColumns: 'sluice' })
  assert.deepEqual(columnsOf('t'), ['id', 'userId', '_sluice_deleted', '_sluice_synced'])
})
