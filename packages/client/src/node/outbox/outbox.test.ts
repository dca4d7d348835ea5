import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { startHub } from '@sluice/hub'
import { usePostgres } from '../../../../../scripts/use-postgres.ts'
import { createAdmin } from '../../admin.ts'
import { createSluice } from '../../client.ts'
import type { EventValidationError } from '../../error.ts'
import type { NewBatchEvent } from '../../index.ts'
import { meddle, openPool, openPostgresJs, openSqlite, toEvents, type Stage } from './open-stages.ts'
import type { Outbox } from './outbox.ts'
import { relay, type RelayOptions } from './relay.ts'
import { sqliteOutbox } from './sqlite.ts'

const database = await usePostgres()
const folder = mkdtempSync(join(tmpdir(), 'sluice-outbox-'))
const hub = await startHub({
  data: folder,
  host: '127.0.0.1',
  port: 0,
  secretKeys: [new Uint8Array(32)],
  logLevel: 'silent',
  trustProxy: [],
  corsOrigins: [],
})
const connection = { baseUrl: hub.url, apiKey: hub.apiKey ?? '' }
const admin = createAdmin(connection)
after(async () => {
  await hub.close()
  rmSync(folder, { recursive: true })
})

type Kind = { readonly name: string; readonly skip: string | false; readonly open: () => Promise<Stage> }

const kinds: readonly Kind[] = [
  { name: 'node:sqlite', skip: false, open: () => openSqlite(folder) },
  { name: 'pg', skip: database.skip, open: () => openPool(database.url) },
  { name: 'postgres.js', skip: database.skip, open: () => openPostgresJs(database.url) },
]

/** The same on each database; events of a case are told apart by their type. */
function testEach(title: string, run: (stage: Stage, eventType: string) => Promise<void>): void {
  for (const { name, skip, open } of kinds) {
    test(`${name}: ${title}`, { skip }, async () => {
      const stage = await open()
      try {
        await run(stage, `case.${stage.outbox.table}`)
      } finally {
        await stage.close()
      }
    })
  }
}

function drain(outbox: Outbox, options: RelayOptions = {}, sluice = createSluice(connection)) {
  return relay(outbox, sluice, { once: true, pollMs: 1, ...options })
}

/** Payloads in the hub, oldest first. */
async function readLog(eventType: string): Promise<unknown[]> {
  const { events } = await admin.searchEvents({ event_type: eventType, limit: 200 })
  return events.map((event) => event.payload).toReversed()
}

const emptied = { waiting: 0, claimed: 0, refused: 0, oldest_seconds: null, refused_events: [] }

testEach('what is committed is sent once and in order; what is rolled back is gone', async (stage, eventType) => {
  const { outbox, write } = stage
  await outbox.install()
  const keys = await write(toEvents(eventType, 5), 'commit')
  await write(toEvents(eventType, 3), 'rollback')
  await write([], 'commit')
  const { waiting, oldest_seconds: oldest } = await outbox.status()
  assert.deepEqual([waiting, new Set(keys).size, typeof oldest], [5, 5, 'number'])
  // The source of the relay's client changes nothing: it is part of the text under the key.
  const elsewhere = createSluice({ ...connection, source: 'elsewhere' })
  assert.deepEqual(await drain(outbox, { batch: 2 }, elsewhere), { sent: 5, duplicates: 0, refused: 0 })
  assert.deepEqual(await readLog(eventType), [{ n: 0 }, { n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }])
  assert.deepEqual(await outbox.status(), emptied)
  assert.equal(await stage.countRows(), 2)
  const { events } = await admin.searchEvents({ event_type: eventType, limit: 1 })
  assert.equal(events[0]?.source, 'shop')
})

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

testEach(
  'what the hub refuses is kept aside with the reason, and can be tried again or removed',
  async (stage, eventType) => {
    const { outbox } = stage
    // A key stands for one event.
    const toEvent = (text: string) => ({ event_type: eventType, payload: { text }, idempotency_key: eventType })
    const others = [toEvent('refused'), toEvent('refused, too')]
    await stage.write([toEvent('first'), ...others, ...toEvents(eventType, 1)], 'commit')
    assert.deepEqual(await drain(outbox), { sent: 2, duplicates: 0, refused: 2 })
    assert.deepEqual(await readLog(eventType), [{ text: 'first' }, { n: 0 }])
    const { refused_events: kept, ...counts } = await outbox.status()
    assert.deepEqual(counts, { waiting: 0, claimed: 0, refused: 2, oldest_seconds: null })
    assert.deepEqual(
      kept.map(({ event }) => event).toReversed(),
      others.map((event) => ({ ...event, source: 'shop' })),
    )
    assert.match(kept[0]?.reason ?? '', /^idempotency-mismatch: ./)
    assert.equal(await outbox.retry([kept[0]?.id ?? '']), 1)
    assert.equal((await outbox.status()).waiting, 1)
    assert.equal(await outbox.retry(), 1)
    assert.deepEqual(await drain(outbox), { sent: 0, duplicates: 0, refused: 2 })
    const { refused_events: again } = await outbox.status({ limit: 1 })
    assert.deepEqual([again.length, again[0]?.id], [1, kept[0]?.id])
    assert.equal(await outbox.discard(kept.map(({ id }) => id)), 2)
    assert.deepEqual(await outbox.status(), emptied)
  },
)

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

