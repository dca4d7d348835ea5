import { bug } from './error.ts'
import type { SourceRow } from './nested.ts'
import { toRowId } from './row-key.ts'

/** What is kept of a cursor between syncs: part of the connector's state. */
export type CursorState = {
  /** the greatest value so far */
  readonly max: string | number
  /** hashes of the rows near it, with their values: those that a service gives again are known by them */
  readonly seen: readonly (readonly [hash: string, value: string | number])[]
}

export type CursorOptions = {
  /** column with a time or a number that grows with each change */
  readonly column: string
  /** of the sync before; undefined for everything */
  readonly state: CursorState | undefined
  /** asks again for so much before the greatest value, for rows that come late: ms for times, else a number; default 0 */
  readonly lookBack?: number
  /** whether rows come in the order of the column; default true. Otherwise the place moves only with `complete` */
  readonly isSorted?: boolean
}

/** Where an incremental table goes on. */
export type Cursor = {
  /** for the request: rows from here on, this value included; undefined for everything */
  readonly from: string | number | undefined
  /** False for a row that was taken before, as it is now. Changed rows and rows with the same value are new. */
  readonly isNew: (row: SourceRow) => boolean
  /** every row has come: with `isSorted: false` the place moves now */
  readonly complete: () => void
  /** for `checkpoint`, after the rows so far */
  readonly state: () => CursorState | undefined
}

/** With more rows of one value than this, some may be taken twice, which an upsert bears. */
const mostSeen = 10_000

/**
 * Follows a column that grows, without losing rows that share its last value, and without taking rows twice that a service gives
 * again.
 *
 * @throws ConnectorError from `isNew` if a row is out of order and `isSorted` was not set to false
 * @example
 * const cursor = createCursor({ column: 'updated_at', state: state.orders, lookBack: 60_000 })
 * for await (const { rows } of numberedPages(api, '/orders', { params: { since: cursor.from } })) {
 *   for (const row of rows.filter(cursor.isNew)) await op.upsert('orders', row)
 *   await op.checkpoint({ orders: cursor.state() })
 * }
 */
export function createCursor({ column, state, lookBack = 0, isSorted = true }: CursorOptions): Cursor {
  const seen = new Map(state?.seen)
  let { max } = state ?? { max: undefined }
  let isComplete = false
  const floorOf = (value: string | number): string | number => (lookBack === 0 ? value : subtract(value, lookBack))
  const from = max === undefined ? undefined : floorOf(max)
  return {
    from,
    isNew: (row) => {
      const value = row[column]
      if (typeof value !== 'string' && typeof value !== 'number') return true
      const hash = toRowId(row)
      if (seen.has(hash)) return false
      if (
        isSorted &&
        max !== undefined &&
        compare(value, floorOf(max)) < 0 &&
        (from === undefined || compare(value, from) >= 0)
      )
        throw bug(
          `rows are not in the order of ${column}: ${value} comes after ${max}; sort them, or set isSorted to false`,
        )
      seen.set(hash, value)
      if (max === undefined || compare(value, max) > 0) max = value
      return true
    },
    complete: () => {
      isComplete = true
    },
    state: () => {
      if (max === undefined || (!isSorted && !isComplete)) return state
      const floor = floorOf(max)
      for (const [hash, value] of seen) if (compare(value, floor) < 0) seen.delete(hash)
      return { max, seen: [...seen].slice(-mostSeen) }
    },
  }
}

function subtract(value: string | number, amount: number): string | number {
  if (typeof value === 'number') return value - amount
  const ms = Date.parse(value)
  if (Number.isNaN(ms)) throw bug(`"${value}" is no time, so there is nothing to look back by; leave lookBack out`)
  return new Date(ms - amount).toISOString()
}

/** Times as times, however they are written; other texts by their letters. */
function compare(left: string | number, right: string | number): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right
  const [a, b] = [toTime(left), toTime(right)]
  if (a !== undefined && b !== undefined) return a - b
  return String(left) < String(right) ? -1 : Number(String(left) !== String(right))
}

function toTime(value: string | number): number | undefined {
  const ms = typeof value === 'string' && /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(ms) ? undefined : ms
}
