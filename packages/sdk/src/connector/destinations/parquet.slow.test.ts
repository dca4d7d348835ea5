import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import {
  contractSystem,
  destinationContract,
  fill,
  laterAt,
  orders,
  rowsOf,
  using,
  type Place,
} from '../destination-contract.ts'
import { deleteCases, evolutionCases, mergeCases, transactionCases, updateCases } from '../destination-sections.ts'
import { readDuckDb } from './duckdb-read.ts'
import type { Manifest } from './manifest.ts'
import { openParquet } from './parquet.ts'

const openPlace = async (context: TestContext): Promise<Place & { readonly folder: string }> => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-parquet-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const inside = join(folder, 'shop')
  return {
    folder: inside,
    open: (connector) => openParquet({ folder, connector, system: contractSystem }),
    read: async (table) => {
      const manifest = JSON.parse(readFileSync(join(inside, 'manifest.json'), 'utf8')) as Manifest // the destination wrote it
      const file = join(folder, 'read.duckdb')
      rmSync(file, { force: true })
      await copyTo(
        file,
        (manifest.tables[table]?.files ?? []).map(({ name }) => join(inside, name)),
      )
      return readDuckDb(file, 'tester.copied')
    },
  }
}

/** As any reader of Parquet finds it. */
async function copyTo(file: string, parquet: readonly string[]): Promise<void> {
  const instance = await DuckDBInstance.create(file)
  const connection = await instance.connect()
  const list = parquet.map((path) => `'${path}'`).join(', ')
  await connection.run(`create schema tester; create table tester.copied as select * from read_parquet([${list}])`)
  connection.closeSync()
  instance.closeSync()
}

destinationContract('Parquet', openPlace, {
  merge: mergeCases,
  transaction: transactionCases,
  update: updateCases,
  delete: deleteCases,
  evolution: evolutionCases,
})

test('files that nobody names go with the next commit, and those of the commit before stay for who reads them', async (context) => {
  const place = await openPlace(context)
  await fill(place, orders, [[1, 'a', 1.5]])
  writeFileSync(join(place.folder, 'orders-99.parquet'), 'left by a sync that was killed')
  const write = (id: number): Promise<void> =>
    using(place, async (destination) => {
      const changes = { syncedAt: laterAt, upserts: [[id, 'b', 2.5]], updates: [], deletes: [] }
      await destination.write({ ...changes, table: orders })
      await destination.commit('{}')
    })
  const list = (): string[] => readdirSync(place.folder).filter((name) => name.endsWith('.parquet'))
  await write(2)
  assert.deepEqual(list(), ['orders-1.parquet', 'orders-2.parquet'])
  await write(3)
  assert.deepEqual(list(), ['orders-2.parquet', 'orders-3.parquet'])
  assert.equal((await rowsOf(place, orders)).length, 3)
})

test('a file that is gone is no success', async (context) => {
  const place = await openPlace(context)
  await fill(place, orders, [[1, 'a', 1.5]])
  rmSync(join(place.folder, 'orders-1.parquet'))
  await using(place, async (destination) => {
    const changes = { syncedAt: laterAt, upserts: [[2, 'b', 2.5]], updates: [], deletes: [] }
    await assert.rejects(destination.write({ ...changes, table: orders }), {
      kind: 'destination',
      message: /orders-1\.parquet/,
    })
  })
})
