import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import type { Event, Poll, Trigger } from '@sluice/protocol'
import type { PollRecord } from '@sluice/sdk/integration'
import { openTestHub, type TestHub } from '../test-hub.ts'

let t: TestHub
let url: string
let records: PollRecord[] = []
let status = 200
let asked: URLSearchParams[] = []
const server = createServer((request, response) => {
  asked.push(new URL(request.url ?? '', 'http://vendor').searchParams)
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(records))
})

before(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/records`
  const integrations = new URL('../test-integrations', import.meta.url).pathname
  t = await openTestHub({ integrations, allowCidr: ['127.0.0.0/8'] })
})
after(async () => {
  await t.close()
  server.close()
})
beforeEach(() => {
  records = []
  status = 200
  asked = []
})

let made = 0
/** A trigger of its own for each test. */
async function put(change: object = {}): Promise<string> {
  made += 1
  const body = { integration: 'vendor', polling_trigger: 'new_record', inputs: { url }, first_poll: 'emit', ...change }
  const { status: answered } = await t.call('PUT', `/v1/triggers/t${made}`, { body })
  assert.equal(answered, 201)
  return `t${made}`
}

const run = async (key: string): Promise<Poll> => (await t.call<Poll>('POST', `/v1/triggers/${key}/run`)).body
const show = async (key: string): Promise<Trigger> => (await t.call<Trigger>('GET', `/v1/triggers/${key}`)).body

async function eventsOf(key: string): Promise<Event[]> {
  const { body } = await t.call<{ events: Event[] }>('GET', '/v1/events?event_type=vendor.*&limit=200')
  return body.events.filter(({ metadata }) => metadata?.['trigger'] === key).toReversed()
}
const idsOf = async (key: string): Promise<unknown[]> =>
  (await eventsOf(key)).map(({ metadata }) => metadata?.['record_id'])

test('new records become events once, in their order; another version is another event', async () => {
  const key = await put()
  records = [
    { id: 'a', data: { n: 1 } },
    { id: 2, data: [1, 2] },
  ]
  const first = await run(key)
  assert.deepEqual([first.outcome, first.found, first.published, first.error], ['good', 2, 2, null])
  records.push({ id: 'a', version: 7, data: { n: 1 } })
  assert.equal((await run(key)).published, 1)
  assert.equal((await run(key)).published, 0)
  const [one, two, three] = await eventsOf(key)
  assert.deepEqual([one?.event_type, one?.source, one?.payload], ['vendor.new_record', 'vendor', { n: 1 }])
  assert.deepEqual(one?.metadata, { trigger: key, record_id: 'a' })
  assert.deepEqual(two?.payload, { value: [1, 2] })
  assert.deepEqual(three?.metadata, { trigger: key, record_id: 'a', record_version: 7 })
})

test('the first poll takes note of what is there, unless it is told to publish it', async () => {
  records = [{ id: 'old', data: {} }]
  const key = await put({ first_poll: 'prime' })
  assert.deepEqual([(await run(key)).published, (await show(key)).primed], [0, true])
  records.push({ id: 'new', data: {} })
  assert.equal((await run(key)).published, 1)
  assert.deepEqual(await idsOf(key), ['new'])
})

test('a handler is told the time of the last good poll less the look-back, and its state', async () => {
  const key = await put({ look_back_seconds: 60 })
  await run(key)
  const { last_poll_at: last } = await show(key)
  t.advance(300_000)
  status = 404
  assert.equal((await run(key)).outcome, 'failed')
  status = 200
  await run(key)
  assert.deepEqual(
    asked.map((query) => [query.get('since'), query.get('polls')]),
    [
      [null, 'null'],
      ...Array.from({ length: 2 }, () => [new Date(Date.parse(last ?? '') - 60_000).toISOString(), '{"polls":1}']),
    ],
  )
})

test('failures are counted, said, and make the waits longer; a good poll ends that', async () => {
  const key = await put({ interval_seconds: 60 })
  const waitOf = async (): Promise<number> => {
    const { next_poll_at: next } = await show(key)
    return (Date.parse(next) - t.hub.store.nowMs()) / 60_000
  }
  status = 404
  const waits: number[] = []
  for (let failed = 0; failed < 8; failed += 1) {
    await run(key)
    waits.push(await waitOf())
  }
  const failing = await show(key)
  assert.deepEqual([failing.failures, failing.last_error?.slice(0, 8)], [8, 'HTTP 404'])
  for (const [index, wait] of waits.entries()) {
    const expected = Math.min(60, 2 ** (index + 1))
    assert.ok(
      wait >= expected * 0.9 - 0.1 && wait <= expected * 1.1 + 0.1,
      `${wait} minutes after ${index + 1} failures`,
    )
  }
  status = 200
  await run(key)
  assert.ok((await waitOf()) <= 1.2)
  assert.deepEqual([(await show(key)).failures, (await show(key)).last_error], [0, null])
  const { body } = await t.call<{ polls: Poll[] }>('GET', `/v1/triggers/${key}/polls?limit=2`)
  assert.deepEqual(
    body.polls.map(({ outcome }) => outcome),
    ['good', 'failed'],
  )
})

test('what cannot become an event is said, and does not hold up the others', async () => {
  const key = await put()
  records = [
    { id: 'large', data: { text: 'x'.repeat(300_000) } },
    { id: 'small', data: {} },
  ]
  const poll = await run(key)
  assert.deepEqual([poll.outcome, poll.found, poll.published], ['good', 2, 1])
  assert.match(poll.error ?? '', /record large has more than 262144 bytes/)
  assert.deepEqual(await idsOf(key), ['small'])
})

test('changed settings keep the memory; asking for something else begins anew; the same is the same', async () => {
  records = [{ id: 'a', data: {} }]
  const key = await put()
  await run(key)
  const body = { integration: 'vendor', polling_trigger: 'new_record', inputs: { url }, first_poll: 'emit' }
  assert.equal((await t.call('PUT', `/v1/triggers/${key}`, { body })).status, 200)
  await t.call('PUT', `/v1/triggers/${key}`, { body: { ...body, interval_seconds: 30 } })
  assert.equal((await run(key)).published, 0)
  await t.call('PUT', `/v1/triggers/${key}`, { body: { ...body, inputs: { url, other: true } } })
  assert.equal((await run(key)).published, 1)
})

test('a trigger is paused, resumed and removed', async () => {
  const paused = await put()
  assert.equal((await t.call<Trigger>('POST', `/v1/triggers/${paused}/pause`)).body.status, 'paused')
  assert.equal((await t.call<Trigger>('POST', `/v1/triggers/${paused}/resume`)).body.status, 'active')
  assert.equal((await t.call('DELETE', `/v1/triggers/${paused}`)).status, 204)
  assert.equal((await t.fail('POST', `/v1/triggers/${paused}/run`)).error_code, 'not-found')
})

test('a hub polls by itself what is due, and leaves alone what is paused', async () => {
  const integrations = new URL('../test-integrations', import.meta.url).pathname
  await using own = await openTestHub({ integrations, allowCidr: ['127.0.0.0/8'], roles: ['schedule'] })
  records = [{ id: 'x', data: {} }]
  const body = { integration: 'vendor', polling_trigger: 'new_record', inputs: { url }, first_poll: 'emit' }
  await own.call('PUT', '/v1/triggers/due', { body })
  const isPolled = async (): Promise<boolean> =>
    (await own.call<Trigger>('GET', '/v1/triggers/due')).body.last_poll_at !== null
  while (!(await isPolled())) await new Promise(setImmediate)
  await own.call('POST', '/v1/triggers/due/pause')
  const { body: found } = await own.call<{ events: Event[] }>('GET', '/v1/events?event_type=vendor.*')
  assert.equal(found.events.length, 1)
  const { next_poll_at: next } = (await own.call<Trigger>('GET', '/v1/triggers/due')).body
  own.advance(24 * 3_600_000)
  assert.deepEqual(await own.hub.store.triggers.claimDue(9, 1000), [])
  assert.equal((await own.call<Trigger>('GET', '/v1/triggers/due')).body.next_poll_at, next)
})

test('what can never work is refused when it is put', async () => {
  const refused = async (body: object): Promise<string> =>
    (await t.fail('PUT', '/v1/triggers/bad', { body })).error_code
  assert.equal(await refused({ integration: 'none', polling_trigger: 'x' }), 'not-found')
  assert.equal(await refused({ integration: 'vendor', polling_trigger: 'x' }), 'not-found')
  assert.equal(await refused({ integration: 'echo', polling_trigger: 'new_word' }), 'validation-error')
  assert.equal(await refused({ integration: 'echo', polling_trigger: 'new_word', connection: 'none' }), 'not-found')
  assert.equal(
    await refused({ integration: 'vendor', polling_trigger: 'new_record', interval_seconds: 1 }),
    'validation-error',
  )
  const narrow = await t.makeKey({ allowed_actions: ['echo.*'] })
  const body = { integration: 'vendor', polling_trigger: 'new_record', inputs: { url } }
  assert.equal((await t.fail('PUT', '/v1/triggers/bad', { body, key: narrow })).error_code, 'forbidden')
})

/** A vendor as they are: records appear later than their time, many have the same time, and answers hold what `since` asks for. */
test('within the look-back every record becomes an event once, whenever the node dies', async () => {
  const lookBackMs = 60_000
  const key = await put({ look_back_seconds: lookBackMs / 1000 })
  const store = t.hub.store
  const created: { readonly id: string; readonly atMs: number; readonly shownMs: number }[] = []
  let seed = 7
  const random = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % below
  }
  // oxlint-disable-next-line typescript/unbound-method -- verbs of a store need no `this`
  const { finish } = store.triggers
  const mutable = store.triggers as { finish: typeof finish }
  let lastPollMs = 0
  /** What the vendor answers by now. */
  const visible = (): PollRecord[] =>
    created
      .filter(({ atMs, shownMs }) => shownMs <= store.nowMs() && atMs >= lastPollMs - lookBackMs)
      .map(({ id }) => ({ id, data: { id } }))
      .toSorted(() => random(3) - 1)
  for (let turn = 0; turn < 150; turn += 1) {
    const now = store.nowMs()
    for (let count = random(4); count > 0; count -= 1)
      created.push({ id: `r${created.length}`, atMs: now - random(2) * 1000, shownMs: now + random(lookBackMs - 5000) })
    records = visible()
    const dies = random(3) === 0
    // The node dies after the events are stored and before that is noted.
    if (dies) mutable.finish = () => Promise.reject(new Error('the node has died'))
    const answer = await t.call<Poll>('POST', `/v1/triggers/${key}/run`)
    mutable.finish = finish
    if (answer.status === 200) lastPollMs = now
    // Until another node may take over.
    if (dies) t.advance(151_000)
    t.advance(random(20_000))
  }
  t.advance(lookBackMs)
  records = visible()
  await run(key)
  assert.equal((await allIdsOf(key)).length, created.length)
  records = created.map(({ id }) => ({ id, data: { id } }))
  await run(key)
  const ids = await allIdsOf(key)
  assert.deepEqual([ids.length, new Set(ids).size], [created.length, created.length])
})

async function allIdsOf(key: string): Promise<unknown[]> {
  const ids: unknown[] = []
  let cursor = ''
  do {
    const { body } = await t.call<{ events: Event[]; pagination: { next_cursor: string | null } }>(
      'GET',
      `/v1/events?event_type=vendor.*&limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
    )
    for (const { metadata } of body.events) if (metadata?.['trigger'] === key) ids.push(metadata['record_id'])
    cursor = body.pagination.next_cursor ?? ''
  } while (cursor !== '')
  return ids
}

