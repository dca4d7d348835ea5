import assert from 'node:assert/strict'
import { test } from 'node:test'
import { useHub } from '../../../../scripts/use-hub.ts'
import { TopicDataError, TopicNotFoundError } from './error.ts'
import { withTopics } from './sessions.ts'
import { parseTopics } from './topics.ts'
import { createWatched } from './watched-transport.ts'
import { openWatchedSessions, service, topics } from './watched-sessions.ts'

const { hub, connection } = await useHub()
const { sluice, watch, stored } = openWatchedSessions(connection)

test('events of a session carry topic, actor, job, service and the time of publishing, and are one request', async () => {
  const { events, bodies } = watch()
  const now = Date.parse('2026-01-31T12:00:00Z')
  const timed = withTopics(sluice, topics, { service, now: () => now })
  const session = timed.userSession('COGNITO_USER_ID', 'job-1')
  session.publish({ action: 'Created', entity: 'Test', data: { n: 1 } })
  session.in('billing').invoicePaid({ total: 5 }, { subject: 'invoice-5', metadata: { a: 1 } })
  const outcome = await session.flush()
  assert.deepEqual([outcome.accepted, outcome.results.length, session.events.length], [2, 2, 0])
  const [first, second] = await stored('job-1')
  const { event_id: _, timestamp: __, ...wire } = first ?? {}
  assert.deepEqual(wire, {
    event_type: 'testing.TestCreated',
    payload: { n: 1 },
    source: service,
    actor: { type: 'user', id: 'COGNITO_USER_ID' },
    correlation_id: 'job-1',
    occurred_at: '2026-01-31T12:00:00.000Z',
  })
  assert.deepEqual(
    [second?.event_type, second?.subject, second?.metadata],
    ['billing.InvoicePaid', 'invoice-5', { a: 1 }],
  )
  assert.equal((await events.serviceSession().flush()).accepted, 0)
  assert.equal(bodies.length, 0)
})

test('each kind of session has its actor, and a job id is made where none is given', async () => {
  const events = withTopics(sluice, topics, { service, newId: () => 'made' })
  assert.deepEqual(events.userSession('u', 'j').actor, { type: 'user', id: 'u' })
  assert.deepEqual(events.serviceSession('j').actor, { type: 'service', id: service })
  assert.deepEqual(events.thirdPartySession('j').actor, { type: 'third-party', id: service })
  assert.deepEqual(
    [
      events.serviceSession('j'),
      events.serviceSession(),
      events.userSession('u', null),
      events.thirdPartySession(''),
    ].map((session) => session.jobId),
    ['j', 'made', 'made', 'made'],
  )
  const received = { event_id: 'e', actor: { type: 'user', id: 'u' } as const, correlation_id: 'job' }
  const next = events.sessionFrom(received)
  assert.deepEqual([next.actor, next.jobId], [received.actor, 'job'])
  const bare = events.sessionFrom({ event_id: 'e' })
  assert.deepEqual([bare.actor, bare.jobId], [{ type: 'service', id: service }, 'e'])
  for (const wrong of ['', 'a\nb', 'x'.repeat(256)]) assert.throws(() => events.userSession(wrong), TypeError)
  assert.throws(() => events.serviceSession('a\u0000'), TypeError)
  assert.throws(() => withTopics(sluice, topics, { service: '' }), TypeError)
  // @ts-expect-error -- null is local mode, undefined is a mistake
  assert.throws(() => withTopics(undefined, topics, { service }), TypeError)
})

test('without a buffer an event is sent when it is published: one request, with the job, and nothing is buffered', async () => {
  const { transport, requests, bodies } = createWatched()
  const watched = sluice.with({ baseUrl: `${hub.url}/`, transport })
  const direct = withTopics(watched, topics, { service, publishImmediately: true }).userSession('user-1', 'job-direct')
  const answer = await direct.publish({ action: 'Created', entity: 'Test', data: { n: 1 } })
  assert.equal(answer?.status, 'accepted')
  assert.deepEqual([direct.events.length, direct.rollback(), (await direct.flush()).accepted], [0, 0, 0])
  const [event] = await stored('job-direct')
  assert.equal(event?.event_id, answer?.event_id)
  assert.deepEqual(
    requests.map(({ method, url }) => [method, url]),
    [['POST', `${hub.url}/v1/events`]],
  )
  assert.match(requests[0]?.headers['idempotency-key'] ?? '', /^[0-9a-f-]{36}$/)
  const { occurred_at: _, ...wire } = JSON.parse(bodies[0] ?? '')
  assert.deepEqual(wire, {
    event_type: 'testing.TestCreated',
    payload: { n: 1 },
    source: service,
    actor: { type: 'user', id: 'user-1' },
    correlation_id: 'job-direct',
  })
})

