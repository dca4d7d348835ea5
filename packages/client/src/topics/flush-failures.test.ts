import assert from 'node:assert/strict'
import { test } from 'node:test'
import { useHub } from '../../../../scripts/use-hub.ts'
import type { DeadLetterRecord } from '../dead-letter.ts'
import { FlushError } from './error.ts'
import { withTopics } from './sessions.ts'
import type { Transport } from '../transport.ts'
import { createWatched } from './watched-transport.ts'
import { openWatchedSessions, service, topics } from './watched-sessions.ts'

const { connection } = await useHub()
const { sluice, admin, watch, stored } = openWatchedSessions(connection)

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

test('what fails for the time being every time is kept, and is no dead letter beside', async () => {
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
  assert.deepEqual([bodies.length, buried.length, session.events.length], [3, 0, 1])
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

/** A client of no hub, and its dead letters. */
function openAway() {
  const buried: DeadLetterRecord[] = []
  const transport: Transport = () => Promise.reject(new Error('the hub is away'))
  const away = sluice.with({ transport, maxRetries: 0, deadLetter: (record) => void buried.push(record) })
  return { events: withTopics(away, topics, { service }), buried }
}

test('what is rolled back after flushes that failed is in no dead letter', async () => {
  const { events, buried } = openAway()
  const session = events.serviceSession()
  session.createdTest({ n: 1 })
  for (let n = 0; n < 3; n += 1) await assert.rejects(session.flush(), /stay in the session/)
  assert.equal(session.rollback(), 1)
  await assert.rejects(
    events.run({}, (opened) => opened.createdTest({ n: 2 })),
    FlushError,
  )
  {
    await using disposed = events.serviceSession()
    disposed.createdTest({ n: 3 })
    await assert.rejects(disposed.flush({ deadLetter: undefined }), FlushError)
  }
  assert.equal(buried.length, 0)
})

test('what is given up is in the dead letters, once and under its key, and not in the session', async () => {
  const { events, buried } = openAway()
  const session = events.serviceSession()
  session.createdTest({ n: 1 })
  const [event] = session.events
  await assert.rejects(session.flush({ deadLetter: true }), /1 of 1 events were not accepted and were given up/)
  assert.deepEqual(await session.flush({ deadLetter: true }), { accepted: 0, results: [] })
  assert.deepEqual([session.events.length, session.rollback()], [0, 0])
  assert.deepEqual(
    buried.map((record) => [record.idempotency_key, record.event.payload]),
    [[event?.idempotency_key, { n: 1 }]],
  )
})

test('of a flush that is given up only what was not accepted is buried', async () => {
  const { api_key: apiKey } = await admin.createKey({ user_id: 'u', allowed_event_types: ['testing.*'] })
  const buried: DeadLetterRecord[] = []
  const limited = sluice.with({ apiKey, deadLetter: (record) => void buried.push(record) })
  const session = withTopics(limited, topics, { service }).serviceSession()
  session.createdTest({ n: 1 })
  session.in('billing').invoicePaid({})
  await assert.rejects(session.flush({ deadLetter: true }), { accepted: 1 })
  assert.deepEqual([buried.map(({ event }) => event.event_type), session.events], [['billing.InvoicePaid'], []])
})

test('more events a request than the hub takes is said before anything is sent', async () => {
  const { events, bodies } = watch()
  const session = events.serviceSession()
  for (const maxEvents of [0, 1001, 1.5, NaN]) {
    await assert.rejects(session.flush({ maxEvents }), { name: 'RangeError', message: /maxEvents must be 1 to 1000/ })
    await assert.rejects(sluice.events.sendBatch([], { maxEvents }), RangeError)
  }
  assert.equal(bodies.length, 0)
})
