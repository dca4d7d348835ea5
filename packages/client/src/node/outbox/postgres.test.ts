import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { Client, Pool } from 'pg'
import postgres from 'postgres'
import { usePostgres } from '../../../../../scripts/use-postgres.ts'
import { newTable, toEvents } from './open-stages.ts'
import { postgresOutbox } from './postgres.ts'
import { sqliteOutbox } from './sqlite.ts'

const database = await usePostgres()

test('pg: a pool, or a client outside of a transaction, writes nothing', { skip: database.skip }, async () => {
  const pool = new Pool({ connectionString: database.url })
  const outbox = postgresOutbox(pool)
  await outbox.install()
  // @ts-expect-error the types say it, too
  await assert.rejects(outbox.add(pool, toEvents('a', 1)), /needs the open transaction/)
  const client = new Client({ connectionString: database.url })
  await client.connect()
  await assert.rejects(outbox.add(client, toEvents('a', 1)), /await client\.query\('begin'\)/)
  const sql = postgres(database.url, { onnotice: () => undefined })
  // @ts-expect-error
  await assert.rejects(outbox.add(sql, toEvents('a', 1)), /inside of sql\.begin/)
  assert.equal((await outbox.status()).waiting, 0)
  await Promise.all([client.end(), pool.end(), sql.end()])
})

test(
  'pg: transactions on one subject go one after the other, so that their order is that of their commits',
  { skip: database.skip },
  async () => {
    const [one, two] = [new Client(database.url), new Client(database.url)]
    const pool = new Pool({ connectionString: database.url })
    const outbox = postgresOutbox(pool, { table: newTable() })
    await outbox.install()
    await Promise.all([one.connect(), two.connect()])
    const take = async (token: string): Promise<number[]> => {
      const rows = await outbox.rows.claim({ token, limit: 10, leaseSeconds: 60 })
      await outbox.rows.settle({ token, accepted: rows.map(({ id }) => id), refused: [], again: [] })
      return rows.map(({ text }) => JSON.parse(text).payload.n)
    }
    const toEvent = (n: number, subject: string) => ({ event_type: 'outbox.late', payload: { n }, subject })
    await one.query('begin')
    await outbox.add(one, [toEvent(1, 's'), toEvent(0, 'claim')])
    await two.query('begin')
    await outbox.add(two, [toEvent(2, 'other')])
    const added = outbox.add(two, [toEvent(3, 's')])
    const waitsForLock = "select 1 from pg_locks where locktype = 'advisory' and not granted"
    while ((await pool.query(waitsForLock)).rows.length === 0);
    assert.deepEqual(await take('a'), [])
    await one.query('commit')
    await added
    assert.deepEqual(await take('b'), [1, 0])
    await two.query('commit')
    // Its id is smaller than that of the one before, which was committed first: it is not passed over.
    assert.deepEqual(await take('c'), [2, 3])
    await Promise.all([one.end(), two.end(), pool.end()])
  },
)

test(
  'pg: claims see what is committed, whatever isolation the role has by default',
  { skip: database.skip },
  async () => {
    const options = '-c default_transaction_isolation=serializable'
    const pool = new Pool({ connectionString: database.url, options })
    const outbox = postgresOutbox(pool, { table: newTable() })
    await outbox.install()
    const client = await pool.connect()
    await client.query('begin')
    await outbox.add(client, toEvents('outbox.isolation', 40))
    await client.query('commit')
    client.release()
    const take = (token: number) => outbox.rows.claim({ token: String(token), limit: 10, leaseSeconds: 60 })
    const claims = await Promise.all([1, 2, 3, 4, 5].map(take))
    assert.deepEqual(
      claims.map((rows) => rows.length).toSorted((left, right) => left - right),
      [0, 10, 10, 10, 10],
    )
    assert.equal(new Set(claims.flat().map(({ id }) => id)).size, 40)
    await pool.end()
  },
)

test('a table must have a plain name; several processes may install at once', { skip: database.skip }, async () => {
  const pool = new Pool({ connectionString: database.url })
  for (const table of ['', 'a b', 'a"; drop table x', 'a.b.c', 'x'.repeat(56)]) {
    assert.throws(() => postgresOutbox(pool, { table }), /must be named with letters, digits and _/)
  }
  assert.throws(() => sqliteOutbox(new DatabaseSync(':memory:'), { table: 'main.outbox' }), /as sluice_outbox/)
  const table = newTable()
  await Promise.all(Array.from({ length: 5 }, () => postgresOutbox(pool, { table }).install()))
  const missing = postgresOutbox(pool, { table: 'missing' })
  await assert.rejects(missing.status(), (error) => {
    assert.match(String(error), /relation "missing" does not exist/)
    return !missing.rows.isPassing(error)
  })
  await pool.end()
})
