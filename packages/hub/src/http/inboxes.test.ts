import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Accepted, EventPage, Extended, Inbox, KeyWithSecret, Lease, Settled } from '@sluice/protocol'
import { openTestHub, type TestHub } from '../test-hub.ts'

let t: TestHub

before(async () => {
  t = await openTestHub()
})
after(() => t.close())

/** A workspace of its own with so many events `n`, numbered from 1. */
async function fill(name: string, count: number): Promise<{ key: string; ids: string[] }> {
  await t.call('PUT', `/v1/workspaces/${name}`)
  const key = await t.makeKey({ workspace: name, role: 'admin' })
  const ids: string[] = []
  for (let n = 1; n <= count; n += 1) ids.push(await publish(key, { event_type: 'n', payload: { n } }))
  return { key, ids }
}

async function publish(key: string, body: unknown): Promise<string> {
  return (await t.call<Accepted>('POST', '/v1/events', { key, body })).body.event_id
}

async function lease(key: string, body: unknown = {}, inbox = 'default'): Promise<Lease> {
  const answer = await t.call<Lease>('POST', `/v1/inboxes/${inbox}/lease`, { key, body })
  assert.equal(answer.status, 200, answer.text)
  return answer.body
}

const numbersOf = (lease: Pick<Lease, 'events'>): unknown[] => lease.events.map(({ payload }) => payload['n'])

test('PUT ensures: made, the same, or differs; only what is sent is compared', async () => {
  const { key } = await fill('put', 0)
  const settings = { filter: { sources: ['s'], event_types: ['a'] }, lease_seconds: 60 }
  const made = await t.call<Inbox>('PUT', '/v1/inboxes/crm', { key, body: settings })
  assert.equal(made.status, 201)
  assert.deepEqual([made.body.lease_seconds, made.body.max_attempts, made.body.start], [60, 12, 'latest'])
  const reordered = { lease_seconds: 60, filter: { event_types: ['a'], sources: ['s'] } }
  assert.equal((await t.call('PUT', '/v1/inboxes/crm', { key, body: reordered })).status, 200)
  assert.equal((await t.call('PUT', '/v1/inboxes/crm', { key })).status, 200)
  const differs = await t.fail('PUT', '/v1/inboxes/crm', { key, body: { ...settings, lease_seconds: 61, owner: 'x' } })
  assert.deepEqual(
    [differs.status, differs.error_code, differs.details['differs']],
    [409, 'inbox-differs', ['owner', 'lease_seconds']],
  )
  assert.equal((await t.call<Inbox>('GET', '/v1/inboxes/crm', { key })).body.lease_seconds, 60)
})

test('an inbox starts at the latest or earliest event, or at a time', async () => {
  const { key } = await fill('start', 2)
  t.advance(1000)
  const time = new Date(t.hub.store.nowMs()).toISOString()
  await publish(key, { event_type: 'n', payload: { n: 3 } })
  const behind = async (name: string, start: string): Promise<number> =>
    (await t.call<Inbox>('PUT', `/v1/inboxes/${name}`, { key, body: { start } })).body.behind
  assert.deepEqual([await behind('l', 'latest'), await behind('e', 'earliest'), await behind('t', time)], [0, 3, 1])
})

test('PATCH changes settings and counts revisions; DELETE removes; the default inbox stays', async () => {
  const { key } = await fill('patch', 0)
  await t.call('PUT', '/v1/inboxes/crm', { key })
  const changed = await t.call<Inbox>('PATCH', '/v1/inboxes/crm', { key, body: { max_attempts: 3 } })
  assert.deepEqual([changed.body.max_attempts, changed.body.revision], [3, 2])
  const same = await t.call<Inbox>('PATCH', '/v1/inboxes/crm', { key, body: { max_attempts: 3 } })
  assert.equal(same.body.revision, 2)
  assert.equal((await t.call('DELETE', '/v1/inboxes/crm', { key })).status, 204)
  for (const method of ['GET', 'DELETE'] as const)
    assert.equal((await t.fail(method, '/v1/inboxes/crm', { key })).status, 404)
  assert.equal((await t.fail('DELETE', '/v1/inboxes/default', { key })).error_code, 'conflict')
})

