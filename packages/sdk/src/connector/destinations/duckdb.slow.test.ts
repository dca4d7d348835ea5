import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { contractSystem, destinationContract, type Place } from '../destination-contract.ts'
import { deleteCases, evolutionCases, mergeCases, transactionCases, updateCases } from '../destination-sections.ts'
import { fromDuckType, quote, toWider } from './duckdb-sql.ts'
import { openDuckDb } from './duckdb.ts'

function useFile(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-duckdb-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'files', 'warehouse.duckdb')
}

const openPlace = async (context: TestContext): Promise<Place> => {
  const file = useFile(context)
  return {
    open: (connector) => openDuckDb({ file, connector, system: contractSystem }),
    read: (table) => readTexts(file, table),
  }
}

async function readTexts(file: string, table: string): Promise<Record<string, string | null>[]> {
  const instance = await DuckDBInstance.create(file, { access_mode: 'READ_ONLY' })
  const connection = await instance.connect()
  const found = await connection.runAndReadAll(
    `select column_name, data_type from duckdb_columns() where schema_name = 'tester' and table_name = ?`,
    [table],
  )
  const columns = found.getRows().map(([name, type]) => toTexts(String(name), fromDuckType(String(type))))
  const rows = await connection.runAndReadAll(`select ${columns.join(', ')} from tester.${quote(table)}`)
  const objects = rows.getRowObjectsJS().map((row) => mapValues(row))
  connection.closeSync()
  instance.closeSync()
  return objects
}

// Doubles are printed here, everything else by the engine.
const toTexts = (name: string, type: ReturnType<typeof fromDuckType>): string =>
  `${/^(DOUBLE|FLOAT)$/.test(type) ? quote(name) : toWider(quote(name), type, 'STRING')} as ${quote(name)}`

const mapValues = (row: Readonly<Record<string, unknown>>): Record<string, string | null> =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value === null ? null : String(value as string | number)]),
  )

destinationContract('DuckDB', openPlace, {
  merge: mergeCases,
  transaction: transactionCases,
  update: updateCases,
  delete: deleteCases,
  evolution: evolutionCases,
})

test('a file that is no database says so', async (context) => {
  const file = useFile(context)
  rmSync(join(file, '..'), { recursive: true, force: true })
  const broken = `${file.replace(/files.*/, '')}broken.duckdb`
  writeFileSync(broken, 'this is not a database, and long enough that nobody takes it for an empty one')
  await assert.rejects(openDuckDb({ file: broken, connector: 'a', system: contractSystem }), {
    kind: 'destination',
    message: /^DuckDB .*broken\.duckdb: /,
  })
})
