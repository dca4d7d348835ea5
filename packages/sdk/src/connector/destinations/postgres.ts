import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Client } from 'pg'
import type { from } from 'pg-copy-streams'
import type { ColumnType } from '../column-type.ts'
import type { Column, Destination, DestinationOptions, Row } from '../destination.ts'
import { ConnectorError, toMessage } from '../error.ts'
import { toCopyText, type NulPolicy } from './copy-text.ts'
import { fromPostgresType, inexactCheck, toPostgresType, toWider } from './postgres-types.ts'
import { createSqlTables, type SqlEngine, type Staged, type TypeChange } from './sql-tables.ts'
import { quote, text } from './sql-text.ts'

export type PostgresOptions = DestinationOptions & {
  /** of the database: `postgres://user:password@host:5432/name` */
  readonly url: string
  /** of the tables and the state, made where there is none; default the name of the connector */
  readonly schema?: string | undefined
  /** default `refuse` */
  readonly nul?: NulPolicy | undefined
}

type Open = {
  readonly client: Client
  readonly copyFrom: typeof from
  readonly schema: string
  readonly nul: NulPolicy
}

/**
 * Tables in a schema of Postgres 13 or later, with the state beside them in the same transaction. A second sync of the same connector
 * into the same schema waits 10 seconds for the first, and gives up. The driver is loaded here: it is an optional dependency.
 *
 * @throws ConnectorError if the driver is not installed, the database cannot be reached, or lacks a right
 * @example await using tables = await openPostgres({ url: 'postgres://127.0.0.1/warehouse', connector: 'people_ai', system })
 */
export async function openPostgres(options: PostgresOptions): Promise<Destination> {
  const { url, connector, schema = connector, nul = 'refuse' } = options
  const name = `Postgres ${toPlace(url)}, schema ${schema}`
  const toFailure = (cause: unknown): ConnectorError =>
    new ConnectorError('destination', `${name}: ${toMessage(cause)}${toHint(cause)}`, { cause })
  const { pg, copyStreams } = await loadDriver()
  const client = new pg.Client({ connectionString: url, application_name: 'sluice', keepAlive: true })
  // The statement that is under way fails, too, and says so.
  client.on('error', () => {})
  const open: Open = { client, copyFrom: copyStreams.from, schema, nul }
  try {
    await client.connect()
    await prepare(open, connector)
  } catch (cause) {
    await client.end().catch(() => {})
    throw toFailure(cause)
  }
  return createSqlTables(createEngine(open, name, toFailure), options)
}

async function loadDriver() {
  try {
    const [{ default: pg }, { default: copyStreams }] = await Promise.all([import('pg'), import('pg-copy-streams')])
    return { pg, copyStreams }
  } catch (cause) {
    const message = 'the driver of Postgres is not installed; install it with: npm install pg pg-copy-streams'
    throw new ConnectorError('destination', message, { cause })
  }
}

/** Without user and password. */
function toPlace(url: string): string {
  if (!URL.canParse(url))
    throw new ConnectorError('configuration', 'the url of Postgres must be postgres://HOST/DATABASE')
  const { host, pathname } = new URL(url)
  return `${host}${pathname}`
}

async function prepare({ client, schema }: Open, connector: string): Promise<void> {
  await client.query(`set datestyle = 'ISO'; set standard_conforming_strings = on; set client_min_messages = warning`)
  await client.query(`set lock_timeout = '10s'`)
  await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [`sluice ${schema} ${connector}`])
  // Who may not make schemas can be given one.
  const { rowCount } = await client.query('select from pg_namespace where nspname = $1', [schema])
  if (rowCount === 0) await client.query(`create schema ${quote(schema)}`)
}

const hints: Readonly<Record<string, string>> = {
  '22P05': 'the database has an encoding other than UTF8',
  '3D000': 'make the database first',
  '42501': 'grant it to the user, or choose another schema',
  '53100': 'make space, and run it again: it goes on at the last checkpoint',
  '54000': 'the values of a row, or of its key, are too long for Postgres',
  '54011': 'Postgres has at most 1,600 columns a table',
  '55P03': 'another sync of this connector is under way: end that one first',
}

function toHint(cause: unknown): string {
  const { code } = cause as { readonly code?: unknown } // errors of the driver have it
  const hint = typeof code === 'string' ? hints[code] : undefined
  return hint === undefined ? '' : `; ${hint}`
}

