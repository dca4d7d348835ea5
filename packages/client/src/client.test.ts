import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CloudEvent } from 'cloudevents'
import { useHub } from '../../../scripts/use-hub.ts'
import { createAdmin } from './admin.ts'
import { createSluice } from './client.ts'
import { createFakeClock } from './testing/fake-clock.ts'
import { ApiError, EventValidationError, RateLimitError } from './error.ts'

const { hub, connection } = await useHub()
const sluice = createSluice(connection)
const admin = createAdmin(connection)

test('an event comes out as it went in, once for each idempotency key', async () => {
  const members = {
    source: 'shop',
    subject: 's',
    occurred_at: '2026-01-31T12:00:00Z',
    actor: { type: 'user', id: 'u' } as const,
    metadata: { a: [1] },
  }
  const first = await sluice.events.send(
    'order.created',
    { total: 42, text: 'ü\u2028"' },
    { ...members, idempotencyKey: 'a key, "quoted"' },
  )
  const again = await sluice.events.send(
    'order.created',
    { total: 42, text: 'ü\u2028"' },
    { ...members, idempotencyKey: 'a key, "quoted"' },
  )
  assert.deepEqual([first.status, again.status, again.event_id], ['accepted', 'duplicate', first.event_id])
  assert.deepEqual(await sluice.events.get(first.event_id), {
    event_id: first.event_id,
    timestamp: first.timestamp,
    event_type: 'order.created',
    payload: { total: 42, text: 'ü\u2028"' },
    ...members,
  })
  await assert.rejects(sluice.events.send('order.created', { other: 1 }, { idempotencyKey: 'a key, "quoted"' }), {
    name: 'ApiError',
    status: 422,
    errorCode: 'idempotency-mismatch',
  })
})

test('a CloudEvent goes in as it is or as the package of that name makes it, once for each source and id', async () => {
  const event = { specversion: '1.0', id: 'c-1', source: '/client', type: 'cloud.sent', data: ['any', 1] } as const
  const first = await sluice.events.sendCloudEvent(event)
  const again = await sluice.events.sendCloudEvent(new CloudEvent({ ...event, data: [...event.data] }))
  assert.deepEqual([first.status, again.status, again.event_id], ['accepted', 'duplicate', first.event_id])
  const found = await sluice.events.get(first.event_id)
  assert.deepEqual(
    [found.source, found.external_event_id, found.payload, found.cloudevent],
    ['/client', 'c-1', ['any', 1], {}],
  )
  await assert.rejects(sluice.events.sendCloudEvent({ ...event, id: '', source: 'a b' }), (error: unknown) => {
    assert.ok(error instanceof EventValidationError)
    assert.deepEqual(error.faults.map(({ pointer }) => pointer).toSorted(), ['/id', '/source'])
    return true
  })
})

test('every fault of an event is named at once', async () => {
  const sent = sluice.events.send('', {}, { subject: '', occurred_at: 'soon' })
  await assert.rejects(sent, (error: unknown) => {
    assert.ok(error instanceof EventValidationError)
    assert.deepEqual(error.faults.map(({ pointer }) => pointer).toSorted(), ['/event_type', '/occurred_at', '/subject'])
    return true
  })
})

test('signed requests are taken, with the key and without it; unsigned and forged ones are not', async () => {
  const key = await admin.createKey({ user_id: 'u', hmac: true, require_hmac: true })
  const { hmac_secret: hmacSecret, key_id: keyId, api_key: apiKey } = key
  const signed = createSluice({ baseUrl: hub.url, keyId, hmacSecret })
  const both = createSluice({ baseUrl: hub.url, apiKey, hmacSecret })
  for (const client of [signed, both]) {
    const { event_id: id } = await client.events.send('signed', { text: 'ü\u2028' })
    assert.equal((await client.events.get(id)).event_type, 'signed')
    assert.equal((await client.events.sendBatch([{ event_type: 'signed', payload: {} }])).accepted, 1)
    const types = (await client.inbox().poll({ limit: 200 })).events.map((event) => event.event_type)
    assert.ok(types.includes('signed'))
    for await (const { event } of client.inbox().stream({ from: 'earliest' })) {
      assert.ok(event.event_id)
      break
    }
  }
  for (const refused of [
    createSluice({ baseUrl: hub.url, apiKey }),
    createSluice({ baseUrl: hub.url, keyId, hmacSecret: `${hmacSecret}x` }),
    createSluice({ baseUrl: hub.url, keyId, hmacSecret, clock: { ...createFakeClock('2020-01-01T00:00:00Z') } }),
  ]) {
    await assert.rejects(refused.events.send('signed', {}), { name: 'ApiError', status: 401 })
  }
})

