import { isExactNumber } from './exact-json.ts'
import { toShortName, toTableName } from './names.ts'
import type { NameOptions, NestedPolicy, TableSchema } from './schema.ts'

export type SourceRow = Readonly<Record<string, unknown>>

type List = { readonly column: string; readonly items: readonly unknown[] }

/** A row as its table keeps it, and the lists that go to tables of their own. */
export type Split = { readonly row: SourceRow; readonly lists: readonly List[] }

/** Deeper objects stay JSON: whoever nests like that means no columns. */
const maxDepth = 10

/** An object of JSON, and nothing that is one value: a date, bytes, an exact number. */
export const isPlainObject = (value: unknown): value is SourceRow =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Date) &&
  !(value instanceof Uint8Array) &&
  !isExactNumber(value)

/**
 * Takes a row apart as its table asks for.
 *
 * @example splitRow({ id: 1, a: { b: 2 } }, 'flatten').row // { id: 1, 'a.b': 2 }
 */
export function splitRow(row: SourceRow, policy: NestedPolicy): Split {
  if (policy === 'json') return { row, lists: [] }
  const flat: Record<string, unknown> = {}
  const lists: List[] = []
  const walk = (part: SourceRow, path: string, depth: number): void => {
    for (const [name, value] of Object.entries(part)) {
      const column = `${path}${name}`
      if (isPlainObject(value) && depth < maxDepth) walk(value, `${column}.`, depth + 1)
      else if (Array.isArray(value) && policy === 'child_tables') lists.push({ column, items: value as unknown[] })
      else flat[column] = value
    }
  }
  walk(row, '', 1)
  return { row: flat, lists }
}

const indexColumn = '_index'
const parentColumn = (key: string): string => `_parent.${key}`

/** What a column of the first parent's key is called so many tables below it. */
export const toParentColumn = (key: string, depth: number): string =>
  depth === 0 ? key : parentColumn(toParentColumn(key, depth - 1))

/** The table that a list of another goes to: known by its parent's key and the place in the list. */
function toChildSchema(parent: TableSchema, column: string, names: NameOptions): TableSchema {
  const source = `${parent.source}.${column}`
  const name = toShortName(toTableName(source, names.naming), names.maxNameBytes)
  return { ...parent, source, name, key: [...parent.key.map(parentColumn), indexColumn], types: new Map() }
}

export type ChildRow = { readonly schema: TableSchema; readonly parent: string; readonly row: SourceRow }

type Parent = { readonly schema: TableSchema; readonly key: SourceRow; readonly lists: readonly List[] }

/** The rows of all lists below a row, parents first. Objects have their members as columns, everything else is a column `value`. */
export function toChildRows({ schema, key, lists }: Parent, names: NameOptions): ChildRow[] {
  return lists.flatMap(({ column, items }) => {
    const child = toChildSchema(schema, column, names)
    const parentKey = Object.fromEntries(Object.entries(key).map(([name, value]) => [parentColumn(name), value]))
    return items.flatMap((item, index) => {
      const own = { ...parentKey, [indexColumn]: index }
      const { row, lists: inner } = splitRow(isPlainObject(item) ? item : { value: item }, child.nested)
      const below = toChildRows({ schema: child, key: own, lists: inner }, names)
      return [{ schema: child, parent: schema.source, row: { ...row, ...own } }, ...below]
    })
  })
}
