import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { useHub } from '../../../../../scripts/use-hub.ts'
import { usePostgres } from '../../../../../scripts/use-postgres.ts'
import { createAdmin } from '../../admin.ts'
import { createSluice } from '../../client.ts'
import type { EventValidationError } from '../../error.ts'
import { defineTopics } from '../../topics/topics.ts'
import { withTopics } from '../../topics/sessions.ts'
import type { NewBatchEvent } from '../../index.ts'
import { openSqlite, testOn, toEvents, toKinds } from './open-stages.ts'
import type { Outbox } from './outbox.ts'
import { relay, type RelayOptions } from './relay.ts'
import { sqliteOutbox } from './sqlite.ts'

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

testEach(
  'a session hands its events over in the transaction of its rows, and keeps them if it fails',
  async (stage, eventType) => {
    const category = eventType.split('.')[1] ?? ''
    const topics = defineTopics({
      DefaultCategory: category,
      Topics: [{ Action: 'Created', Entity: 'Order', Description: 'An order was placed', Schema: { type: 'object' } }],
    })
    const session = withTopics(null, topics, { service: 'shop' }).userSession('user-1', 'job-1')
    session.createdOrder({ n: 1 }, { subject: 'order-1' })
    session.createdOrder({ n: 2 })
    const wrong = new Error('the business row is refused')
    const giveUp = async (events: readonly NewBatchEvent[]): Promise<never> => {
      await stage.write(events, 'rollback')
      throw wrong
    }
    await assert.rejects(session.flushTo(giveUp), wrong)
    assert.equal(session.events.length, 2)
    assert.equal(await session.flushTo((events) => stage.write(events, 'commit')), 2)
    assert.equal(session.events.length, 0)
    assert.deepEqual(await drain(stage.outbox), { sent: 2, duplicates: 0, refused: 0 })
    const { events } = await admin.searchEvents({ event_type: `${category}.*`, limit: 10 })
    const seen = events.map(({ payload, correlation_id: job, actor }) => ({ payload, job, actor: actor?.id }))
    const expected = [1, 2].map((n) => ({ payload: { n }, job: 'job-1', actor: 'user-1' }))
    assert.deepEqual(seen.toReversed(), expected)
  },
)

test('node:sqlite: a relay waits while another handle writes', async () => {
  const { outbox, close, exec, write } = await openSqlite(folder)
  await write(toEvents('outbox.busy', 2), 'commit')
  const handle = new DatabaseSync(join(folder, `${outbox.table}.db`))
  const own = sqliteOutbox(handle, { table: outbox.table })
  await exec('begin immediate')
  const logger = { debug: () => undefined, warn: () => void exec('rollback') }
  assert.deepEqual(await drain(own, { random: () => 0, logger }), { sent: 2, duplicates: 0, refused: 0 })
  handle.close()
  await close()
})

test('node:sqlite: a session warns of a transaction that is still open when its events leave it', async () => {
  const handle = new DatabaseSync(':memory:')
  const outbox = sqliteOutbox(handle)
  await outbox.install()
  const warned: string[] = []
  const logger = { debug: () => undefined, warn: (_: object, message: string) => void warned.push(message) }
  const topics = defineTopics({
    DefaultCategory: 'outbox',
    Topics: [{ Action: 'Left', Entity: 'Session', Schema: {} }],
  })
  const session = withTopics(null, topics, { service: 'outbox', logger }).serviceSession()
  session.leftSession({ n: 1 })
  await session.flushTo((events) => {
    handle.exec('begin immediate')
    outbox.add(handle, events)
    handle.exec('commit')
  })
  assert.deepEqual(warned, [])
  session.leftSession({ n: 2 })
  handle.exec('begin immediate')
  await session.flushTo((events) => outbox.add(handle, events))
  handle.exec('rollback')
  assert.match(warned.join(), /still open.*begin and commit it inside/)
  assert.throws(() => outbox.add(handle, { event_type: 'a', payload: {} } as never), /needs the open transaction/)
  handle.exec('begin immediate')
  assert.throws(
    () => outbox.add(handle, { event_type: 'a', payload: {} } as never),
    /events must be a list.* it is object/,
  )
  assert.throws(() => outbox.add(handle, ['a' as never]), /events\[0\] must be an object.* it is string/)
  handle.close()
})

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
