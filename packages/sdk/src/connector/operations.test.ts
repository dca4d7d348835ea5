import assert from 'node:assert/strict'
import { test } from 'node:test'
import { useSync, type Update } from './use-sync.ts'

test('an upsert is the whole row, an update a part of it', async (context) => {
  const { sync, rows } = useSync(context)
  await sync(async ({ op }) => {
    await op.upsert('t', { id: 1, a: 'x', b: 'y' })
    await op.upsert('t', { id: 2, a: 'x', b: 'y' })
  })
  const result = await sync(async ({ op }) => {
    await op.upsert('t', { id: 1, a: 'X' })
    await op.update('t', { id: 2, a: 'X' })
    await op.update('t', { id: 3, a: 'nobody' })
  })
  assert.equal(result.error, undefined)
  assert.deepEqual(rows('t', 'id', 'a', 'b'), [
    [1, 'X', null],
    [2, 'X', 'y'],
  ])
})

test('changes of one key take effect in their order, within a batch as over several', async (context) => {
  const steps: Update = async ({ op }) => {
    await op.upsert('t', { id: 1, a: 1, b: 1 })
    await op.update('t', { id: 1, b: 2 })
    await op.upsert('t', { id: 2, a: 1 })
    await op.delete('t', { id: 2 })
    await op.upsert('t', { id: 3, a: 1 })
    await op.delete('t', { id: 3 })
    await op.upsert('t', { id: 3, a: 2 })
    await op.update('t', { id: 4, a: 9 })
    await op.upsert('t', { id: 4, a: 1 })
    await op.update('t', { id: 4, b: 5 })
    await op.update('t', { id: 4, b: 6 })
    await op.delete('t', { id: 9 })
    await op.delete('t', { id: 9 })
  }
  const [batch, single] = [useSync(context), useSync(context)]
  await batch.sync(steps)
  await single.sync(steps, { maxWaitingBytes: 0 })
  for (const { rows, deleted } of [batch, single]) {
    assert.deepEqual(rows('t', 'id', 'a', 'b'), [
      [1, 1, 2],
      [3, 2, null],
      [4, 1, 6],
    ])
    assert.deepEqual(deleted('t', 'id'), [[2]])
  }
})

test('truncate marks what is there at this moment', async (context) => {
  const { sync, rows, deleted } = useSync(context)
  await sync(async ({ op }) => {
    await op.upsert('t', { id: 1 })
    await op.upsert('t', { id: 2 })
    await op.truncate('t')
    await op.upsert('t', { id: 2 })
    await op.upsert('t', { id: 3 })
  })
  assert.deepEqual([rows('t', 'id'), deleted('t', 'id')], [[[2], [3]], [[1]]])
})

test('a table that nobody declared is made; without a key each row is itself', async (context) => {
  const { sync, rows, columnsOf } = useSync(context)
  const update: Update = async ({ op }) => {
    await op.upsert('userEvents', { name: 'a', more: { x: 1, y: 2 } })
    await op.upsert('userEvents', { more: { y: 2, x: 1 }, name: 'a', nothing: null })
    await op.upsert('userEvents', { name: 'b', more: { x: 1, y: 2 } })
  }
  await sync(update)
  await sync(update)
  assert.deepEqual(rows('user_events', 'name'), [['a'], ['b']])
  assert.deepEqual(columnsOf('user_events'), ['_fivetran_id', 'name', 'more', '_fivetran_deleted', '_fivetran_synced'])
})

for (const [what, update, message] of [
  ['a list', async ({ op }) => op.upsert('t', [] as never), /table t: a row must be an object/],
  ['nothing in it', async ({ op }) => op.upsert('t', {}), /table t: a row has no columns/],
  [
    'two columns of one name',
    async ({ op }) => op.upsert('t', { id: 1, userId: 1, user_id: 2 }),
    /columns userId and user_id would both be user_id/,
  ],
  [
    'a name of the destination',
    async ({ op }) => op.upsert('t', { id: 1, _fivetran_synced: 'x' }),
    /which the destination keeps for itself/,
  ],
  [
    'no key, to be changed',
    async ({ op }) => op.update('t', { a: 1 }),
    /update needs all columns of the key, and id is missing/,
  ],
  ['no key, to be deleted', async ({ op }) => op.delete('t', {}), /a row has no columns/],
  ['null for a key', async ({ op }) => op.upsert('t', { id: null, a: 1 }), /a row has no key; id is null or missing/],
  [
    'no key to change it by',
    async ({ op }) => op.update('x', { a: 1 }),
    /table x has no primary key: its rows can be upserted only/,
  ],
  ['a table whose name is taken', async ({ op }) => op.upsert('T', { id: 1 }), /tables t and T would both be t/],
] as const satisfies readonly (readonly [string, Update, RegExp])[]) {
  test(`a row with ${what} is refused`, async (context) => {
    const { status, error } = await useSync(context).sync(update)
    assert.equal(status, 'failed')
    assert.match(error?.message ?? '', message)
  })
}

