import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite'
import { parseType, type ColumnType, type SimpleType } from '../column-type.ts'
import type { Column, Destination, DestinationOptions, Row } from '../destination.ts'
import { ConnectorError, toMessage } from '../error.ts'
import { convert, type Value } from '../value.ts'
import { createSqlTables, type SqlEngine, type Staged, type TypeChange } from './sql-tables.ts'
import { quote, text } from './sql-text.ts'

export type SqliteOptions = DestinationOptions & {
  /** of the database, made where there is none */
  readonly file: string
}

// The engine goes by parts of these names: `text` keeps digits as they are, which `decimal` alone would make floating.
const sqliteTypes: Readonly<Record<SimpleType, string>> = {
  BOOLEAN: 'boolean',
  SHORT: 'smallint',
  INT: 'integer',
  LONG: 'bigint',
  FLOAT: 'float',
  DOUBLE: 'double',
  NAIVE_DATE: 'date_text',
  NAIVE_DATETIME: 'datetime_text',
  UTC_DATETIME: 'utc_datetime_text',
  BINARY: 'blob',
  XML: 'xml_text',
  STRING: 'text',
  JSON: 'json_text',
}

const toSqliteType = (type: ColumnType): string =>
  sqliteTypes[type as SimpleType] ?? type.replace('DECIMAL', 'decimal_text') // else DECIMAL(p,s)

function fromSqliteType(declared: string): ColumnType {
  const known = Object.entries(sqliteTypes).find(([, name]) => name === declared.toLowerCase())
  const parsed = parseType(known?.[0] ?? declared.toUpperCase().replace('_TEXT', ''))
  return 'type' in parsed ? parsed.type : 'STRING'
}

/**
 * Tables in an SQLite file, with the state beside them in the same transaction. Times are text of one width, so that their order is
 * that of time; decimals are text, digit by digit.
 *
 * @throws ConnectorError if the file cannot be opened, or is no database
 * @example await using tables = await openSqlite({ file: 'files/tables.sqlite', connector: 'people_ai', system })
 */
export async function openSqlite(options: SqliteOptions): Promise<Destination> {
  const { file } = options
  const toFailure = (cause: unknown): ConnectorError =>
    new ConnectorError('destination', `SQLite ${file}: ${toMessage(cause)}${toHint(cause)}`, { cause })
  let database: DatabaseSync
  try {
    database = await openDatabase(file)
  } catch (cause) {
    throw toFailure(cause)
  }
  return createSqlTables(createEngine(database, file, toFailure), options)
}

async function openDatabase(file: string): Promise<DatabaseSync> {
  const { DatabaseSync } = await import('node:sqlite')
  mkdirSync(dirname(file), { recursive: true })
  const database = new DatabaseSync(file, { timeout: 10_000 })
  try {
    database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma temp_store = memory')
  } catch (error) {
    database.close()
    throw error
  }
  const widen = (value: SQLOutputValue, from: SQLOutputValue, to: SQLOutputValue): SQLInputValue =>
    toWider(value, { from: from as ColumnType, to: to as ColumnType }) // literals of `changeType`
  database.function('sluice_wider', { useBigIntArguments: true, deterministic: true }, widen)
  return database
}

function toHint(cause: unknown): string {
  const message = toMessage(cause)
  if (/database or disk is full/.test(message))
    return '; make space, and run it again: it goes on at the last checkpoint'
  return /locked/.test(message) ? '; another process writes to it: end that one first' : ''
}

function createEngine(database: DatabaseSync, file: string, toFailure: SqlEngine['toFailure']): SqlEngine {
  const query = async (sql: string): Promise<readonly (readonly unknown[])[]> => {
    const statement = database.prepare(sql)
    statement.setReturnArrays(true)
    return statement.all() as unknown as unknown[][] // what `setReturnArrays` says
  }
  const readColumns = async (table: string): Promise<Column[]> => {
    const rows = await query(`select name, type from pragma_table_info(${text(table)})`)
    return rows.map(([name, type]) => ({ name: String(name), type: fromSqliteType(String(type)) }))
  }
  return {
    name: `SQLite ${file}`,
    query,
    begin: async () => database.exec('begin immediate'),
    // A full disk ends the transaction by itself.
    rollback: async () => (database.isTransaction ? database.exec('rollback') : undefined),
    stage: async (columns, rows) => stage(database, columns, rows),
    target: quote,
    toType: toSqliteType,
    toTime: (iso) => text(toFixedTime(iso)),
    readColumns,
    changeType: async (table, change) => changeType(database, { table, change, columns: await readColumns(table) }),
    indexKey: async ({ name, key }) =>
      database.exec(`create index ${quote(`${name} key`)} on ${quote(name)} (${key.map(quote).join(', ')})`),
    toFailure,
    close: async () => (database.isOpen ? database.close() : undefined),
  }
}

