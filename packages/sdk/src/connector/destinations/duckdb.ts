import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { Batch, Column, Destination, DestinationOptions, Row, Sweep, Swept, Table } from '../destination.ts'
import { ConnectorError } from '../error.ts'
import { fromDuckType, inexactCheck, sameKey, stagedColumn, stagedType, toDuckType, toWider } from './duckdb-sql.ts'
import { quote, text } from './sql-text.ts'
import { appendRows } from './duckdb-append.ts'

export type DuckDbOptions = DestinationOptions & {
  /** of the database, made where there is none; `:memory:` for one that goes with its end */
  readonly file: string
  /** of the tables; default `tester` */
  readonly schema?: string | undefined
}

type Open = {
  readonly instance: DuckDBInstance
  readonly connection: DuckDBConnection
  readonly options: DuckDbOptions
  readonly schema: string
  /** of the file, quoted: a schema may have the same name, and then each name alone means both */
  readonly catalog: string
  /** a transaction is open */
  isWriting: boolean
}

/**
 * Tables in a DuckDB file, with the state beside them in the same transaction. The engine is loaded here, not before: it is an
 * optional dependency.
 *
 * @throws ConnectorError if the engine is not installed, or the file cannot be opened
 * @example await using warehouse = await openDuckDb({ file: 'files/warehouse.duckdb', connector: 'people_ai', system })
 */
export async function openDuckDb(options: DuckDbOptions): Promise<Destination> {
  return (await openDuckDbEngine(options)).destination
}

export type DuckDbEngine = {
  readonly destination: Destination
  /** runs a statement beside, in the same transaction */
  readonly run: (sql: string) => Promise<unknown[][]>
}

/** The same for destinations that keep their tables elsewhere. */
export async function openDuckDbEngine(options: DuckDbOptions): Promise<DuckDbEngine> {
  const { file, schema = 'tester', system } = options
  const open = await openFile(options, schema)
  const guard = <Args extends unknown[], Result>(work: (open: Open, ...args: Args) => Promise<Result>) => {
    return (...args: Args): Promise<Result> =>
      work(open, ...args).catch((error: unknown) => {
        throw error instanceof ConnectorError ? error : toFailure(file, error)
      })
  }
  const close = async (): Promise<void> => {
    open.connection.closeSync()
    open.instance.closeSync()
  }
  const destination: Destination = {
    name: `DuckDB ${file}, schema ${schema}`,
    capabilities: { merge: true, transaction: true, update: true, delete: true, history: false, evolution: 'widen' },
    readState: guard(readState),
    readColumns: guard(readColumns),
    createTable: guard((_, table: Table) => createTable(open, table, system)),
    addColumns: guard(addColumns),
    changeType: guard(changeType),
    write: guard(write),
    sweep: guard(sweep),
    countRows: guard(countRows),
    commit: guard(commit),
    rollback: guard(rollback),
    close,
    [Symbol.asyncDispose]: close,
  }
  return { destination, run: guard(query) }
}

async function openFile(options: DuckDbOptions, schema: string): Promise<Open> {
  const { file } = options
  const engine = await import('@duckdb/node-api').catch((cause: unknown) => {
    const message = 'DuckDB is not installed; install it with: npm install @duckdb/node-api'
    throw new ConnectorError('destination', message, { cause })
  })
  try {
    if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true })
    const instance = await engine.DuckDBInstance.create(file)
    const connection = await instance.connect()
    const found = await connection.runAndReadAll('select current_database()')
    const catalog = quote(String(found.getRows()[0]?.[0]))
    await connection.run(`create schema if not exists ${catalog}.${quote(schema)}`)
    await connection.run(`create schema if not exists ${catalog}._sluice`)
    await connection.run(
      `create table if not exists ${catalog}._sluice.state (connector varchar, schema varchar, state varchar, saved_at timestamptz)`,
    )
    return { instance, connection, options, schema, catalog, isWriting: false }
  } catch (cause) {
    throw toFailure(file, cause)
  }
}

const toFailure = (file: string, cause: unknown): ConnectorError => {
  const detail = cause instanceof Error ? cause.message : String(cause)
  const hint = /lock/i.test(detail) ? '; another process has it open: end that one first' : ''
  return new ConnectorError('destination', `DuckDB ${file}: ${detail}${hint}`, { cause })
}

