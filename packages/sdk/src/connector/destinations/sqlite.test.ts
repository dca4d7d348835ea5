import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { parseType } from '../column-type.ts'
import { contractSystem, destinationContract, type Place } from '../destination-contract.ts'
import { deleteCases, evolutionCases, mergeCases, transactionCases, updateCases } from '../destination-sections.ts'
import { convert } from '../value.ts'
import { openSqlite } from './sqlite.ts'

function useFile(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-sqlite-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'files', 'tables.sqlite')
}

const openPlace = async (context: TestContext): Promise<Place> => {
  const file = useFile(context)
  return {
    open: (connector) => openSqlite({ file, connector, system: contractSystem }),
    read: async (table) => readTexts(file, table),
  }
}

function readTexts(file: string, table: string): Record<string, string | null>[] {
  const database = new DatabaseSync(file, { readOnly: true })
  const columns = database.prepare('select name, type from pragma_table_info(?)').all(table)
  const select = database.prepare(`select * from "${table}"`)
  select.setReadBigInts(true)
  const rows = select.all()
  database.close()
  return rows.map((row) =>
    Object.fromEntries(columns.map(({ name, type }) => [name, toText(row[String(name)], String(type))])),
  )
}

// What stands in the file is read as its declared type says, not as the destination reads it.
function toText(value: unknown, declared: string): string | null {
  if (value === null) return null
  const kept = declared === 'boolean' ? value === 1n : value
  const type = { datetime_text: 'NAIVE_DATETIME', utc_datetime_text: 'UTC_DATETIME' }[declared] ?? 'STRING'
  const parsed = parseType(type)
  return String(convert(kept, 'type' in parsed ? parsed.type : 'STRING'))
}

destinationContract('SQLite', openPlace, {
  merge: mergeCases,
  transaction: transactionCases,
  update: updateCases,
  delete: deleteCases,
  evolution: evolutionCases,
})

test('a file that is no database says so', async (context) => {
  const file = join(useFile(context), '..', '..', 'broken.sqlite')
  writeFileSync(file, 'this is not a database, and long enough that nobody takes it for an empty one'.repeat(20))
  await assert.rejects(openSqlite({ file, connector: 'a', system: contractSystem }), {
    kind: 'destination',
    message: /^SQLite .*broken\.sqlite: file is not a database/,
  })
})
