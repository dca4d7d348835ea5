import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import pg from 'pg'
import { usePostgres } from '../../../../../scripts/use-postgres.ts'
import {
  contractSystem,
  destinationContract,
  fill,
  laterAt,
  orders,
  rowsOf,
  syncedAt,
  using,
  type Place,
} from '../destination-contract.ts'
import { deleteCases, evolutionCases, mergeCases, transactionCases, updateCases } from '../destination-sections.ts'
import type { Row, Table } from '../destination.ts'
import { fromPostgresType, toWider } from './postgres-types.ts'
import { openPostgres } from './postgres.ts'
import { quote } from './sql-text.ts'

const postgres = await usePostgres()
let places = 0

const openPlace = async (): Promise<Place> => {
  const schema = `place ${(places += 1)}`
  return {
    open: (connector) => openPostgres({ url: postgres.url, schema, connector, system: contractSystem }),
    read: (table) => readTexts(schema, table),
  }
}

async function run(sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(postgres.url)
  await client.connect()
  const { rows } = await client.query<Record<string, unknown>>(sql).finally(() => client.end())
  return rows
}

async function readTexts(schema: string, table: string): Promise<Record<string, string | null>[]> {
  const columns = await run(
    `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
     where attrelid = '${quote(schema)}.${quote(table)}'::regclass and attnum > 0 and not attisdropped`,
  )
  const texts = columns.map(({ name, type }) => {
    const change = { name: String(name), from: fromPostgresType(String(type)), to: 'STRING' as const }
    return `${toWider(change)} as ${quote(change.name)}`
  })
  const rows = await run(`select ${texts.join(', ')} from ${quote(schema)}.${quote(table)}`)
  return rows as Record<string, string | null>[] // all of them were made texts
}

if (postgres.skip === false)
  destinationContract('Postgres', openPlace, {
    merge: mergeCases,
    transaction: transactionCases,
    update: updateCases,
    delete: deleteCases,
    evolution: evolutionCases,
  })

const skip = postgres.skip
const empty = { syncedAt: laterAt, updates: [], deletes: [] }
const texts: Table = {
  name: 'texts',
  key: ['id'],
  columns: [
    { name: 'id', type: 'LONG' },
    { name: 'text', type: 'STRING' },
  ],
}

test('any text comes back from Postgres', { skip }, async () => {
  const place = await openPlace()
  const strings = fc.sample(fc.string({ unit: 'binary', maxLength: 50 }), 2000).map((each) => each.replaceAll('\0', ''))
  await fill(
    place,
    texts,
    strings.map((each, index) => [index, each]),
  )
  const rows = await rowsOf(place, texts)
  assert.deepEqual(
    rows.map(([, kept]) => kept),
    strings,
  )
})

test('NUL is refused, and replaced by option', { skip }, async () => {
  const place = await openPlace()
  await fill(place, texts, [[1, 'a']])
  const upserts = [[2, 'b\0c']]
  await using(place, async (destination) => {
    await assert.rejects(destination.write({ ...empty, table: texts, upserts }), {
      kind: 'destination',
      message: /NUL/,
    })
    await destination.rollback()
    assert.equal(await destination.countRows('texts'), 1)
  })
  const replacing: Place = {
    ...place,
    open: (connector) =>
      openPostgres({ url: postgres.url, schema: `place ${places}`, connector, nul: 'replace', system: contractSystem }),
  }
  await using(replacing, async (destination) => {
    await destination.write({ ...empty, table: texts, upserts })
    await destination.commit('{}')
  })
  assert.deepEqual((await rowsOf(place, texts))[1], ['2', 'b\uFFFDc'])
})

test('a name of more than 63 bytes is refused, which Postgres would cut', { skip }, async () => {
  await using(await openPlace(), async (destination) => {
    assert.equal(destination.maxNameBytes, 63)
    const name = 'ü'.repeat(32)
    const message = /has more than 63 bytes; shorten it$/
    await assert.rejects(destination.createTable({ ...orders, name }), { kind: 'destination', message })
    await destination.createTable(orders)
    await assert.rejects(destination.addColumns('orders', [{ name, type: 'LONG' }]), { kind: 'destination', message })
  })
})

test('a row that is too wide for Postgres says so', { skip }, async () => {
  const columns = Array.from({ length: 1100 }, (_, index) => ({ name: `c${index}`, type: 'LONG' as const }))
  await using(await openPlace(), async (destination) => {
    const table = { name: 'wide', key: ['c0'], columns }
    await destination.createTable(table)
    const upserts: Row[] = [columns.map((_, index) => index)]
    await assert.rejects(destination.write({ ...empty, table, upserts }), {
      kind: 'destination',
      message: /row is too big: .*; the values of a row, or of its key, are too long for Postgres/,
    })
  })
})

test('a connection that dies in a merge leaves the last checkpoint, and is an error', { skip }, async () => {
  const place = await openPlace()
  await fill(place, orders, [[1, 'a', 1.5]])
  const destination = await place.open('shop')
  await destination.write({ ...empty, table: orders, upserts: [[1, 'b', 2.5]] })
  await run(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sluice' and state <> 'active' and datname = current_database()`,
  )
  const failure = { kind: 'destination', message: /^Postgres .*, schema place \d+: / }
  await assert.rejects(destination.write({ ...empty, table: orders, upserts: [[2, 'b', 2.5]] }), failure)
  await assert.rejects(destination.rollback(), failure)
  await destination.close()
  assert.deepEqual(await rowsOf(place, orders), [['1', 'a', '1.5']])
  await using(place, async (again) => assert.equal(await again.readState(), '{"filled":true}'))
})

test('keys with nulls among many rows are found, and no row twice', { skip }, async () => {
  const place = await openPlace()
  const table: Table = { ...texts, key: ['id', 'text'] }
  const upserts: Row[] = Array.from({ length: 20_000 }, (_, index) => [index % 10_000, index < 10_000 ? null : 'x'])
  await fill(place, table, upserts)
  await using(place, async (destination) => {
    await destination.write({ ...empty, syncedAt, table, upserts })
    await destination.commit('{}')
    assert.equal(await destination.countRows('texts'), 20_000)
  })
})

test('what cannot be opened says why, without the password', { skip }, async () => {
  const open = (change: Partial<URL>): Promise<unknown> =>
    openPostgres({
      url: Object.assign(new URL(postgres.url), change).href,
      connector: 'a',
      system: contractSystem,
    })
  await assert.rejects(open({ pathname: '/nowhere' }), {
    kind: 'destination',
    message: /^Postgres 127\.0\.0\.1:\d+\/nowhere, schema a: .*; make the database first$/,
  })
  await assert.rejects(open({ username: 'nobody', password: 'hush-hush' }), (error: Error) => {
    assert.match(error.message, /^Postgres 127\.0\.0\.1:\d+\/.*nobody/)
    assert.doesNotMatch(error.message, /hush/)
    return true
  })
  const nonsense = openPostgres({ url: 'not an address', connector: 'a', system: contractSystem })
  await assert.rejects(nonsense, { kind: 'configuration' })
})
