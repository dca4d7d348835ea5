import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { startHub, type Hub } from '@sluice/hub'
import { createAdmin, type Admin } from '../admin.ts'
import { createSluice, type Sluice } from '../client.ts'
import { FlushError, TopicDataError } from './error.ts'
import { withTopics } from './sessions.ts'
import { defineTopics } from './topics.ts'
import type { Transport } from '../transport.ts'
import { createWatched, type Handle } from './watched-transport.ts'

let folder: string
let hub: Hub
let sluice: Sluice
let admin: Admin

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-flush-'))
  hub = await startHub({
    data: folder,
    host: '127.0.0.1',
    port: 0,
    secretKeys: [new Uint8Array(32)],
    logLevel: 'silent',
    trustProxy: [],
    corsOrigins: [],
  })
  const connection = { baseUrl: hub.url, apiKey: hub.apiKey ?? '' }
  sluice = createSluice(connection)
  admin = createAdmin(connection)
})

after(async () => {
  await hub.close()
  await rm(folder, { recursive: true })
})

const topics = defineTopics({
  DefaultCategory: 'testing',
  Topics: [
    {
      Action: 'Created',
      Entity: 'Test',
      Schema: { type: 'object', required: ['n'], properties: { n: { type: 'integer' }, text: { type: 'string' } } },
    },
    { Action: 'Paid', Entity: 'Invoice', Category: 'billing', Schema: { type: 'object' } },
  ],
})
const service = 'my-service'

/** Sessions on the hub, whose requests can be seen and held up. */
function watch(handle?: Handle) {
  const { transport, bodies, lines } = createWatched(handle)
  return { events: withTopics(sluice.with({ transport, random: () => 0 }), topics, { service }), bodies, lines }
}

/** What a session with that job has left in the hub, oldest first. */
async function stored(jobId: string) {
  const { events } = await admin.searchEvents({ source: service, limit: 200 })
  return events.filter((event) => event.correlation_id === jobId).toReversed()
}

test('flushing twice sends nothing twice, and a rollback after a flush has nothing left to drop', async () => {
  const { events, bodies } = watch()
  const session = events.serviceSession('job-twice')
  session.createdTest({ n: 1 })
  assert.equal((await session.flush()).accepted, 1)
  assert.equal((await session.flush()).accepted, 0)
  assert.equal(session.rollback(), 0)
  assert.equal(bodies.length, 1)
  assert.equal((await stored('job-twice')).length, 1)
})

test('flushes at the same time send each event once, and what is published meanwhile is left to the next', async () => {
  const begun = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const { events, lines, bodies } = watch(async (n, pass) => {
    if (n === 1) {
      begun.resolve()
      await go.promise
    }
    return pass()
  })
  const session = events.serviceSession('job-together')
  session.createdTest({ n: 1 })
  const first = session.flush()
  const second = session.flush()
  await begun.promise
  session.createdTest({ n: 2 })
  assert.equal(session.events.length, 2)
  go.resolve()
  assert.deepEqual([(await first).accepted, (await second).accepted], [1, 1])
  assert.deepEqual([bodies.length, lines(0).length, lines(1).length], [2, 1, 1])
  assert.equal(session.events.length, 0)
})

test('a rollback drops what no flush has begun to send', async () => {
  const begun = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const { events } = watch(async (_, pass) => {
    begun.resolve()
    await go.promise
    return pass()
  })
  const session = events.serviceSession('job-rolled')
  session.createdTest({ n: 1 })
  const flushed = session.flush()
  await begun.promise
  session.createdTest({ n: 2 })
  assert.equal(session.rollback(), 1)
  go.resolve()
  assert.equal((await flushed).accepted, 1)
  assert.deepEqual([(await session.flush()).accepted, (await stored('job-rolled')).length], [0, 1])
})