function createEngine(open: Open, name: string, toFailure: SqlEngine['toFailure']): SqlEngine {
  const { client, schema } = open
  const target = (table: string): string => `${quote(schema)}.${quote(table)}`
  return {
    name,
    maxNameBytes: 63,
    query: (sql) => query(client, sql),
    begin: async () => void (await client.query('begin')),
    rollback: async () => void (await client.query('rollback')),
    stage: (columns, rows) => stage(open, columns, rows),
    target,
    toType: toPostgresType,
    toTime: (iso) => `${text(iso)}::timestamptz`,
    readColumns: (table) => readColumns(open, table),
    changeType: (table, change) => changeType(open, target(table), change),
    indexKey: async (table) => {
      // JSON cannot be compared, so nothing is found by it.
      const key = table.key.filter((column) => !isJson(table.columns, column))
      if (key.length > 0) await client.query(`create index on ${target(table.name)} (${key.map(quote).join(', ')})`)
    },
    toFailure,
    close: () => client.end(),
  }
}

const isJson = (columns: readonly Column[], name: string): boolean =>
  columns.some((column) => column.name === name && column.type === 'JSON')

async function query(client: Client, sql: string): Promise<unknown[][]> {
  const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' })
  return rows
}

async function readColumns({ client, schema }: Open, table: string): Promise<Column[]> {
  const rows = await query(
    client,
    `select a.attname, format_type(a.atttypid, a.atttypmod)
     from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${text(schema)} and c.relname = ${text(table)} and c.relkind in ('r', 'p')
       and a.attnum > 0 and not a.attisdropped
     order by a.attnum`,
  )
  return rows.map(([name, type]) => ({ name: String(name), type: fromPostgresType(String(type)) }))
}

/** COPY is the way in that costs least: it parses straight into the types of the target. */
async function stage(open: Open, columns: readonly Column[], rows: readonly Row[]): Promise<Staged> {
  const { client, copyFrom, nul } = open
  const types = columns.map(({ type }, index) => `c${index} ${toPostgresType(type)}`).join(', ')
  await client.query(`drop table if exists pg_temp.staging; create temp table staging (${types})`)
  const stream = client.query(copyFrom('copy pg_temp.staging from stdin'))
  await pipeline(Readable.from(toCopyText(columns, rows, nul)), stream)
  const same = columns.map(({ name, type }, index) => {
    const hasNull = rows.some((row) => row[index] === null || row[index] === undefined)
    return toSame(name, { staged: `s.c${index}`, type, hasNull })
  })
  const isSame = (some: readonly Column[]): string =>
    some.map(({ name }) => same[columns.findIndex((column) => column.name === name)]).join(' and ')
  return {
    values: columns.map((_, index) => `s.c${index}`),
    isSame,
    isThere: (_, some) => `exists (select from pg_temp.staging as s where ${isSame(some)})`,
  }
}

type Side = { readonly staged: string; readonly type: ColumnType; readonly hasNull: boolean }

/** `is not distinct from` finds nothing by an index or a hash; lists are equal also where both hold a null. */
function toSame(name: string, { staged, type, hasNull }: Side): string {
  const cast = type === 'JSON' ? '::text' : ''
  const [left, right] = [`t.${quote(name)}${cast}`, `${staged}${cast}`]
  return hasNull ? `array[${left}] = array[${right}]` : `${left} = ${right}`
}

async function changeType(open: Open, target: string, change: TypeChange): Promise<'changed' | 'inexact'> {
  const { client } = open
  const column = quote(change.name)
  const check = inexactCheck(change)
  if (check !== undefined && (await query(client, `select from ${target} where ${check} limit 1`)).length > 0)
    return 'inexact'
  const type = toPostgresType(change.to)
  await client.query(`alter table ${target} alter column ${column} type ${type} using ${toWider(change)}`)
  const isPrinted = (change.from === 'DOUBLE' || change.from === 'FLOAT') && type === 'text'
  if (isPrinted) await printDoubles(open, target, column)
  return 'changed'
}

/** Postgres writes very large and very small doubles in another way than `convert` does. */
async function printDoubles(open: Open, target: string, column: string): Promise<void> {
  const found = await query(open.client, `select distinct ${column} from ${target} where ${column} ~ '(e|^-0$)'`)
  if (found.length === 0) return
  const columns = ['before', 'after'].map((name): Column => ({ name, type: 'STRING' }))
  await stage(
    open,
    columns,
    found.map(([before]) => [String(before), String(Number(before))]),
  )
  await open.client.query(
    `update ${target} as t set ${column} = s.c1 from pg_temp.staging as s where t.${column} = s.c0`,
  )
}