test('the list of inboxes pages by key', async () => {
  const { key } = await fill('list', 0)
  for (const name of ['a', 'b']) await t.call('PUT', `/v1/inboxes/${name}`, { key })
  type Page = { inboxes: Inbox[]; pagination: { next_cursor: string | null; has_more: boolean } }
  const first = await t.call<Page>('GET', '/v1/inboxes?limit=2', { key })
  assert.deepEqual(
    first.body.inboxes.map((inbox) => inbox.key),
    ['a', 'b'],
  )
  const second = await t.call<Page>('GET', `/v1/inboxes?limit=2&cursor=${first.body.pagination.next_cursor}`, { key })
  assert.deepEqual(
    [second.body.inboxes.map((inbox) => inbox.key), second.body.pagination.has_more],
    [['default'], false],
  )
})

test('lease, extend, ack: a result for each id, in the order asked for, and repeatable', async () => {
  const { key, ids } = await fill('lease', 3)
  const taken = await lease(key, { limit: 2, lease_seconds: 10, lease_id: 'mine' })
  assert.deepEqual([taken.lease_id, taken.inbox_status, numbersOf(taken)], ['mine', 'active', [1, 2]])
  assert.deepEqual(
    taken.events.map(({ attempt }) => attempt),
    [1, 1],
  )
  assert.equal(taken.leased_until, new Date(t.hub.store.nowMs() + 10_000).toISOString())
  assert.deepEqual(numbersOf(await lease(key, { limit: 2, lease_id: 'mine' })), [1, 2])
  t.advance(5000)
  const extended = await t.call<Extended>('POST', '/v1/inboxes/default/extend', {
    key,
    body: { lease_id: 'mine', lease_seconds: 10 },
  })
  assert.equal(extended.body.leased_until, new Date(t.hub.store.nowMs() + 10_000).toISOString())
  const ack = async (eventIds?: string[]): Promise<Settled> => {
    const body = { lease_id: 'mine', ...(eventIds && { event_ids: eventIds }) }
    return (await t.call<Settled>('POST', '/v1/inboxes/default/ack', { key, body })).body
  }
  const [first = '', second = '', third = ''] = ids
  assert.deepEqual((await ack([third, second, 'nonsense', second])).results, [
    { event_id: third, status: 'unknown' },
    { event_id: second, status: 'acked' },
    { event_id: 'nonsense', status: 'unknown' },
    { event_id: second, status: 'acked' },
  ])
  assert.deepEqual((await ack(['nonsense'])).results, [{ event_id: 'nonsense', status: 'unknown' }])
  assert.deepEqual((await ack()).results, [{ event_id: first, status: 'acked' }])
  assert.deepEqual((await ack([first])).results, [{ event_id: first, status: 'already' }])
  const lost = await t.fail('POST', '/v1/inboxes/default/extend', {
    key,
    body: { lease_id: 'mine', lease_seconds: 10 },
  })
  assert.deepEqual([lost.status, lost.error_code], [409, 'lease-lost'])
})

test('release gives back, with a delay and a reason; untouched events cost no attempt', async () => {
  const { key, ids } = await fill('release', 1)
  const release = (body: object): Promise<unknown> => t.call('POST', '/v1/inboxes/default/release', { key, body })
  const first = await lease(key)
  await release({ lease_id: first.lease_id, count: false })
  const second = await lease(key)
  assert.equal(second.events[0]?.attempt, 1)
  await release({ lease_id: second.lease_id, event_ids: ids, delay_seconds: 60, reason: 'busy' })
  assert.deepEqual((await lease(key)).events, [])
  const attempts = await t.call<{ attempts: { reason: string; outcome: string }[] }>(
    'GET',
    '/v1/inboxes/default/attempts',
    { key },
  )
  assert.deepEqual(
    attempts.body.attempts.map(({ reason, outcome }) => [reason, outcome]),
    [['busy', 'released']],
  )
  t.advance(60_000)
  assert.equal((await lease(key)).events[0]?.attempt, 2)
})