test('what the hub refuses stays in the session and is named, the rest has left it', async () => {
  const { api_key: apiKey } = await admin.createKey({ user_id: 'u', allowed_event_types: ['testing.*'] })
  const { transport, bodies } = createWatched()
  const session = withTopics(sluice.with({ apiKey, transport }), topics, { service }).serviceSession('job-partly')
  session.createdTest({ n: 1 })
  session.in('billing').invoicePaid({ secret: 'personal' })
  session.createdTest({ n: 2 })
  await assert.rejects(session.flush(), (error: unknown) => {
    assert.ok(error instanceof FlushError)
    assert.deepEqual([error.accepted, error.failed.length], [2, 1])
    assert.equal(error.failed[0]?.error.error_code, 'event-type-not-allowed')
    assert.match(error.message, /1 of 3 events .* billing\.InvoicePaid: event-type-not-allowed/)
    assert.doesNotMatch(error.message, /personal/)
    return true
  })
  assert.deepEqual(
    session.events.map((event) => event.event_type),
    ['billing.InvoicePaid'],
  )
  assert.equal(session.rollback(), 1)
  assert.equal((await stored('job-partly')).length, 2)
  // What is refused for good is not asked for again, and no empty request follows.
  assert.equal(bodies.length, 1)
})

for (const status of [400, 401, 403, 404, 429, 500, 502, 503]) {
  test(`an answer ${status} is a failure, whatever its body: nothing is lost without a word`, async () => {
    const { events } = watch(async () => ({
      status,
      header: () => null,
      text: async () => '{"failedRecords":0,"records":[]}',
      stream: () => null,
    }))
    const session = events.serviceSession()
    session.createdTest({ n: 1 })
    await assert.rejects(session.flush({ maxRetries: 0 }), (error: unknown) => {
      assert.ok(error instanceof FlushError && error.cause instanceof Error)
      assert.equal(error.failed[0]?.error.error_code, `http-${status}`)
      return true
    })
    assert.equal(session.events.length, 1)
  })
}

test('what failed for the time being is sent again alone, under the same keys, a bounded number of times', async () => {
  const overloaded = { error: { error_code: 'overloaded', message: 'later' } }
  const buried: unknown[] = []
  const { transport, bodies, lines } = createWatched(async (n, pass) => {
    const answer = await pass()
    const body = JSON.parse(await answer.text())
    if (n === 1)
      Object.assign(body.results, [{ index: 0, ...overloaded }, body.results[1], { index: 2, ...overloaded }])
    if (n === 2) body.results = [body.results[0]]
    return { ...answer, text: async () => JSON.stringify(body) }
  })
  const watched = sluice.with({ transport, random: () => 0, deadLetter: (record) => buried.push(record) })
  const session = withTopics(watched, topics, { service }).serviceSession('job-alone')
  for (const n of [1, 2, 3]) session.createdTest({ n })
  const { results } = await session.flush()
  assert.deepEqual(
    results.map((result) => result.index),
    [0, 1, 2],
  )
  const keys = bodies.map((_, index) => lines(index).map((line) => line['idempotency_key']))
  assert.deepEqual([keys[1], keys[2]], [[keys[0]?.[0], keys[0]?.[2]], [keys[0]?.[2]]])
  assert.deepEqual([bodies.length, buried.length, session.events.length], [3, 0, 0])
  assert.equal((await stored('job-alone')).length, 3)
})

test('what fails for the time being every time is given up, kept, and buried once', async () => {
  const buried: unknown[] = []
  const { transport, bodies, lines } = createWatched(async (n, pass) => {
    const answer = await pass()
    const results = lines(n - 1).map((_, index) => ({ index, error: { error_code: 'internal', message: 'a bug' } }))
    return { ...answer, text: async () => JSON.stringify({ accepted: 0, failed: results.length, results }) }
  })
  const deadLetter = (record: unknown): unknown => buried.push(record)
  const watched = sluice.with({ transport, random: () => 0, maxRetries: 2, deadLetter })
  const session = withTopics(watched, topics, { service }).serviceSession()
  session.createdTest({ n: 1 })
  await assert.rejects(session.flush(), { name: 'FlushError', message: /1 of 1 .* internal, a bug/ })
  assert.deepEqual([bodies.length, buried.length, session.events.length], [3, 1, 1])
})

test('a lost answer: the session goes on under the same keys, and the event is stored once', async () => {
  const { events, lines } = watch(async (n, pass) => {
    const answer = await pass()
    if (n === 1) throw new Error('socket hang up')
    return answer
  })
  const session = events.serviceSession('job-lost')
  session.createdTest({ n: 1 })
  await assert.rejects(session.flush({ maxRetries: 0 }), FlushError)
  const { results } = await session.flush()
  assert.deepEqual(
    results.map((result) => 'status' in result && result.status),
    ['duplicate'],
  )
  assert.deepEqual(lines(0), lines(1))
  assert.equal((await stored('job-lost')).length, 1)
})

