import type { Batch, Column, Row } from './destination.ts'
import { toKeyText } from './row-key.ts'
import type { Value } from './value.ts'

/** By column of the table; those that come later are absent at the end. */
type Values = (Value | undefined)[]

type Pending =
  | { readonly kind: 'upsert'; readonly values: Values }
  /** undefined where the column stays */
  | { readonly kind: 'update'; readonly values: Values }
  | { readonly kind: 'delete'; readonly values: Values }

/** What waits to be written, one change a key: later ones go into earlier ones. */
export type TableBuffer = {
  /**
   * Takes a change, by column of the table.
   *
   * @returns false where it cannot stand beside what waits for its key: write that first, and offer it again
   */
  readonly offer: (kind: Pending['kind'], values: Values) => boolean
  readonly size: () => number
  /** Everything that waited, as a destination takes it; nothing waits afterwards. */
  readonly take: (columns: readonly Column[]) => Pick<Batch, 'upserts' | 'updates' | 'deletes'>
}

/** What waits for all tables together, in bytes. */
export type Budget = { bytes: number }

/** @param key places of the columns of the key among those of the table */
export function createTableBuffer(key: readonly number[], budget: Budget): TableBuffer {
  let pending = new Map<string, Pending>()
  let bytes = 0
  return {
    offer: (kind, values) => {
      const text = toKeyText(key.map((place) => values[place] ?? null))
      const merged = merge(pending.get(text), { kind, values })
      if (!merged) return false
      pending.set(text, merged)
      const size = sizeOf(values)
      bytes += size
      budget.bytes += size
      return true
    },
    size: () => pending.size,
    take: (columns) => {
      const all = [...pending.values()]
      pending = new Map()
      budget.bytes -= bytes
      bytes = 0
      return {
        upserts: all.flatMap(({ kind, values }) => (kind === 'upsert' ? [toRow(values)] : [])),
        updates: toUpdates(
          all.filter(({ kind }) => kind === 'update'),
          columns,
        ),
        deletes: all.flatMap(({ kind, values }) =>
          kind === 'delete' ? [key.map((place) => values[place] ?? null)] : [],
        ),
      }
    },
  }
}

function merge(before: Pending | undefined, now: Pending): Pending | undefined {
  if (!before || now.kind === 'upsert') return now
  if (now.kind === 'delete') return before.kind === 'delete' ? before : undefined
  if (before.kind === 'delete') return undefined
  const values = Array.from({ length: Math.max(before.values.length, now.values.length) }, (_, place) =>
    now.values[place] === undefined ? before.values[place] : now.values[place],
  )
  return { kind: before.kind, values }
}

function toRow(values: Values): Row {
  for (let place = 0; place < values.length; place += 1) values[place] ??= null
  return values as Row // no undefined is left
}

/** Those that change the same columns go together. */
function toUpdates(changes: readonly Pending[], columns: readonly Column[]): Batch['updates'] {
  const groups = new Map<string, { places: number[]; rows: Row[] }>()
  for (const { values } of changes) {
    const places = values.flatMap((value, place) => (value === undefined || !columns[place] ? [] : [place]))
    const name = places.join()
    const group = groups.get(name) ?? { places, rows: [] }
    group.rows.push(places.map((place) => values[place] ?? null))
    groups.set(name, group)
  }
  return [...groups.values()].map(({ places, rows }) => ({
    columns: places.flatMap((place) => columns[place] ?? []),
    rows,
  }))
}

/** About what it takes in memory. */
function sizeOf(values: Values): number {
  let bytes = 48
  for (const value of values) {
    if (typeof value === 'string') bytes += 16 + value.length
    else bytes += value instanceof Uint8Array ? 64 + value.length : 8
  }
  return bytes
}