test('a poll has the rights of the key that put the trigger last, as they are now', async () => {
  const [ada, bob] = [await t.makeKey({ user_id: 'ada' }), await t.makeKey({ user_id: 'bob' })]
  const mine = { integration: 'echo', credentials: { api_key: 'of-ada' }, grant: 'user' }
  await t.call('PUT', '/v1/connections/adas', { key: ada, body: mine })
  const body = { integration: 'echo', polling_trigger: 'new_word', connection: 'adas' }
  await t.call('PUT', '/v1/triggers/adas', { body })
  assert.deepEqual([(await run('adas')).outcome, (await run('adas')).error], ['good', null])
  assert.equal((await t.fail('PUT', '/v1/triggers/adas', { key: bob, body })).error_code, 'not-found')
  const before = await show('adas')
  await t.call('PUT', '/v1/triggers/adas', { key: ada, body })
  assert.deepEqual([(await run('adas')).outcome, (await show('adas')).primed, before.primed], ['good', true, true])
  const keyId = ada.split('_')[1] ?? ''
  await t.call('PATCH', `/v1/keys/${keyId}`, { body: { allowed_actions: ['vendor.*'] } })
  assert.match((await run('adas')).error ?? '', /echo\.new_word/)
  await t.call('PATCH', `/v1/keys/${keyId}`, { body: { allowed_actions: null } })
  assert.equal((await run('adas')).outcome, 'good')
  await t.call('DELETE', `/v1/keys/${keyId}`)
  const refused = await run('adas')
  assert.equal(refused.outcome, 'failed')
  assert.match(refused.error ?? '', new RegExp(`key ${keyId} is revoked; put it again with another key`))
  assert.equal((await show('adas')).failures, 1)
  await t.call('PUT', '/v1/triggers/adas', { body })
  assert.equal((await run('adas')).outcome, 'good')
})
