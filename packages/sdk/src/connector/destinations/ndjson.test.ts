import assert from 'node:assert/strict'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
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
import { transactionCases, updateCases } from '../destination-sections.ts'
import { parseExact } from '../exact-json.ts'
import { historyCases, recordDeleteCases } from '../record-sections.ts'
import { foldToTexts, type ReadRecord } from './fold-records.ts'
import { toFileName, type Manifest } from './manifest.ts'
import { openNdjson } from './ndjson.ts'

type Files = Place & { readonly folder: string }

const openPlace = async (context: TestContext): Promise<Files> => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-ndjson-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const inside = join(folder, 'shop')
  return {
    folder: inside,
    open: (connector) => openNdjson({ folder, connector, system: contractSystem }),
    read: async (table) => {
      const { key, columns } = readManifest(inside).tables[table] ?? { key: [], columns: [] }
      return foldToTexts(readLines(inside, table), { key, columns })
    },
    readRecords: async (table) => readLines(inside, table),
  }
}

const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest // the destination wrote it

function readLines(folder: string, table: string): ReadRecord[] {
  const lines = readFileSync(join(folder, `${toFileName(table)}.ndjson`), 'utf8').split('\n')
  return lines.slice(0, -1).map((line) => {
    const { _sluice_change: change = 'upsert', _sluice_deleted, ...members } = parseExact(line) as ReadRecord['members']
    assert.equal(_sluice_deleted ?? true, change === 'delete' || change === 'truncate')
    const { _sluice_synced: syncedAt, ...rest } = members
    return { change, syncedAt, members: rest } as ReadRecord // as the destination prints it
  })
}

destinationContract('NDJSON', openPlace, {
  transaction: transactionCases,
  update: updateCases,
  delete: recordDeleteCases,
  history: historyCases,
})

test('what stands behind the last commit is cut off, and files that it does not know are gone', async (context) => {
  const place = await openPlace(context)
  await fill(place, orders, [[1, 'a', 1.5]])
  appendFileSync(join(place.folder, 'orders.ndjson'), '{"id":2,"na')
  appendFileSync(join(place.folder, 'others.ndjson'), '{"id":2}\n')
  await using(place, async (destination) => assert.equal(await destination.countRows('orders'), 1))
  assert.deepEqual(await rowsOf(place, orders), [['1', 'a', '1.5']])
  assert.equal(existsSync(join(place.folder, 'others.ndjson')), false)
})

test('a file that lost what was committed is no success', async (context) => {
  const place = await openPlace(context)
  await fill(place, orders, [[1, 'a', 1.5]])
  truncateSync(join(place.folder, 'orders.ndjson'), 3)
  await assert.rejects(place.open('shop'), { kind: 'destination', message: /orders\.ndjson has 3 bytes, and \d+ were/ })
  rmSync(join(place.folder, 'orders.ndjson'))
  await assert.rejects(place.open('shop'), { kind: 'destination', message: /orders\.ndjson is gone/ })
})

test('lines are rows, and say what else they are', async (context) => {
  const place = await openPlace(context)
  await fill(place, orders, [[1, 'a', 1.5]])
  await using(place, async (destination) => {
    await destination.write({ table: orders, syncedAt: laterAt, upserts: [], updates: [], deletes: [[1]] })
    await destination.commit('{}')
  })
  assert.equal(
    readFileSync(join(place.folder, 'orders.ndjson'), 'utf8'),
    `{"id":1,"name":"a","total":1.5,"_sluice_deleted":false,"_sluice_synced":"2026-01-01T00:00:00Z"}
{"id":1,"_sluice_deleted":true,"_sluice_synced":"2026-01-02T00:00:00Z","_sluice_change":"delete"}
`,
  )
})

test('names of tables become names of files that differ', () => {
  const names = ['a', 'A', 'a/b', '../x', 'a b', 'ä', 'con.', '%41', '']
  const made = names.map(toFileName)
  assert.equal(new Set(made.map((name) => name.toLowerCase())).size, names.length)
  assert.ok(made.every((name) => /^[a-z0-9_%A-F-]*$/.test(name)))
})
