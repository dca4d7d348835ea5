import type { ColumnType } from '../column-type.ts'
import type {
  Batch,
  Capabilities,
  Column,
  Destination,
  DestinationOptions,
  Row,
  Sweep,
  Swept,
  Table,
} from '../destination.ts'
import { ConnectorError } from '../error.ts'
import { quote, text } from './sql-text.ts'

/** What a database must say and do, for `createSqlTables` to keep tables in it. */
export type SqlEngine = {
  /** for messages: what it is and where */
  readonly name: string
  readonly maxNameBytes?: number | undefined
  /** Runs one statement. */
  readonly query: (sql: string) => Promise<readonly (readonly unknown[])[]>
  /** Opens a transaction in which also tables can change. */
  readonly begin: () => Promise<void>
  /** Ends the transaction, if there is still one. */
  readonly rollback: () => Promise<void>
  /** Empties the table `staging`, gives it a column `c0`, `c1` … for each of these, and fills it. */
  readonly stage: (columns: readonly Column[], rows: readonly Row[]) => Promise<Staged>
  /** the whole name of a table, quoted */
  readonly target: (table: string) => string
  readonly toType: (type: ColumnType) => string
  /** a time as a value of the column `synced` */
  readonly toTime: (iso: string) => string
  /** Of any table, with system columns. */
  readonly readColumns: (table: string) => Promise<readonly Column[]>
  /** With a transaction around it, and `from` as it is now. */
  readonly changeType: (table: string, change: TypeChange) => Promise<'changed' | 'inexact'>
  /** Helps to find rows by their key. */
  readonly indexKey?: (table: Table) => Promise<void>
  readonly toFailure: (cause: unknown) => ConnectorError
  readonly close: () => Promise<void>
}

export type TypeChange = { readonly name: string; readonly from: ColumnType; readonly to: ColumnType }

/** How rows of `staging` meet those of a table. */
export type Staged = {
  /** staged values by column, in the order of `columns` of `stage` */
  readonly values: readonly string[]
  /** a condition on the row `t` of the target: some staged row `s` has the same values, null and all */
  readonly isThere: (target: string, columns: readonly Column[]) => string
  /** a condition on the rows `t` and `s`: they have the same values, null and all */
  readonly isSame: (columns: readonly Column[]) => string
}

type Open = { readonly engine: SqlEngine; readonly options: DestinationOptions; isWriting: boolean }

const stateTable = '_sluice_state'
const capabilities: Capabilities = {
  merge: true,
  transaction: true,
  update: true,
  delete: true,
  history: false,
  evolution: 'widen',
}

/**
 * Tables in a database, with the state beside them in the same transaction. Rows go into a staging table by the fastest way that the
 * engine has, and from there to where they belong by one statement each.
 */
export async function createSqlTables(engine: SqlEngine, options: DestinationOptions): Promise<Destination> {
  const open: Open = { engine, options, isWriting: false }
  const guard = <Args extends unknown[], Result>(work: (open: Open, ...args: Args) => Promise<Result>) => {
    return (...args: Args): Promise<Result> =>
      work(open, ...args).catch((error: unknown) => {
        throw error instanceof ConnectorError ? error : engine.toFailure(error)
      })
  }
  await guard(prepare)().catch(async (error: unknown) => {
    await engine.close()
    throw error
  })
  return {
    name: engine.name,
    capabilities,
    maxNameBytes: engine.maxNameBytes,
    readState: guard(readState),
    readColumns: guard(readColumns),
    createTable: guard(createTable),
    addColumns: guard(addColumns),
    changeType: guard(changeType),
    write: guard(write),
    sweep: guard(sweep),
    countRows: guard(countRows),
    commit: guard(commit),
    rollback: guard(rollback),
    close: engine.close,
    [Symbol.asyncDispose]: engine.close,
  }
}

async function prepare({ engine }: Open): Promise<void> {
  const columns = 'connector text primary key, state text not null'
  await engine.query(`create table if not exists ${engine.target(stateTable)} (${columns})`)
}

async function begin(open: Open): Promise<void> {
  if (open.isWriting) return
  await open.engine.begin()
  open.isWriting = true
}

async function readState({ engine, options }: Open): Promise<string | undefined> {
  const [row] = await engine.query(
    `select state from ${engine.target(stateTable)} where connector = ${text(options.connector)}`,
  )
  return row?.[0] as string | undefined // a column of text
}

async function commit(open: Open, state: string): Promise<void> {
  await begin(open)
  const { engine, options } = open
  await engine.query(
    `insert into ${engine.target(stateTable)} (connector, state) values (${text(options.connector)}, ${text(state)})
     on conflict (connector) do update set state = excluded.state`,
  )
  await engine.query('commit')
  open.isWriting = false
}

async function rollback(open: Open): Promise<void> {
  if (!open.isWriting) return
  open.isWriting = false
  await open.engine.rollback()
}

async function readColumns({ engine, options }: Open, table: string): Promise<readonly Column[] | undefined> {
  const { synced, deleted } = options.system
  const columns = await engine.readColumns(table)
  return columns.length === 0 ? undefined : columns.filter(({ name }) => name !== synced && name !== deleted)
}

async function createTable(open: Open, table: Table): Promise<void> {
  await begin(open)
  const { engine, options } = open
  checkNames(engine, [table.name, ...table.columns.map(({ name }) => name)])
  const own = [
    `${quote(options.system.deleted)} ${engine.toType('BOOLEAN')} not null`,
    `${quote(options.system.synced)} ${engine.toType('UTC_DATETIME')} not null`,
  ]
  const columns = [...table.columns.map((column) => define(engine, column)), ...own]
  await engine.query(`create table ${engine.target(table.name)} (${columns.join(', ')})`)
  if (table.key.length > 0) await engine.indexKey?.(table)
}