test('what another consumer holds meanwhile is lost: 409, which says what was done', async () => {
  const { key, ids } = await fill('lost', 2)
  const [first = '', second = ''] = ids
  const slow = await lease(key, { limit: 2, lease_seconds: 1 })
  t.advance(2000)
  const quick = await lease(key, { limit: 1 })
  assert.deepEqual(numbersOf(quick), [1])
  const problem = await t.fail('POST', '/v1/inboxes/default/ack', {
    key,
    body: { lease_id: slow.lease_id, event_ids: ids },
  })
  assert.deepEqual([problem.status, problem.error_code], [409, 'lease-lost'])
  assert.deepEqual(problem.details['results'], [
    { event_id: first, status: 'lost' },
    { event_id: second, status: 'acked' },
  ])
})

test('a paused inbox hands nothing out and takes acks; seek goes elsewhere and voids leases', async () => {
  const { key, ids } = await fill('pause', 3)
  const taken = await lease(key, { limit: 1 })
  const paused = await t.call<Inbox>('POST', '/v1/inboxes/default/pause', { key })
  assert.equal(paused.body.status, 'paused')
  const nothing = await lease(key)
  assert.deepEqual([nothing.events, nothing.leased_until, nothing.inbox_status], [[], null, 'paused'])
  const acked = await t.call<Settled>('POST', '/v1/inboxes/default/ack', { key, body: { lease_id: taken.lease_id } })
  assert.equal(acked.body.results[0]?.status, 'acked')
  assert.equal((await t.call<Inbox>('POST', '/v1/inboxes/default/resume', { key })).body.status, 'active')
  const seek = async (to: string): Promise<Inbox> =>
    (await t.call<Inbox>('POST', '/v1/inboxes/default/seek', { key, body: { to } })).body
  assert.equal((await seek(ids[1] ?? '')).behind, 2)
  assert.equal((await seek('latest')).behind, 0)
  assert.deepEqual([(await seek('earliest')).behind, (await seek('earliest')).generation], [3, 5])
  assert.equal((await seek(new Date(t.hub.store.nowMs() + 1).toISOString())).behind, 0)
  const foreign = await t.fail('POST', '/v1/inboxes/default/seek', {
    key,
    body: { to: '00000000-0000-8000-8000-000000000000' },
  })
  assert.equal(foreign.status, 404)
})

test('peeking at an inbox takes nothing and follows its filter', async () => {
  const { key } = await fill('peek', 3)
  await t.call('PUT', '/v1/inboxes/two', {
    key,
    body: { start: 'earliest', filter: { payload: [{ pointer: '/n', gte: 2 }] } },
  })
  const page = await t.call<EventPage>('GET', '/v1/inboxes/two/events', { key })
  assert.deepEqual(
    page.body.events.map(({ payload }) => payload['n']),
    [2, 3],
  )
  assert.deepEqual(numbersOf(await lease(key, {}, 'two')), [2, 3])
  assert.deepEqual((await t.call<EventPage>('GET', '/v1/inboxes/two/events', { key })).body.events, [])
})

test('a lease that waits is answered by the next event; several take turns', async () => {
  const { key } = await fill('wait', 0)
  const waiting = [1, 2, 3].map(() => lease(key, { wait_seconds: 20, limit: 1 }))
  await t.call('POST', '/v1/events/batch', { key, body: [1, 2, 3].map((n) => ({ event_type: 'n', payload: { n } })) })
  const answers = await Promise.all(waiting)
  assert.deepEqual(new Set(answers.flatMap(numbersOf)), new Set([1, 2, 3]))
})

