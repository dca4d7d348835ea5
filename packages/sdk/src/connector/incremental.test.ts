import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createCursor, type CursorState } from './incremental.ts'

const row = (id: number, at: string, version = 1) => ({ id, at, version })

test('rows that share the last value are taken once each, also over two syncs', () => {
  const first = createCursor({ column: 'at', state: undefined })
  assert.equal(first.from, undefined)
  for (const one of [row(1, '2026-01-01'), row(2, '2026-01-02')]) assert.ok(first.isNew(one))
  const second = createCursor({ column: 'at', state: first.state() })
  assert.equal(second.from, '2026-01-02')
  const given = [row(2, '2026-01-02'), row(3, '2026-01-02'), row(4, '2026-01-03')]
  assert.deepEqual(
    given.filter(second.isNew).map(({ id }) => id),
    [3, 4],
  )
  assert.deepEqual(second.state()?.seen.length, 1)
})

test('a row that changed without a new time is new', () => {
  const first = createCursor({ column: 'at', state: undefined })
  first.isNew(row(1, '2026-01-01'))
  const second = createCursor({ column: 'at', state: first.state() })
  assert.equal(second.isNew(row(1, '2026-01-01')), false)
  assert.equal(second.isNew(row(1, '2026-01-01', 2)), true)
})

test('looking back finds rows that came late, and knows those that did not', () => {
  const options = { column: 'at', lookBack: 60_000 }
  const first = createCursor({ ...options, state: undefined })
  for (const one of [row(1, '2026-01-01T10:00:00Z'), row(2, '2026-01-01T10:00:50Z')]) first.isNew(one)
  const second = createCursor({ ...options, state: first.state() })
  assert.equal(second.from, '2026-01-01T09:59:50.000Z')
  const given = [row(1, '2026-01-01T10:00:00Z'), row(3, '2026-01-01T10:00:10Z'), row(2, '2026-01-01T10:00:50Z')]
  assert.deepEqual(
    given.filter(second.isNew).map(({ id }) => id),
    [3],
  )
})

test('rows out of order are found out, unless that was said; then the place moves at the end only', () => {
  const sorted = createCursor({ column: 'id', state: undefined })
  sorted.isNew(row(5, ''))
  assert.throws(() => sorted.isNew(row(4, '')), /rows are not in the order of id: 4 comes after 5/)
  const before: CursorState = { max: 1, seen: [] }
  const unsorted = createCursor({ column: 'id', state: before, isSorted: false })
  for (const id of [5, 4]) assert.ok(unsorted.isNew(row(id, '')))
  assert.deepEqual(unsorted.state(), before)
  unsorted.complete()
  assert.equal(unsorted.state()?.max, 5)
})

test('a row without the column is always new', () => {
  const cursor = createCursor({ column: 'at', state: undefined })
  assert.ok(cursor.isNew({ id: 1 }) && cursor.isNew({ id: 1 }))
  assert.equal(cursor.state(), undefined)
})

test('whatever is inserted between syncs, each row is taken, and none twice', () => {
  const changes = fc.array(fc.record({ at: fc.integer({ min: 0, max: 3 }), sync: fc.boolean() }), { maxLength: 60 })
  fc.assert(
    fc.property(changes, (steps) => {
      const table: { id: number; at: number }[] = []
      const taken: number[] = []
      let [now, state] = [0, undefined as CursorState | undefined]
      const sync = (): void => {
        const cursor = createCursor({ column: 'at', state })
        const { from } = cursor
        const given = table.filter(({ at }) => from === undefined || at >= Number(from))
        taken.push(...given.filter(cursor.isNew).map(({ id }) => id))
        state = JSON.parse(JSON.stringify(cursor.state() ?? null)) ?? undefined
      }
      for (const step of steps) {
        now += step.at
        table.push({ id: table.length, at: now })
        if (step.sync) sync()
      }
      sync()
      assert.deepEqual(
        taken,
        table.map(({ id }) => id),
      )
    }),
  )
})
