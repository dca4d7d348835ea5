import type { Destination, Table } from './destination.ts'
import { toColumnName, toShortName } from './names.ts'
import type { SourceRow } from './nested.ts'
import type { NameOptions } from './schema.ts'
import { convert, type Value } from './value.ts'

/** Parents whose former children are to go, before the children that wait are written. */
export type Scopes = {
  /** @returns false where this parent is among them already: sweep first */
  readonly add: (parent: SourceRow) => boolean
  /** Marks the children of all of them as deleted. */
  readonly sweep: (table: Table | undefined) => Promise<void>
}

type ScopeOptions = { readonly destination: Destination; readonly names: NameOptions; readonly syncedAt: string }

export function createScopes({ destination, names, syncedAt }: ScopeOptions): Scopes {
  const waiting = new Map<string, SourceRow>()
  return {
    add: (parent) => {
      const text = JSON.stringify(Object.values(parent).map((value) => `${typeof value} ${String(value)}`))
      if (waiting.has(text)) return false
      waiting.set(text, parent)
      return true
    },
    sweep: async (table) => {
      const parents = [...waiting.values()]
      waiting.clear()
      const [first] = parents
      if (!table || !first) return
      const sources = Object.keys(first)
      const columns = sources.map((source) => {
        const name = toShortName(toColumnName(source, names.naming), names.maxNameBytes)
        return table.columns.find((column) => column.name === name)
      })
      if (columns.some((column) => column === undefined)) return
      const where = columns.filter((column) => column !== undefined)
      const rows = parents.flatMap((parent) => {
        const values = where.map(({ type }, index) => convert(parent[sources[index] ?? ''], type))
        // A value that does not fit the column has no rows in it.
        return values.every((value): value is Value => value !== undefined) ? [values] : []
      })
      if (rows.length > 0) await destination.sweep({ table, syncedAt, where: { columns: where, rows } })
    },
  }
}