test('an operation that fails is a failed sync, awaited or not, caught or not', async (context) => {
  const { sync, rows } = useSync(context)
  for (const update of [
    async ({ op }) => void op.upsert('t', {}).catch(() => {}),
    async ({ op }) => {
      void op.upsert('t', {})
      void op.upsert('t', { id: 2 })
    },
    async ({ op }) => {
      await op.upsert('t', { id: 1, n: 1 })
      await op.checkpoint({})
      await op.upsert('t', { id: 1n << 70n, n: {} }).catch(() => {})
      await op.upsert('t', {}).catch(() => {})
      await op.checkpoint({ after: true }).catch(() => {})
    },
  ] satisfies Update[]) {
    const { status, error, state } = await sync(update)
    assert.deepEqual([status, error?.kind], ['failed', 'bug'])
    assert.ok(!state || !('after' in state))
  }
  assert.deepEqual(rows('t', 'id'), [[1]])
})

test('a checkpoint is safe when it resolves; what comes after it and fails is not there', async (context) => {
  const { sync, rows } = useSync(context)
  const first = await sync(async ({ op }) => {
    await op.upsert('t', { id: 1 })
    await op.checkpoint({ page: 1 })
    await op.upsert('t', { id: 2 })
    throw new Error('on the way')
  })
  assert.deepEqual([first.status, first.error?.message, first.state], ['failed', 'on the way', { page: 1 }])
  assert.deepEqual([rows('t', 'id'), first.tables], [[[1]], { t: { rows: 1 } }])
  let seen: unknown
  const second = await sync(async ({ op, state }) => {
    seen = state
    await op.upsert('t', { id: 2 })
  })
  assert.deepEqual([seen, second.status, second.state], [{ page: 1 }, 'succeeded', { page: 1 }])
  assert.deepEqual(rows('t', 'id'), [[1], [2]])
})

for (const [what, state, message] of [
  ['a list', [], /checkpoint takes the state, a JSON object/],
  ['a bigint', { n: 1n }, /the state is no JSON/],
  ['more than 10 MB', { text: 'x'.repeat(10 * 1024 * 1024) }, /the state has \d+ bytes; 10485760 are the limit/],
  ['a secret', { from: 'https://x/?key=a-planted-secret' }, /the state holds a secret of the configuration/],
] as const) {
  test(`a state that is or has ${what} is refused`, async (context) => {
    const { error } = await useSync(context).sync(({ op }) => op.checkpoint(state as never))
    assert.match(error?.message ?? '', message)
  })
}

test('a sync that is cancelled is none that succeeded', async (context) => {
  const { sync } = useSync(context)
  const controller = new AbortController()
  const result = await sync(
    async ({ op }) => {
      await op.upsert('t', { id: 1 })
      controller.abort()
    },
    { signal: controller.signal },
  )
  assert.deepEqual([result.status, result.error?.kind], ['failed', 'cancelled'])
})

test('stopped before any of its operations and run again, the tables are the same', async (context) => {
  const rows = Array.from({ length: 9 }, (_, id) => ({
    id,
    value: id < 3 ? id : id < 6 ? id + 0.5 : `v${id}`,
    ...(id > 4 && { late: id }),
  }))
  const update: Update = async ({ op, state }) => {
    for (let at = Number(state['at'] ?? 0); at < rows.length; at += 2) {
      for (const row of rows.slice(at, at + 2)) await op.upsert('t', row)
      await op.checkpoint({ at: at + 2 })
    }
    await op.delete('t', { id: 3 })
  }
  const calm = useSync(context)
  const { operations } = await calm.sync(update)
  const total = operations.upserts + operations.checkpoints + operations.deletes
  for (let stop = 1; stop <= total; stop += 1) {
    const disturbed = useSync(context)
    const onOperation = (number: number): void => {
      if (number === stop) throw new Error('stopped')
    }
    assert.equal((await disturbed.sync(update, { onOperation })).status, 'failed')
    assert.equal((await disturbed.sync(update)).status, 'succeeded')
    for (const read of ['rows', 'deleted'] as const)
      assert.deepEqual(
        disturbed[read]('t', 'id', 'value', 'late'),
        calm[read]('t', 'id', 'value', 'late'),
        `at ${stop}`,
      )
  }
})
