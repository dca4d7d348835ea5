import type { DuckDBConnection } from '@duckdb/node-api'
import { ConnectorError, toMessage } from '../error.ts'
import { fromDuckType, toWider } from './duckdb-sql.ts'
import { quote, text } from './sql-text.ts'

/** Every value as text, null for null. */
export type TextRow = Readonly<Record<string, string | null>>

/**
 * The rows of a table in a DuckDB file, for tests and for looking: not for large tables.
 *
 * @param table with its schema, as `tester.activity`
 * @throws ConnectorError if there is no such table
 * @example await readDuckDb('files/warehouse.duckdb', 'tester.activity')
 */
export async function readDuckDb(file: string, table: string): Promise<readonly TextRow[]> {
  return reading([file], async (connection) => {
    const [schema = '', ...rest] = table.split('.')
    const name = rest.join('.')
    const columns = await readColumns(connection, { catalog: 'a', schema, name })
    if (columns.length === 0) throw new ConnectorError('destination', `${file} has no table ${table}`)
    const found = await connection.runAndReadAll(
      `select ${columns.map(toText).join(', ')} from a.${quote(schema)}.${quote(name)}`,
    )
    return found.getRowObjectsJS().map(
      (row) =>
        Object.fromEntries(
          Object.entries(row).map(([column, value]) => [
            column,
            value === null ? null : String(value as string | number),
          ]),
        ) as TextRow, // just made of texts and nulls
    )
  })
}

type Named = { readonly name: string; readonly type: string }

/** What two files differ in, table by table; nothing of equal tables. */
export type TableDifference = {
  /** with its schema */
  readonly table: string
  /** columns that only one of them has, or has with another type, as `+total DOUBLE` */
  readonly columns: readonly string[]
  readonly onlyInFirst: number
  readonly onlyInSecond: number
}

/**
 * Compares the tables of two DuckDB files. When rows were synced is no difference.
 *
 * @param first an older one, most often
 * @throws ConnectorError for a file that cannot be read
 */
export async function diffDuckDb(first: string, second: string): Promise<readonly TableDifference[]> {
  return reading([first, second], async (connection) => {
    const names = await connection.runAndReadAll(
      `select distinct schema_name, table_name from duckdb_tables() where database_name in ('a', 'b') and schema_name <> '_sluice' order by all`,
    )
    const differences: TableDifference[] = []
    for (const [schema, name] of names.getRows()) {
      const found = await diffTable(connection, String(schema), String(name))
      if (found.columns.length + found.onlyInFirst + found.onlyInSecond > 0) differences.push(found)
    }
    return differences
  })
}

async function diffTable(connection: DuckDBConnection, schema: string, name: string): Promise<TableDifference> {
  const [before, after] = [
    await readColumns(connection, { catalog: 'a', schema, name }),
    await readColumns(connection, { catalog: 'b', schema, name }),
  ]
  const kept = before.filter(({ name: column }) => after.some((other) => other.name === column) && !isSynced(column))
  const texts = kept.map(toText).join(', ') || 'count(*)'
  const select = (catalog: string, there: readonly Named[]): string =>
    `select ${texts} from ${there.length === 0 ? '(select 1 where false)' : `${catalog}.${quote(schema)}.${quote(name)}`}`
  const count = async (left: string, right: string): Promise<number> => {
    const found = await connection.runAndReadAll(`select count(*) from (${left} except all ${right})`)
    return Number(found.getRows()[0]?.[0])
  }
  const [a, b] = [select('a', before), select('b', after)]
  return {
    table: `${schema}.${name}`,
    columns: [...missing(before, after, '-'), ...missing(after, before, '+')],
    onlyInFirst: await count(a, b),
    onlyInSecond: await count(b, a),
  }
}

const isSynced = (column: string): boolean => /^_(fivetran|sluice)_synced$/.test(column)

function missing(from: readonly Named[], other: readonly Named[], sign: '+' | '-'): string[] {
  return from
    .filter(({ name, type }) => !other.some((column) => column.name === name && column.type === type))
    .map(({ name, type }) => `${sign}${name} ${type}`)
}

// Doubles are printed here, where `convert` prints them, and everything else by the engine.
function toText({ name, type }: Named): string {
  const known = fromDuckType(type)
  return `${known === 'DOUBLE' || known === 'FLOAT' ? quote(name) : toWider(quote(name), known, 'STRING')} as ${quote(name)}`
}

type Address = { readonly catalog: string; readonly schema: string; readonly name: string }

async function readColumns(connection: DuckDBConnection, { catalog, schema, name }: Address): Promise<Named[]> {
  const found = await connection.runAndReadAll(
    `select column_name, data_type from duckdb_columns() where database_name = ${text(catalog)} and schema_name = ${text(schema)} and table_name = ${text(name)} order by column_index`,
  )
  return found.getRows().map(([column, type]) => ({ name: String(column), type: String(type) }))
}

/** Opens files to read, as `a` and `b`. */
async function reading<Result>(
  files: readonly string[],
  work: (connection: DuckDBConnection) => Promise<Result>,
): Promise<Result> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    for (const [index, file] of files.entries())
      await connection.run(`attach ${text(file)} as ${index === 0 ? 'a' : 'b'} (read_only)`).catch((cause: unknown) => {
        throw new ConnectorError('destination', `${file} cannot be read: ${toMessage(cause)}`, { cause })
      })
    return await work(connection)
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