async function query(open: Open, sql: string): Promise<unknown[][]> {
  const reader = await open.connection.runAndReadAll(sql)
  return reader.getRowsJS()
}

async function begin(open: Open): Promise<void> {
  if (open.isWriting) return
  await open.connection.run('begin transaction')
  open.isWriting = true
}

const nameOf = ({ catalog, schema }: Open, table: string): string => `${catalog}.${quote(schema)}.${quote(table)}`

async function readState(open: Open): Promise<string | undefined> {
  const [row] = await query(open, `select state from ${open.catalog}._sluice.state where ${whose(open)}`)
  return row?.[0] as string | undefined // a column of text
}

const whose = ({ options, schema }: Open): string =>
  `connector = ${text(options.connector)} and schema = ${text(schema)}`

async function commit(open: Open, state: string): Promise<void> {
  await begin(open)
  await query(open, `delete from ${open.catalog}._sluice.state where ${whose(open)}`)
  const values = [open.options.connector, open.schema, state].map(text).join(', ')
  await query(
    open,
    `insert into ${open.catalog}._sluice.state (connector, schema, state, saved_at) values (${values}, now())`,
  )
  await query(open, 'commit')
  open.isWriting = false
}

async function rollback(open: Open): Promise<void> {
  if (!open.isWriting) return
  open.isWriting = false
  await query(open, 'rollback')
}

async function readColumns(open: Open, table: string): Promise<readonly Column[] | undefined> {
  const { synced, deleted } = open.options.system
  const rows = await query(
    open,
    `select column_name, data_type from duckdb_columns() where schema_name = ${text(open.schema)} and table_name = ${text(table)} and database_name = current_database() order by column_index`,
  )
  if (rows.length === 0) return undefined
  return rows
    .map(([name, type]) => ({ name: String(name), type: fromDuckType(String(type)) }))
    .filter(({ name }) => name !== synced && name !== deleted)
}

async function createTable(open: Open, table: Table, system: DuckDbOptions['system']): Promise<void> {
  await begin(open)
  const columns = table.columns.map(({ name, type }) => `${quote(name)} ${toDuckType(type)}`)
  const own = [`${quote(system.deleted)} boolean not null`, `${quote(system.synced)} timestamptz not null`]
  await query(open, `create table ${nameOf(open, table.name)} (${[...columns, ...own].join(', ')})`)
}

async function addColumns(open: Open, table: string, columns: readonly Column[]): Promise<void> {
  await begin(open)
  for (const { name, type } of columns)
    await query(open, `alter table ${nameOf(open, table)} add column ${quote(name)} ${toDuckType(type)}`)
}

async function changeType(open: Open, table: string, { name, type }: Column): Promise<'changed' | 'inexact'> {
  await begin(open)
  const columns = (await readColumns(open, table)) ?? []
  const from = columns.find((column) => column.name === name)?.type
  if (from === undefined) throw new Error(`${table} has no column ${name}`)
  const [target, column] = [nameOf(open, table), quote(name)]
  const check = inexactCheck(column, from, type)
  if (check !== undefined && (await query(open, `select 1 from ${target} where ${check} limit 1`)).length > 0)
    return 'inexact'
  const isFloating = (from === 'DOUBLE' || from === 'FLOAT') && toDuckType(type) === 'varchar'
  const doubles = isFloating ? await readDoubles(open, target, column) : []
  const using = toWider(column, from, type)
  await query(open, `alter table ${target} alter column ${column} set data type ${toDuckType(type)} using ${using}`)
  for (const [before, after] of doubles)
    await query(open, `update ${target} set ${column} = ${text(after)} where ${column} = ${text(before)}`)
  return 'changed'
}

/** Doubles that DuckDB prints in another way than `convert` does, which the text of a column must not depend on. */
async function readDoubles(open: Open, target: string, column: string): Promise<[before: string, after: string][]> {
  const rows = await query(open, `select distinct ${column}::double, ${column}::varchar from ${target}`)
  return rows.flatMap(([value, before]) =>
    value === null || String(value as number) === before ? [] : [[String(before), String(value as number)]],
  )
}

