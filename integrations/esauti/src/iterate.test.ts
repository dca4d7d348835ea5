import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { iterate, type Page } from './iterate.ts'
import type { ListQuery } from './query.ts'

type Row = { readonly id: number }

async function collect(readPage: (query: ListQuery) => Promise<Page<Row>>, query: ListQuery): Promise<number[]> {
  const ids: number[] = []
  for await (const { id } of iterate(readPage, query)) ids.push(id)
  return ids
}

test('every item comes once, whatever is asked for, allowed and counted', async () => {
  const amounts = fc.record({
    length: fc.nat(60),
    pageMax: fc.integer({ min: 1, max: 40 }),
    limit: fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
    start: fc.nat(70),
    isCounted: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(amounts, async ({ length, pageMax, limit, start, isCounted }) => {
      const rows = Array.from({ length }, (_, id) => ({ id }))
      const readPage = (query: ListQuery): Promise<Page<Row>> => {
        assert.deepEqual([query.orderBy, query.orderByDir], ['id', 'asc'])
        const { start: from = 0, limit: size = 30 } = query
        const items = rows.slice(from, from + Math.min(size, pageMax))
        return Promise.resolve({ total: isCounted ? length : undefined, items })
      }
      const ids = await collect(readPage, { start, ...(limit !== undefined && { limit }) })
      assert.deepEqual(
        ids,
        rows.slice(start).map(({ id }) => id),
      )
    }),
  )
})

test('an order of your own is kept, and who stops early asks for no more', async () => {
  const asked: ListQuery[] = []
  const readPage = (query: ListQuery): Promise<Page<Row>> => {
    asked.push(query)
    return Promise.resolve({ total: 9, items: [{ id: asked.length }] })
  }
  for await (const { id } of iterate(readPage, { orderBy: 'points', orderByDir: 'desc' })) if (id === 2) break
  assert.deepEqual(asked, [
    { limit: 100, orderBy: 'points', orderByDir: 'desc', start: 0 },
    { limit: 100, orderBy: 'points', orderByDir: 'desc', start: 1 },
  ])
})
