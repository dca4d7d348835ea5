import { isRecord } from './php-json.ts'
import type { ListQuery } from './query.ts'

export type Page<Member> = { readonly total: number | undefined; readonly items: readonly Member[] }

/** Items a request; an instance that allows fewer sends fewer. */
const pageSize = 100

/**
 * Item by item, from page to page. Each page begins after what has really come, because an instance may send fewer than asked
 * for; an empty page, the total, or a page that shows what the one before showed is the end.
 */
export async function* iterate<Member>(
  readPage: (query: ListQuery) => Promise<Page<Member>>,
  query: ListQuery,
): AsyncGenerator<Member, void, undefined> {
  const { start: from = 0, ...rest } = query
  // By id, so that what is added meanwhile comes last and moves nothing.
  const order =
    rest.orderBy === undefined && rest.order === undefined ? { orderBy: 'id', orderByDir: 'asc' as const } : {}
  let before: unknown
  for (let start = from; ;) {
    const { total, items } = await readPage({ limit: pageSize, ...order, ...rest, start })
    const [first] = items
    // Some lists have no pages and send all of them each time.
    if (first === undefined || isSame(first, before)) return
    yield* items
    before = first
    start += items.length
    if (total !== undefined && start >= total) return
  }
}

function isSame(left: unknown, right: unknown): boolean {
  if (isRecord(left) && isRecord(right) && left['id'] !== undefined) return left['id'] === right['id']
  return JSON.stringify(left) === JSON.stringify(right)
}