test('a lease that waits does not wake for events that its filter excludes', async () => {
  const { key } = await fill('wait-filter', 0)
  await t.call('PUT', '/v1/inboxes/b', { key, body: { filter: { event_types: ['b'] } } })
  const waiting = lease(key, { wait_seconds: 20 }, 'b')
  await publish(key, { event_type: 'a', payload: { n: 1 } })
  await publish(key, { event_type: 'b', payload: { n: 2 } })
  assert.deepEqual(numbersOf(await waiting), [2])
})

test('a lease that waits gets what is resumed or given back', async () => {
  const { key } = await fill('wait-release', 1)
  const taken = await lease(key)
  const waiting = lease(key, { wait_seconds: 20 })
  await t.call('POST', '/v1/inboxes/default/release', { key, body: { lease_id: taken.lease_id } })
  const got = await waiting
  assert.deepEqual(numbersOf(got), [1])
  await t.call('POST', '/v1/inboxes/default/ack', { key, body: { lease_id: got.lease_id } })
  await t.call('POST', '/v1/inboxes/default/pause', { key })
  await publish(key, { event_type: 'n', payload: { n: 2 } })
  const paused = lease(key, { wait_seconds: 20 })
  await t.call('POST', '/v1/inboxes/default/resume', { key })
  assert.deepEqual(numbersOf(await paused), [2])
})

test('nothing is leased to a caller who has gone', async () => {
  const { key } = await fill('gone', 0)
  const gone = new AbortController()
  const waiting = t.call('POST', '/v1/inboxes/default/lease', { key, body: { wait_seconds: 20 }, signal: gone.signal })
  const after = lease(key, { wait_seconds: 20 })
  gone.abort()
  await publish(key, { event_type: 'n', payload: { n: 1 } })
  assert.deepEqual(numbersOf(await after), [1])
  await waiting.catch(() => undefined)
  const inbox = await t.call<Inbox>('GET', '/v1/inboxes/default', { key })
  assert.equal(inbox.body.leased, 1)
})

test('inboxes that do not exist', async () => {
  const body = { lease_id: 'l', lease_seconds: 1 }
  const calls: readonly (readonly [string, string, unknown?])[] = [
    ['GET', ''],
    ['PATCH', '', {}],
    ['DELETE', ''],
    ['POST', '/pause'],
    ['POST', '/resume'],
    ['POST', '/seek', { to: 'latest' }],
    ['POST', '/lease', {}],
    ['POST', '/ack', { lease_id: 'l' }],
    ['POST', '/ack', { lease_id: 'l', event_ids: ['x'] }],
    ['POST', '/release', { lease_id: 'l' }],
    ['POST', '/extend', body],
    ['GET', '/events'],
    ['GET', '/stream'],
    ['GET', '/stream?lease_seconds=1'],
    ['POST', '/stream/ticket'],
    ['GET', '/dead-letters'],
    ['POST', '/dead-letters/replay', { all: true }],
    ['POST', '/dead-letters/discard', { all: true }],
    ['GET', '/attempts'],
  ]
  for (const inbox of ['nowhere', 'NOT%20a%20key', '%27;drop']) {
    for (const [method, path, sent] of calls) {
      const problem = await t.fail(method, `/v1/inboxes/${inbox}${path}`, sent === undefined ? {} : { body: sent })
      assert.deepEqual([problem.status, problem.error_code], [404, 'not-found'], `${method} ${inbox}${path}`)
    }
  }
})

test('a lease that waits hands nothing to a key that was revoked meanwhile', async () => {
  const { key: admin } = await fill('revoked', 0)
  const made = await t.call<KeyWithSecret>('POST', '/v1/keys', { key: admin, body: { user_id: 'u', role: 'consumer' } })
  const body = { wait_seconds: 20 }
  const waiting = t.fail('POST', '/v1/inboxes/default/lease', { key: made.body.api_key, body })
  await t.call('DELETE', `/v1/keys/${made.body.key_id}`, { key: admin })
  await publish(admin, { event_type: 'n', payload: { n: 1 } })
  assert.equal((await waiting).error_code, 'key-revoked')
  assert.deepEqual(numbersOf(await lease(admin)), [1])
})
