import type { ColumnType } from '../column-type.ts'
import type { Batch, Column, Row, Sweep, Swept, Table } from '../destination.ts'
import { ConnectorError } from '../error.ts'
import type { Value } from '../value.ts'
import type { KeptTable } from './manifest.ts'

/** A change as a record, for destinations that keep what happened and not what is. */
export type ChangeRecord = {
  readonly change: 'upsert' | 'update' | 'delete'
  /** names and values, as JSON: the whole row, the part that changes with its key, or the key alone */
  readonly members: string
  readonly key: string
}

/** The changes of a batch, one after the other. */
export function* toChangeRecords({ table, upserts, updates, deletes }: Batch): Generator<ChangeRecord> {
  const key = table.key.flatMap((name) => table.columns.find((column) => column.name === name) ?? [])
  yield* toRecords('upsert', { columns: table.columns, rows: upserts, key })
  for (const { columns, rows } of updates) yield* toRecords('update', { columns, rows, key })
  yield* toRecords('delete', { columns: key, rows: deletes, key })
}

type Part = { readonly columns: readonly Column[]; readonly rows: readonly Row[]; readonly key: readonly Column[] }

function* toRecords(change: ChangeRecord['change'], { columns, rows, key }: Part): Generator<ChangeRecord> {
  const places = key.map(({ name }) => columns.findIndex((column) => column.name === name))
  const names = columns.map(({ name }) => `${JSON.stringify(name)}:`)
  for (const row of rows) {
    const values = columns.map(({ type }, index) => `${names[index]}${printValue(row[index], type)}`)
    yield { change, members: values.join(','), key: places.map((place) => values[place]).join(',') }
  }
}

/**
 * A value as JSON: numbers digit by digit, decimals and times as text, bytes in base64, JSON as what it is. What JSON has no number
 * for (NaN and the infinite ones) is text.
 */
function printValue(value: Value | undefined, type: ColumnType): string {
  if (value === null || value === undefined) return 'null'
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"`
  if (typeof value === 'string') return type === 'JSON' ? value : JSON.stringify(value)
  return typeof value === 'number' && !Number.isFinite(value) ? `"${value}"` : String(value)
}

/** What a sweep says, as members of JSON: rows synced before a time, rows with some values, or all. */
export function printSweep({ syncedBefore, where }: Sweep): string {
  const before = syncedBefore === undefined ? [] : [`"synced_before":${JSON.stringify(syncedBefore)}`]
  const parents = [...toRecords('delete', { columns: where?.columns ?? [], rows: where?.rows ?? [], key: [] })]
  const some = where ? [`"where":[${parents.map(({ members }) => `{${members}}`).join(',')}]`] : []
  return [...before, ...some].join(',')
}

/**
 * Records cannot be counted by what became of them, so only one guard holds: a refresh that has put no row leaves what there was.
 *
 * @throws ConnectorError if a share is to be guarded
 */
export function judgeSweep(place: string, sweep: Sweep, kept: KeptTable | undefined): Swept {
  const { syncedBefore, maxShare = 1, table } = sweep
  if (maxShare < 0.999)
    throw new ConnectorError(
      'configuration',
      `table ${table.name} has max_delete_share, and ${place} cannot count what a change deletes; leave it out, or choose a destination with tables`,
    )
  const rows = kept?.rows ?? 0
  const isRead =
    syncedBefore === undefined ||
    (kept?.syncedAt !== undefined && Date.parse(kept.syncedAt) >= Date.parse(syncedBefore))
  return { deleted: rows, live: rows, isStopped: maxShare < 1 && !isRead && rows > 0 }
}

/** What the manifest says of a table after a batch. */
export function addBatch(before: KeptTable | undefined, { table, upserts, syncedAt }: Batch): KeptTable {
  const columns = [...table.columns]
  const known = new Set(columns.map(({ name }) => name))
  for (const column of before?.columns ?? []) if (!known.has(column.name)) columns.push(column)
  return {
    files: [],
    ...before,
    key: table.key,
    columns,
    rows: (before?.rows ?? 0) + upserts.length,
    ...(upserts.length > 0 && { syncedAt }),
  }
}

type Tables = Record<string, KeptTable>

export function addTable(place: string, tables: Tables, { name, key, columns }: Table): void {
  if (tables[name]) throw new ConnectorError('destination', `${place}: table ${name} is there already`)
  tables[name] = { key, columns, rows: 0, files: [] }
}

/** Records describe themselves: the columns are for the next sync, so that it goes on with their types. */
export function setColumns(tables: Tables, table: string, columns: readonly Column[]): 'changed' {
  const before = tables[table]
  if (!before) throw new Error(`there is no table ${table}`)
  const changed = new Map([...before.columns, ...columns].map((column) => [column.name, column]))
  tables[table] = { ...before, columns: [...changed.values()] }
  return 'changed'
}
