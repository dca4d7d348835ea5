import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { useHub } from '../../../../../scripts/use-hub.ts'
import {
  contractSystem,
  destinationContract,
  fill,
  laterAt,
  orders,
  using,
  type Place,
} from '../destination-contract.ts'
import { updateCases } from '../destination-sections.ts'
import { parseExact } from '../exact-json.ts'
import { historyCases, recordDeleteCases } from '../record-sections.ts'
import { foldToTexts, type ReadRecord } from './fold-records.ts'
import { openHub } from './hub.ts'
import type { Manifest } from './manifest.ts'

const { connection, folder: parent } = await useHub()
const { baseUrl: url, apiKey } = connection
let places = 0

const openPlace = async (): Promise<Place> => {
  const number = (places += 1)
  const folder = join(parent, `place-${number}`)
  return {
    // One hub for all: each place has connectors of its own.
    open: (connector) => openHub({ url, apiKey, folder, connector: `${connector}-${number}`, system: contractSystem }),
    read: async (table) => {
      const manifest = JSON.parse(readFileSync(join(folder, `shop-${number}`, 'manifest.json'), 'utf8')) as Manifest // the destination wrote it
      const { key, columns } = manifest.tables[table] ?? { key: [], columns: [] }
      return foldToTexts(await readRecords(`shop-${number}.${table}`), { key, columns })
    },
    readRecords: (table) => readRecords(`shop-${number}.${table}`),
  }
}

const changes = { upserted: 'upsert', updated: 'update', deleted: 'delete', truncated: 'truncate' } as const
type Payload = ReadRecord['members'] & { readonly key?: object; readonly row?: object; readonly synced_at: string }
type Stored = { readonly event_type: string; readonly payload: Payload }

/** All events of a table, oldest first. */
async function readRecords(table: string): Promise<ReadRecord[]> {
  const found: Stored[] = []
  let cursor: string | undefined
  do {
    const query = new URLSearchParams({ event_type: `${table}.*`, limit: '200', ...(cursor && { cursor }) })
    const answer = await fetch(`${url}/v1/events?${query}`, { headers: { authorization: `Bearer ${apiKey}` } })
    const page = parseExact(await answer.text()) as {
      readonly events: readonly Stored[]
      readonly pagination: { readonly next_cursor?: string }
    }
    found.push(...page.events)
    cursor = page.pagination.next_cursor
  } while (cursor)
  return found.toReversed().map(({ event_type: type, payload: { key, row, synced_at: syncedAt, ...said } }) => {
    const change = changes[type.slice(type.lastIndexOf('.') + 1) as keyof typeof changes]
    return { change, syncedAt, members: { ...said, ...key, ...row } }
  })
}

destinationContract('hub', openPlace, { update: updateCases, delete: recordDeleteCases, history: historyCases })

const readAll = async ({ readRecords: read }: Place): Promise<readonly ReadRecord[]> => (await read?.('orders')) ?? []
const empty = { syncedAt: laterAt, updates: [], deletes: [] }
const rows = Array.from({ length: 2500 }, (_, index) => [index, 'a', index / 2])

test('what is sent again after a kill is stored once, in whatever pieces', async () => {
  const place = await openPlace()
  await fill(place, orders, [[1, 'before', 1]])
  await using(place, async (destination) => {
    await destination.write({ ...empty, table: orders, upserts: rows })
  })
  await using(place, async (destination) => {
    assert.equal(destination.unfinished, laterAt)
    const again = { ...empty, table: orders }
    await destination.write({ ...again, upserts: rows.slice(0, 700) })
    await destination.write({ ...again, upserts: rows.slice(700) })
    await destination.commit('{}')
  })
  await using(place, async ({ unfinished }) => assert.equal(unfinished, undefined))
  assert.equal((await readAll(place)).length, 2501)
})

test('a row that comes to be what it was is told, and the next sync is another one', async () => {
  const place = await openPlace()
  await using(place, async (destination) => {
    await destination.createTable(orders)
    for (const name of ['a', 'b', 'a']) await destination.write({ ...empty, table: orders, upserts: [[1, name, 1]] })
    await destination.commit('{}')
    await destination.write({ ...empty, table: orders, upserts: [[1, 'a', 1]] })
    await destination.commit('{}')
  })
  const told = await readAll(place)
  assert.deepEqual(
    told.map(({ members }) => members['name']),
    ['a', 'b', 'a', 'a'],
  )
})

test('a row that is too large for an event is no success, and says which', async () => {
  const place = await openPlace()
  await using(place, async (destination) => {
    await destination.createTable(orders)
    await destination.write({ ...empty, table: orders, upserts: [[7, 'x'.repeat(300_000), 1]] })
    await assert.rejects(destination.commit('{}'), {
      kind: 'destination',
      message: /refused .*"key":\{"id":7\}.*(bytes|KB)/,
    })
    assert.equal(await destination.readState(), undefined)
  })
})

test('a wrong key says what is wrong, and an address that is none', async () => {
  const place = await openPlace()
  const options = { url, apiKey, folder: join(parent, 'wrong'), connector: 'shop', system: contractSystem }
  await using({ ...place, open: () => openHub({ ...options, apiKey: 'slk_a_b' }) }, async (destination) => {
    await destination.write({ ...empty, table: orders, upserts: [[1, 'a', 1]] })
    await assert.rejects(destination.commit('{}'), {
      kind: 'destination',
      message: /api_key must be a key of this hub/,
    })
  })
  await assert.rejects(openHub({ ...options, url: 'localhost' }), { kind: 'configuration', message: /as http:/ })
})