test('three failures that pass and then a good answer are four requests of the same', async () => {
  const answers = [500, 503, 'nothing']
  const { events, bodies } = watch(async (n, pass) => {
    const status = answers[n - 1]
    if (status === undefined) return pass()
    if (typeof status === 'string') throw new Error('socket hang up')
    return { status, header: () => null, text: async () => '', stream: () => null }
  })
  const session = events.serviceSession('job-four')
  session.createdTest({ n: 1 })
  assert.equal((await session.flush()).accepted, 1)
  assert.deepEqual([bodies.length, new Set(bodies).size], [4, 1])
  assert.equal((await stored('job-four')).length, 1)
})

test('a hub that hangs is given up after a time, and the events stay', async () => {
  const transport: Transport = ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  const session = withTopics(sluice.with({ transport, timeoutMs: 5 }), topics, { service }).serviceSession()
  session.createdTest({ n: 1 })
  await assert.rejects(session.flush({ maxRetries: 0 }), { name: 'FlushError', message: /no answer within 5 ms/ })
  assert.equal(session.events.length, 1)
})

test('bad data fails where it is published, and leaves the good events before it in the session, unsent', async () => {
  const { events, bodies } = watch()
  const session = events.serviceSession()
  session.createdTest({ n: 1 })
  function culprit(): void {
    // @ts-expect-error -- no number
    session.createdTest({ n: 'one', text: 7 })
  }
  assert.throws(culprit, (error: unknown) => {
    assert.ok(error instanceof TopicDataError)
    assert.deepEqual(error.faults.map(({ pointer }) => pointer).toSorted(), ['/n', '/text'])
    assert.match(error.stack ?? '', /culprit/)
    return true
  })
  // @ts-expect-error -- nothing required is there
  assert.throws(() => session.createdTest({}), /n/)
  assert.equal(session.events.length, 1)
  assert.equal(bodies.length, 0)
})

test('data is copied when it is published: what happens to it later changes nothing', async () => {
  const { events } = watch()
  const session = events.serviceSession('job-copied')
  const data = { n: 1, text: 'before' }
  session.createdTest(data)
  data.text = 'after'
  const shown = session.events
  Object.assign(shown[0]?.payload ?? {}, { text: 'tampered' })
  await session.flush()
  assert.deepEqual((await stored('job-copied'))[0]?.payload, { n: 1, text: 'before' })
})

test('250 events are one request, 600 are three', async () => {
  for (const [count, requests] of [
    [250, [250]],
    [600, [250, 250, 100]],
  ] as const) {
    const { events, bodies, lines } = watch()
    const session = events.serviceSession()
    for (let n = 0; n < count; n += 1) session.createdTest({ n })
    assert.equal((await session.flush()).accepted, count)
    assert.deepEqual(
      bodies.map((_, index) => lines(index).length),
      requests,
    )
    assert.deepEqual(
      bodies.flatMap((_, index) => lines(index).map((line) => (line['payload'] as { n: number }).n)),
      Array.from({ length: count }, (_, n) => n),
    )
  }
})

test('five and six events go the same way: with the job, checked, in one request', async () => {
  for (const count of [1, 5, 6]) {
    const { events, bodies, lines } = watch()
    const session = events.serviceSession(`job-${count}`)
    for (let n = 0; n < count; n += 1) session.createdTest({ n })
    await session.flush()
    assert.equal(bodies.length, 1)
    assert.deepEqual(new Set(lines(0).map((line) => line['correlation_id'])), new Set([`job-${count}`]))
  }
})

test('events can be handed to somebody else, and leave the session when they are kept', async () => {
  const session = watch().events.serviceSession()
  session.createdTest({ n: 1 })
  const refused = new Error('the transaction is over')
  await assert.rejects(
    session.flushTo(() => Promise.reject(refused)),
    refused,
  )
  assert.equal(session.events.length, 1)
  const kept: unknown[] = []
  assert.equal(await session.flushTo((events) => kept.push(...events)), 1)
  assert.equal(await session.flushTo(() => assert.fail('there is nothing')), 0)
  assert.match(JSON.stringify(kept), /"idempotency_key":"[^"]+"/)
})
