import type { Cursors } from './cursors.ts'

export type PageRequest = { readonly limit: number; readonly cursor?: string | undefined }

/** `items` are JSON texts. */
export type Page = { readonly items: string[]; readonly nextCursor: string | null; readonly hasMore: boolean }

type Listing<Row> = {
  readonly cursors: Cursors
  readonly scope: string
  readonly limit: number
  /** one more than `limit` if there is one more */
  readonly rows: readonly Row[]
  /** what the next page begins after */
  readonly placeOf: (row: Row) => string | number
  readonly print: (row: Row) => string
}

/** A page of rows that were read with `limit + 1`. */
export function toPage<Row>({ cursors, scope, limit, rows, placeOf, print }: Listing<Row>): Page {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const hasMore = rows.length > limit && last !== undefined
  return { items: shown.map(print), nextCursor: hasMore ? cursors.seal(scope, String(placeOf(last))) : null, hasMore }
}
