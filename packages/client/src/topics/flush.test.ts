import assert from 'node:assert/strict'
import { test } from 'node:test'
import { useHub } from '../../../../scripts/use-hub.ts'
import { TopicDataError } from './error.ts'
import { openWatchedSessions } from './watched-sessions.ts'

const { connection } = await useHub()
const { watch, stored } = openWatchedSessions(connection)

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

test('a flush of many may ask for larger requests', async () => {
  const { events, bodies } = watch()
  const session = events.serviceSession()
  for (let n = 0; n < 600; n += 1) session.createdTest({ n })
  assert.equal((await session.flush({ maxEvents: 1000 })).accepted, 600)
  assert.equal(bodies.length, 1)
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