async function write(open: Open, batch: Batch): Promise<void> {
  await begin(open)
  const { table, upserts, updates, deletes } = batch
  const key = table.key.flatMap((name) => table.columns.find((column) => column.name === name) ?? [])
  if (upserts.length > 0) await upsert(open, batch, key)
  for (const { columns, rows } of updates) await update(open, batch, { columns, rows, key })
  if (deletes.length > 0) await remove(open, batch, key)
}

/** Puts rows where SQL can see them: a bulk way in, and conversions in the engine. */
async function stage(open: Open, columns: readonly Column[], rows: readonly Row[]): Promise<void> {
  const types = columns.map(({ type }, index) => `c${index} ${stagedType(type)}`).join(', ')
  await query(open, `create or replace temp table staging (${types})`)
  const appender = await open.connection.createAppender('staging', 'main', 'temp')
  appendRows(appender, columns, rows)
  appender.closeSync()
}

async function upsert(open: Open, { table, upserts, syncedAt }: Batch, key: readonly Column[]): Promise<void> {
  const { system } = open.options
  const target = nameOf(open, table.name)
  await stage(open, table.columns, upserts)
  await query(open, `delete from ${target} as t using staging as s where ${sameKey(key, table.columns)}`)
  const names = [...table.columns.map(({ name }) => name), system.deleted, system.synced].map(quote).join(', ')
  const values = table.columns.map(({ type }, index) => stagedColumn(index, type)).join(', ')
  await query(
    open,
    `insert into ${target} (${names}) select ${values}, false, ${text(syncedAt)}::timestamptz from staging as s`,
  )
}

type Part = { readonly columns: readonly Column[]; readonly rows: readonly Row[]; readonly key: readonly Column[] }

async function update(open: Open, { table, syncedAt }: Batch, { columns, rows, key }: Part): Promise<void> {
  await stage(open, columns, rows)
  const keyNames = key.map(({ name }) => name)
  const changes = columns.flatMap(({ name, type }, index) =>
    keyNames.includes(name) ? [] : [`${quote(name)} = ${stagedColumn(index, type)}`],
  )
  const synced = `${quote(open.options.system.synced)} = ${text(syncedAt)}::timestamptz`
  await query(
    open,
    `update ${nameOf(open, table.name)} as t set ${[...changes, synced].join(', ')} from staging as s where ${sameKey(key, columns)}`,
  )
}

async function remove(open: Open, { table, deletes, syncedAt }: Batch, key: readonly Column[]): Promise<void> {
  await stage(open, key, deletes)
  await query(
    open,
    `${markAll(open, table, syncedAt)} from staging as s where ${sameKey(key, key)} and ${isLive(open)}`,
  )
}

const isLive = ({ options }: Open): string => `not t.${quote(options.system.deleted)}`

function markAll(open: Open, table: Table, syncedAt: string): string {
  const { deleted, synced } = open.options.system
  return `update ${nameOf(open, table.name)} as t set ${quote(deleted)} = true, ${quote(synced)} = ${text(syncedAt)}::timestamptz`
}

async function sweep(open: Open, { table, syncedAt, syncedBefore, where, maxShare = 1 }: Sweep): Promise<Swept> {
  await begin(open)
  const conditions = [isLive(open)]
  if (syncedBefore !== undefined)
    conditions.push(`t.${quote(open.options.system.synced)} < ${text(syncedBefore)}::timestamptz`)
  if (where) {
    await stage(open, where.columns, where.rows)
    conditions.push(`exists (select 1 from staging as s where ${sameKey(where.columns, where.columns)})`)
  }
  const live = await countRows(open, table.name)
  const condition = conditions.join(' and ')
  const [[found] = []] = await query(open, `select count(*) from ${nameOf(open, table.name)} as t where ${condition}`)
  const deleted = Number(found)
  const isStopped = deleted > live * maxShare
  if (!isStopped && deleted > 0) await query(open, `${markAll(open, table, syncedAt)} where ${condition}`)
  return { deleted, live, isStopped }
}

async function countRows(open: Open, table: string): Promise<number> {
  if ((await readColumns(open, table)) === undefined) return 0
  const [[count] = []] = await query(open, `select count(*) from ${nameOf(open, table)} as t where ${isLive(open)}`)
  return Number(count)
}