test('arguments in a row, and options that would replace what was checked, are refused', () => {
  const session = withTopics(null, topics, { service }).serviceSession()
  // @ts-expect-error -- one object
  assert.throws(() => session.publish('Created', 'Test', { n: 1 }), TypeError)
  // @ts-expect-error -- no option
  assert.throws(() => session.createdTest({ n: 1 }, { payload: {}, event_type: 'other' }), TopicDataError)
  const wrong = { subject: '', occurred_at: 'soon', entity: { type: 'order', id: '' } }
  assert.throws(
    () => session.createdTest({ n: 1 }, wrong),
    (error: unknown) =>
      error instanceof TopicDataError &&
      error.faults.map(({ pointer }) => pointer).join() === '/subject,/occurred_at,/entity/id',
  )
  // @ts-expect-error -- no options
  assert.throws(() => session.createdTest({ n: 1 }, 7), TopicDataError)
  assert.equal(session.events.length, 0)
})

test('in local mode everything is checked and logged without data, nothing is sent, and a flush clears', async () => {
  const logged: string[] = []
  const log = (fields: object, message: string): void => void logged.push(`${JSON.stringify(fields)} ${message}`)
  const local = withTopics(null, topics, { service, logger: { debug: log, warn: log } })
  const session = local.userSession('user-1', 'job-local')
  session.createdTest({ n: 1, text: 'anna@example.com' })
  // @ts-expect-error -- no number
  assert.throws(() => session.createdTest({ n: 'x' }), TopicDataError)
  assert.deepEqual(await session.flush(), { accepted: 0, results: [] })
  assert.equal(session.events.length, 0)
  session.createdTest({ n: 2, text: 'anna@example.com' })
  assert.equal(session.rollback(), 1)
  assert.match(logged.join('\n'), /testing\.TestCreated.*local mode/)
  assert.match(logged.join('\n'), /"events":1.*rolled back/)
  assert.doesNotMatch(logged.join('\n'), /anna|user-1/)
})

test('a name that is no topic fails as soon as it is read, and the message says what there is', async () => {
  const session = withTopics(null, topics, { service }).serviceSession()
  assert.throws(() => Reflect.get(session, 'wrong_magic'), {
    name: 'TopicNotFoundError',
    message: /wrong_magic; .*createdTest/,
  })
  assert.throws(
    // @ts-expect-error -- not defined
    () => session.publish({ action: 'Deleted', entity: 'Test', data: { n: 1 } }),
    (error: unknown) =>
      error instanceof TopicNotFoundError && /topic not found: testing\.TestDeleted/.test(error.message),
  )
  assert.equal(await Promise.resolve(session), session)
  assert.equal(JSON.stringify({ session }).includes('jobId'), true)
  assert.ok('createdTest' in session && !('createdNothing' in session))
})

test('topics that are known at run time have the same methods', async () => {
  const dynamic = parseTopics(
    '{"DefaultCategory":"testing","Topics":[{"Action":"Created","Entity":"Test","Schema":{}}]}',
  )
  const session = withTopics(sluice, dynamic, { service }).serviceSession('job-dynamic')
  session.publish({ action: 'Created', entity: 'Test', data: { any: true } })
  session['created_test']?.({ any: 2 })
  session['testCreated']?.({ any: 3 })
  assert.throws(() => session['deletedTest'], TopicNotFoundError)
  assert.equal((await session.flush()).accepted, 3)
})

test('run flushes on return, rolls back on throw, and gives back what the work gives', async () => {
  const { events, bodies } = watch()
  const answer = await events.run({ userId: 'user-1', jobId: 'job-run' }, async (session) => {
    session.createdTest({ n: 1 })
    assert.deepEqual([session.actor.id, session.jobId], ['user-1', 'job-run'])
    return 42
  })
  assert.deepEqual([answer, bodies.length, (await stored('job-run')).length], [42, 1, 1])
  const failure = new Error('the business failed')
  await assert.rejects(
    events.run({}, (session) => {
      assert.deepEqual(session.actor, { type: 'service', id: service })
      session.createdTest({ n: 1 })
      throw failure
    }),
    failure,
  )
  assert.equal(bodies.length, 1)
})

test('a session that goes out of scope is rolled back unless it was flushed', async () => {
  const { events, bodies } = watch()
  const left = await (async () => {
    await using session = events.serviceSession('job-scope')
    session.createdTest({ n: 1 })
    return session
  })()
  assert.equal(left.events.length, 0)
  {
    await using session = events.serviceSession('job-scope')
    session.createdTest({ n: 2 })
    // Not waited for: leaving the scope does.
    void session.flush()
  }
  assert.equal(bodies.length, 1)
  assert.equal((await stored('job-scope')).length, 1)
})

test('what is at fault is named: options, data that was left out, and a category that has no topics', () => {
  const session = watch().events.serviceSession()
  assert.throws(() => session.createdTest({ n: 1 }, { subjct: 'x' } as never), {
    name: 'TopicDataError',
    message: /^options of testing\.TestCreated are refused: \/subjct/,
  })
  assert.throws(() => session.createdTest(undefined as never), {
    message: 'data of testing.TestCreated is refused: must be an object; nothing was given',
  })
  assert.throws(() => session.in('nope' as never), {
    name: 'TopicNotFoundError',
    message: 'topic not found: the category nope; there are testing, billing',
  })
})
