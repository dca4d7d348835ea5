import { toSystemColumns, type Column } from '../destination.ts'
import { convert } from '../value.ts'

const system = toSystemColumns('sluice')

type Members = Readonly<Record<string, unknown>>

/** A change as a reader of records finds it. */
export type ReadRecord = {
  readonly change: 'upsert' | 'update' | 'delete' | 'truncate'
  readonly syncedAt: string
  /** of `truncate`: what it says; else the row, or the part of it */
  readonly members: Members
}

type Sweeping = { readonly synced_before?: string; readonly where?: readonly Members[] }

/** The table that records lead to, one after the other: what whoever reads them does. Rows have their system columns. */
function foldRecords(records: Iterable<ReadRecord>, key: readonly string[]): Members[] {
  const rows = new Map<string, Record<string, unknown>>()
  for (const { change, syncedAt, members } of records) {
    const id = JSON.stringify(key.map((name) => `${typeof members[name]} ${String(members[name])}`))
    const before = rows.get(id)
    const mark = { [system.deleted]: true, [system.synced]: syncedAt }
    if (change === 'upsert') rows.set(id, { ...members, [system.deleted]: false, [system.synced]: syncedAt })
    else if (change === 'update' && before)
      rows.set(id, { ...before, ...members, [system.synced]: syncedAt, [system.deleted]: before[system.deleted] })
    else if (change === 'delete' && before?.[system.deleted] === false) rows.set(id, { ...before, ...mark })
    else if (change === 'truncate')
      for (const [at, row] of rows) if (isSwept(row, members as Sweeping)) rows.set(at, { ...row, ...mark }) // as it is printed
  }
  return [...rows.values()]
}

function isSwept(row: Members, { synced_before: before, where }: Sweeping): boolean {
  if (row[system.deleted] === true) return false
  if (before !== undefined && Date.parse(String(row[system.synced])) >= Date.parse(before)) return false
  return !where || where.some((some) => Object.entries(some).every(([name, value]) => row[name] === value))
}

const own: readonly Column[] = [
  { name: system.deleted, type: 'BOOLEAN' },
  { name: system.synced, type: 'UTC_DATETIME' },
]

/** The same as texts, as the suite of destinations compares them. */
export function foldToTexts(
  records: Iterable<ReadRecord>,
  { key, columns }: { readonly key: readonly string[]; readonly columns: readonly Column[] },
): Record<string, string | null>[] {
  return foldRecords(records, key).map((row) =>
    Object.fromEntries([...columns, ...own].map(({ name, type }) => [name, toText(row[name], type)])),
  )
}

function toText(printed: unknown, type: Column['type']): string | null {
  const value = convert(type === 'BINARY' ? Buffer.from(String(printed), 'base64') : printed, type)
  return value === null || value === undefined ? null : String(convert(value, 'STRING'))
}