test('a key with a limit is told how long to wait', async () => {
  const { api_key: apiKey } = await admin.createKey({ user_id: 'u', rate_limit: 1 })
  const limited = sluice.with({ apiKey, maxRetries: 0 })
  let policy: string | null = null
  await limited.events.send('a', {}, { onAnswer: (answer) => (policy = answer.header('ratelimit-policy')) })
  assert.match(policy ?? '', /q=1;w=60/)
  await assert.rejects(
    limited.events.send('a', {}),
    (error: unknown) => error instanceof RateLimitError && (error.retryAfter ?? 0) > 0,
  )
})

test('a batch whose answer was lost is stored once, and bad events do not stop good ones', async () => {
  let lost = 0
  const unlucky = sluice.with({
    random: () => 0,
    fetch: async (url, init) => {
      const response = await fetch(url, init)
      await response.clone().text()
      if ((lost += 1) === 1) throw new TypeError('fetch failed')
      return response
    },
  })
  const outcome = await unlucky.events.sendBatch([
    { event_type: 'lost.once', payload: { n: 1 } },
    { event_type: '', payload: {} },
    { event_type: 'lost.once', payload: { n: 2 } },
  ])
  assert.deepEqual(
    outcome.results.map((result) => ('status' in result ? result.status : result.error.error_code)),
    ['duplicate', 'validation-error', 'duplicate'],
  )
  assert.deepEqual([outcome.accepted, outcome.failed], [2, 1])
  assert.equal((await admin.searchEvents({ event_type: 'lost.once' })).events.length, 2)
})

test('polling pages through an inbox and changes nothing; acknowledging can be repeated', async () => {
  const inbox = sluice.inbox()
  const waiting = (await inbox.poll({ limit: 200 })).events.map((event) => event.event_id)
  const paged: string[] = []
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await inbox.poll({ limit: 2, cursor })
    paged.push(...page.events.map((event) => event.event_id))
    cursor = page.pagination.has_more ? page.pagination.next_cursor : null
  }
  assert.deepEqual(paged, waiting)
  const [first = '', ...rest] = waiting
  await inbox.acknowledge(first)
  await inbox.acknowledge(first)
  assert.deepEqual(
    (await inbox.poll({ limit: 200 })).events.map((event) => event.event_id),
    rest,
  )
  await assert.rejects(inbox.acknowledge('018bcfe5-6800-8000-8000-000004000007'), {
    status: 404,
    errorCode: 'not-found',
  })
  await assert.rejects(inbox.poll({ cursor: 'made-up' }), { status: 400, errorCode: 'invalid-cursor' })
  await assert.rejects(sluice.inbox('crm').acknowledge(first), { name: 'TypeError', message: /lease events from crm/ })
})

test('a lease can be asked for again, extended, acknowledged and given back, each repeatedly', async () => {
  await admin.putInbox('crm', { filter: { event_types: ['lease.*'] } })
  const inbox = sluice.inbox('crm')
  for (const n of [1, 2]) await sluice.events.send('lease.me', { n })
  const lease = await inbox.lease({ limit: 5, leaseId: 'mine', waitSeconds: 1 })
  assert.deepEqual(await inbox.lease({ limit: 5, leaseId: 'mine' }), lease)
  const [first = '', second = ''] = lease.events.map((event) => event.event_id)
  const { leased_until: until } = await inbox.extend('mine', 600)
  assert.ok(until > (lease.leased_until ?? ''))
  assert.deepEqual((await inbox.ack('mine', [first])).results, [{ event_id: first, status: 'acked' }])
  assert.deepEqual((await inbox.ack('mine', [first])).results, [{ event_id: first, status: 'already' }])
  const release = { eventIds: [second], delaySeconds: 0, count: false }
  assert.deepEqual((await inbox.release('mine', release)).results, [{ event_id: second, status: 'released' }])
  const next = await inbox.lease()
  assert.deepEqual(
    next.events.map((event) => [event.event_id, event.attempt]),
    [[second, 1]],
  )
  await assert.rejects(inbox.ack('mine', [second]), (error: unknown) => {
    assert.ok(error instanceof ApiError && error.errorCode === 'lease-lost')
    assert.deepEqual(error.problem?.details['results'], [{ event_id: second, status: 'lost' }])
    return true
  })
  assert.deepEqual((await inbox.lease({ waitSeconds: 0 })).events, [])
})

test('a waiting lease is answered as soon as an event comes, and an aborted one takes nothing', async () => {
  const inbox = sluice.inbox('crm')
  await sluice.inbox('crm').drain(() => undefined)
  const reason = new Error('enough')
  const stop = new AbortController()
  const given = inbox.lease({ waitSeconds: 20, signal: stop.signal })
  setImmediate(() => stop.abort(reason))
  await assert.rejects(given, reason)
  const waiting = inbox.lease({ waitSeconds: 20 })
  const { event_id: id } = await sluice.events.send('lease.me', {})
  assert.deepEqual(
    (await waiting).events.map((event) => event.event_id),
    [id],
  )
})
