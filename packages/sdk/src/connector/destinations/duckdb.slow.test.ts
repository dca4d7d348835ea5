import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Table } from '../destination.ts'
import { contractSystem, destinationContract, type Place } from '../destination-contract.ts'
import { deleteCases, evolutionCases, mergeCases, transactionCases, updateCases } from '../destination-sections.ts'
import { readDuckDb } from './duckdb-read.ts'
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
    read: (table) => readDuckDb(file, `tester.${table}`),
  }
}

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

test('a file, a schema and a table may have the same name', async (context) => {
  const file = useFile(context).replace('warehouse', 'orders')
  const table: Table = { name: 'orders', key: ['id'], columns: [{ name: 'id', type: 'LONG' }] }
  const options = { file, schema: 'orders', connector: 'orders', system: contractSystem }
  for (const id of [1, 2]) {
    await using destination = await openDuckDb(options)
    if (id === 1) await destination.createTable(table)
    await destination.write({ table, syncedAt: '2026-01-01T00:00:00Z', upserts: [[id]], updates: [], deletes: [] })
    await destination.commit('{}')
    assert.equal(await destination.countRows('orders'), id)
  }
})
