import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pool } from 'pg'
import { useHub } from '../../../../../scripts/use-hub.ts'
import { usePostgres } from '../../../../../scripts/use-postgres.ts'
import { createAdmin } from '../../admin.ts'
import { createSluice } from '../../client.ts'
import { meddle, openPool, openSqlite, testOn, toEvents, toKinds } from './open-stages.ts'
import type { Outbox } from './outbox.ts'
import { postgresOutbox } from './postgres.ts'
import { relay, type RelayOptions, type RelayProgress } from './relay.ts'

const database = await usePostgres()
const { connection, folder } = await useHub()
const admin = createAdmin(connection)
const testEach = testOn(toKinds(folder, database))

function drain(outbox: Outbox, options: RelayOptions = {}, sluice = createSluice(connection)) {
  return relay(outbox, sluice, { once: true, pollMs: 1, ...options })
}

/** Payloads in the hub, oldest first. */
async function readLog(eventType: string): Promise<unknown[]> {
  const { events } = await admin.searchEvents({ event_type: eventType, limit: 200 })
  return events.map((event) => event.payload).toReversed()
}

testEach('an answer that is lost doubles nothing', async (stage, eventType) => {
  await stage.write(toEvents(eventType, 4), 'commit')
  let requests = 0
  // The request arrives and its answer does not.
  const transport = meddle(
    () => undefined,
    () => {
      requests += 1
      if (requests === 1) throw new Error('the connection broke')
    },
  )
  const sluice = createSluice({ ...connection, transport })
  assert.deepEqual(await drain(stage.outbox, { random: () => 0 }, sluice), { sent: 4, duplicates: 4, refused: 0 })
  assert.equal((await readLog(eventType)).length, 4)
})

testEach('a request that is refused as a whole is cut until the culprit stands alone', async (stage, eventType) => {
  await stage.write(toEvents(eventType, 20), 'commit')
  const transport = meddle(({ body }) =>
    body?.includes('"n":13}') ? new Response('too large for this proxy', { status: 413 }) : undefined,
  )
  const sluice = createSluice({ ...connection, transport })
  assert.deepEqual(await drain(stage.outbox, {}, sluice), { sent: 19, duplicates: 0, refused: 1 })
  assert.deepEqual((await stage.outbox.status()).refused_events[0]?.event.payload, { n: 13 })
  assert.equal((await readLog(eventType)).length, 19)
})

testEach('a wrong key or address ends the relay and costs no event', async (stage, eventType) => {
  await stage.write(toEvents(eventType, 2), 'commit')
  const stranger = createSluice({ ...connection, apiKey: 'slk_nobody_0' })
  await assert.rejects(drain(stage.outbox, {}, stranger), { name: 'ApiError', status: 401 })
  const lost = createSluice({ ...connection, eventsEndpoint: '/v2/events' })
  await assert.rejects(drain(stage.outbox, {}, lost), { name: 'ApiError', status: 404 })
  const { waiting, claimed } = await stage.outbox.status()
  assert.deepEqual([waiting, claimed], [2, 0])
})

testEach(
  'while the hub is away nothing is lost; --once gives up, a relay that stays does not',
  async (stage, eventType) => {
    await stage.write(toEvents(eventType, 3), 'commit')
    let isAway = true
    const transport = meddle(() => {
      if (isAway) throw new Error('refused')
      return undefined
    })
    const sluice = createSluice({ ...connection, transport })
    await assert.rejects(drain(stage.outbox, { random: () => 0 }, sluice), { name: 'TransportError' })
    assert.deepEqual((await stage.outbox.status()).waiting, 3)
    const stop = new AbortController()
    let waits = 0
    const warn = (): void => {
      waits += 1
      if (waits === 6) isAway = false
    }
    const onProgress = (): void => stop.abort()
    const logger = { warn, debug: () => undefined }
    const done = await relay(stage.outbox, sluice, { signal: stop.signal, random: () => 0, logger, onProgress })
    assert.deepEqual([done, waits], [{ sent: 3, duplicates: 0, refused: 0 }, 6])
  },
)

test('pg: a relay goes on after the server has closed its connections', { skip: database.skip }, async () => {
  const stage = await openPool(database.url)
  const { table } = stage.outbox
  const pool = new Pool({ connectionString: database.url, application_name: table })
  pool.on('error', () => undefined)
  const terminate = `select pg_terminate_backend(pid) from pg_stat_activity where application_name = '${table}'`
  await stage.write(toEvents(table, 6), 'commit')
  const stop = new AbortController()
  let isCut = false
  // The request has gone, and so has the connection for what is to be settled.
  const transport = meddle(
    () => undefined,
    () => (isCut = true),
  )
  const onProgress = ({ sent }: RelayProgress): void => {
    if (sent === 6) stop.abort()
  }
  const outbox = postgresOutbox(pool, { table })
  const rows = {
    ...outbox.rows,
    settle: async (settlement: Parameters<typeof outbox.rows.settle>[0]) => {
      if (isCut) await stage.exec(terminate)
      isCut = false
      await outbox.rows.settle(settlement)
    },
  }
  const sluice = createSluice({ ...connection, transport })
  const options = { signal: stop.signal, batch: 2, onProgress, random: () => 0 }
  assert.equal((await relay({ ...outbox, rows }, sluice, options)).sent, 6)
  assert.equal((await readLog(table)).length, 6)
  assert.equal((await stage.outbox.status()).waiting, 0)
  await pool.end()
  await stage.close()
})

test('a large outbox goes out in requests that the hub takes', async () => {
  const { outbox, write, close } = await openSqlite(folder)
  const events = toEvents('outbox.large', 40).map((event) => ({ ...event, payload: { text: 'x'.repeat(250_000) } }))
  await write(events, 'commit')
  assert.deepEqual(await drain(outbox), { sent: 40, duplicates: 0, refused: 0 })
  await close()
})