const define = ({ toType }: SqlEngine, { name, type }: Column): string => `${quote(name)} ${toType(type)}`

/** Names that are too long would be cut by the database without a word, and two could become one. */
function checkNames({ name: place, maxNameBytes }: SqlEngine, names: readonly string[]): void {
  const long = names.find((name) => maxNameBytes !== undefined && Buffer.byteLength(name) > maxNameBytes)
  if (long !== undefined)
    throw new ConnectorError(
      'destination',
      `${place}: the name ${long} has more than ${maxNameBytes} bytes; shorten it`,
    )
  if (names[0] === stateTable)
    throw new ConnectorError('destination', `${place}: the table ${stateTable} keeps states; choose another name`)
}

async function addColumns(open: Open, table: string, columns: readonly Column[]): Promise<void> {
  await begin(open)
  const { engine } = open
  checkNames(engine, [table, ...columns.map(({ name }) => name)])
  for (const column of columns)
    await engine.query(`alter table ${engine.target(table)} add column ${define(engine, column)}`)
}

async function changeType(open: Open, table: string, { name, type }: Column): Promise<'changed' | 'inexact'> {
  await begin(open)
  const columns = await open.engine.readColumns(table)
  const from = columns.find((column) => column.name === name)?.type
  if (from === undefined) throw new Error(`table ${table} has no column ${name}`)
  return open.engine.changeType(table, { name, from, to: type })
}

async function write(open: Open, batch: Batch): Promise<void> {
  await begin(open)
  const { table, upserts, updates, deletes } = batch
  const key = table.key.flatMap((name) => table.columns.find((column) => column.name === name) ?? [])
  if (upserts.length > 0) await upsert(open, batch, key)
  for (const { columns, rows } of updates) await update(open, batch, { columns, rows, key })
  if (deletes.length > 0) await remove(open, batch, key)
}

async function upsert({ engine, options }: Open, batch: Batch, key: readonly Column[]): Promise<void> {
  const { table, upserts, syncedAt } = batch
  const { deleted, synced } = options.system
  const target = engine.target(table.name)
  const staged = await engine.stage(table.columns, upserts)
  await engine.query(`delete from ${target} as t where ${staged.isThere(target, key)}`)
  const names = [...table.columns.map(({ name }) => name), deleted, synced].map(quote).join(', ')
  const values = [...staged.values, 'false', engine.toTime(syncedAt)].join(', ')
  await engine.query(`insert into ${target} (${names}) select ${values} from staging as s`)
}

type Part = { readonly columns: readonly Column[]; readonly rows: readonly Row[]; readonly key: readonly Column[] }

async function update({ engine, options }: Open, batch: Batch, { columns, rows, key }: Part): Promise<void> {
  const staged = await engine.stage(columns, rows)
  const keyNames = key.map(({ name }) => name)
  const changes = columns.flatMap(({ name }, index) =>
    keyNames.includes(name) ? [] : [`${quote(name)} = ${staged.values[index]}`],
  )
  const all = [...changes, `${quote(options.system.synced)} = ${engine.toTime(batch.syncedAt)}`].join(', ')
  const target = engine.target(batch.table.name)
  await engine.query(`update ${target} as t set ${all} from staging as s where ${staged.isSame(key)}`)
}

async function remove(open: Open, { table, deletes, syncedAt }: Batch, key: readonly Column[]): Promise<void> {
  const staged = await open.engine.stage(key, deletes)
  const isThere = staged.isThere(open.engine.target(table.name), key)
  await open.engine.query(`${markAll(open, table, syncedAt)} where ${isThere} and ${isLive(open)}`)
}

const isLive = ({ options }: Open): string => `not t.${quote(options.system.deleted)}`

function markAll({ engine, options }: Open, table: Table, syncedAt: string): string {
  const { deleted, synced } = options.system
  return `update ${engine.target(table.name)} as t set ${quote(deleted)} = true, ${quote(synced)} = ${engine.toTime(syncedAt)}`
}

async function sweep(open: Open, { table, syncedAt, syncedBefore, where, maxShare = 1 }: Sweep): Promise<Swept> {
  await begin(open)
  const { engine, options } = open
  const target = engine.target(table.name)
  const conditions = [isLive(open)]
  if (syncedBefore !== undefined) conditions.push(`t.${quote(options.system.synced)} < ${engine.toTime(syncedBefore)}`)
  if (where) {
    const staged = await engine.stage(where.columns, where.rows)
    conditions.push(staged.isThere(target, where.columns))
  }
  const live = await countRows(open, table.name)
  const condition = conditions.join(' and ')
  const deleted = await count(engine, `${target} as t where ${condition}`)
  const isStopped = deleted > live * maxShare
  if (!isStopped && deleted > 0) await engine.query(`${markAll(open, table, syncedAt)} where ${condition}`)
  return { deleted, live, isStopped }
}

async function count(engine: SqlEngine, source: string): Promise<number> {
  const [[found] = []] = await engine.query(`select count(*) from ${source}`)
  return Number(found)
}

async function countRows(open: Open, table: string): Promise<number> {
  const columns = await open.engine.readColumns(table)
  return columns.length === 0 ? 0 : count(open.engine, `${open.engine.target(table)} as t where ${isLive(open)}`)
}