testEach(
  'relays share the work, and none touches a subject of which another holds events',
  async (stage, eventType) => {
    const { rows } = stage.outbox
    const toEvent = (subject: string | undefined): NewBatchEvent => ({
      event_type: eventType,
      payload: {},
      ...(subject !== undefined && { subject }),
    })
    await stage.write(['a', 'b', 'a', undefined, 'a', 'b', undefined].map(toEvent), 'commit')
    const take = async (token: string, limit: number) =>
      (await rows.claim({ token, limit, leaseSeconds: 60 })).map(({ text }) => JSON.parse(text).subject)
    assert.deepEqual(await take('one', 1), ['a'])
    assert.deepEqual(await take('two', 10), ['b', undefined, 'b', undefined])
    assert.deepEqual(await take('three', 10), [])
    assert.equal((await stage.outbox.status()).claimed, 5)
    // The relay that is called one has died.
    await stage.exec(`update ${stage.outbox.table} set claimed_until = ${stage.past} where claim = 'one'`)
    assert.deepEqual(await take('four', 2), ['a', 'a'])
    assert.deepEqual(await take('five', 2), [])
  },
)

testEach('several relays at once send each event once, each subject in order', async (stage, eventType) => {
  const subjects = ['a', 'b', 'c', 'd']
  const events = Array.from({ length: 120 }, (_, n) => ({
    event_type: eventType,
    payload: { n },
    subject: subjects[n % 4] ?? '',
  }))
  await stage.write(events, 'commit')
  const runs = await Promise.all([1, 2, 3].map(() => drain(stage.outbox, { batch: 7 })))
  assert.equal(
    runs.reduce((sum, { sent }) => sum + sent, 0),
    120,
  )
  assert.equal(
    runs.reduce((sum, { duplicates }) => sum + duplicates, 0),
    0,
  )
  const log = (await readLog(eventType)) as { n: number }[]
  for (const [at] of subjects.entries()) {
    const own = log.map(({ n }) => n).filter((n) => n % 4 === at)
    assert.deepEqual(
      own,
      own.toSorted((left, right) => left - right),
    )
    assert.equal(own.length, 30)
  }
})

testEach(
  'an event that the hub would refuse in any case is refused to its writer, and nothing is stored',
  async (stage, eventType) => {
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    const wrong = [
      { event_type: eventType, payload: {} },
      { event_type: '', payload: {}, sourse: 'shop' },
      { event_type: eventType, payload: circular, subject: 'a\0b' },
      { event_type: eventType, payload: { text: 'x'.repeat(262_144) }, idempotency_key: '' },
    ]
    await assert.rejects(stage.write(wrong, 'commit'), (error: EventValidationError) => {
      assert.equal(error.name, 'EventValidationError')
      assert.match(error.message, /^nothing was written to the outbox: /)
      const pointers = error.errors.map(({ pointer }) => pointer)
      const expected = ['/1/event_type', '/1/sourse', '/2/payload', '/2/subject', '/3/idempotency_key', '/3/payload']
      assert.deepEqual(pointers.toSorted(), expected)
      return true
    })
    assert.deepEqual([await stage.countRows(), (await stage.outbox.status()).waiting], [0, 0])
  },
)

test('node:sqlite: without a transaction nothing is written, and a relay stays out of one that is open', async () => {
  const { outbox, close, exec, write } = await openSqlite(folder)
  const handle = new DatabaseSync(':memory:')
  const own = sqliteOutbox(handle)
  await own.install()
  assert.throws(() => own.add(handle, []), /needs the open transaction.*begin immediate/)
  await write(toEvents('outbox.open', 1), 'commit')
  await exec('begin immediate')
  await assert.rejects(drain(outbox, { random: () => 0, attempts: 2 }), /a transaction is open on the handle/)
  await exec('rollback')
  assert.deepEqual(await drain(outbox), { sent: 1, duplicates: 0, refused: 0 })
  handle.close()
  await close()
})

test('a large outbox goes out in requests that the hub takes', async () => {
  const { outbox, write, close } = await openSqlite(folder)
  const events = toEvents('outbox.large', 40).map((event) => ({ ...event, payload: { text: 'x'.repeat(250_000) } }))
  await write(events, 'commit')
  assert.deepEqual(await drain(outbox), { sent: 40, duplicates: 0, refused: 0 })
  await close()
})