/** A fraction of always 6 digits. */
function toFixedTime(iso: string): string {
  const [, whole = iso, fraction = '', zone = ''] = /^([^.Z]+)(?:\.(\d+))?(Z?)$/.exec(iso) ?? []
  return `${whole}.${fraction.padEnd(6, '0')}${zone}`
}

function toBound(value: Value | undefined, type: ColumnType): SQLInputValue {
  if (value === null || value === undefined) return null
  if (typeof value === 'boolean') return Number(value)
  return type === 'NAIVE_DATETIME' || type === 'UTC_DATETIME' ? toFixedTime(String(value)) : value
}

function stage(database: DatabaseSync, columns: readonly Column[], rows: readonly Row[]): Staged {
  const types = columns.map(({ type }, index) => `c${index} ${toSqliteType(type)}`).join(', ')
  database.exec(`drop table if exists temp.staging; create temp table staging (${types})`)
  const insert = database.prepare(`insert into temp.staging values (${columns.map(() => '?').join(', ')})`)
  for (const row of rows) insert.run(...columns.map(({ type }, index) => toBound(row[index], type)))
  const isSame = (alias: string, some: readonly Column[]): string =>
    some
      .map(({ name }) => `${alias}.${quote(name)} is s.c${columns.findIndex((column) => column.name === name)}`)
      .join(' and ')
  return {
    values: columns.map((_, index) => `s.c${index}`),
    isSame: (some) => isSame('t', some),
    // From the staged rows to the others, by the index of the key.
    isThere: (target, some) =>
      `t.rowid in (select m.rowid from staging as s cross join ${target} as m where ${isSame('m', some)})`,
  }
}

type Change = { readonly table: string; readonly change: TypeChange; readonly columns: readonly Column[] }

/** The engine cannot change the type of a column: the table is written once more. */
function changeType(database: DatabaseSync, { table, change, columns }: Change): 'changed' | 'inexact' {
  const { name, from, to } = change
  const wider = `sluice_wider(${quote(name)}, '${from}', '${to}')`
  const loses = `${wider} is null and ${quote(name)} is not null`
  if (database.prepare(`select 1 from ${quote(table)} where ${loses} limit 1`).get()) return 'inexact'
  const indexes = database
    .prepare(`select sql from sqlite_schema where type = 'index' and tbl_name = ? and sql is not null`)
    .all(table)
  const defined = columns.map(
    (column) => `${quote(column.name)} ${toSqliteType(column.name === name ? to : column.type)}`,
  )
  const names = columns.map((column) => quote(column.name))
  const values = columns.map((column) => (column.name === name ? wider : quote(column.name)))
  const fresh = quote(`_sluice_wider ${table}`)
  database.exec(`create table ${fresh} (${defined.join(', ')})`)
  database.exec(`insert into ${fresh} (${names.join(', ')}) select ${values.join(', ')} from ${quote(table)}`)
  database.exec(`drop table ${quote(table)}; alter table ${fresh} rename to ${quote(table)}`)
  for (const { sql } of indexes) database.exec(String(sql))
  return 'changed'
}

/** A kept value in a wider type; null where it would lose digits. */
function toWider(value: SQLOutputValue, { from, to }: Omit<TypeChange, 'name'>): SQLInputValue {
  if (value === null) return null
  const known = from === 'BOOLEAN' ? Boolean(value) : value
  // Times are told without the zeros that pad them.
  const plain = from === 'NAIVE_DATETIME' || from === 'UTC_DATETIME' ? convert(known, from) : known
  const wider = convert(plain, to)
  return wider === undefined ? null : toBound(wider, to)
}
