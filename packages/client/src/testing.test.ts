import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startHub } from '@sluice/hub'
import { createSluice, type Sluice } from './client.ts'
import { ApiError, RateLimitError, TransportError } from './error.ts'
import { createFakeClock, createRecordingTransport } from './testing.ts'

function open() {
  const hub = createRecordingTransport()
  const clock = createFakeClock()
  return {
    hub,
    clock,
    sluice: createSluice({ transport: hub.transport, clock, apiKey: 'slk_test', random: () => 0.5 }),
  }
}

/** What anybody who publishes may see of a hub. */
async function publish(sluice: Sluice): Promise<unknown> {
  const first = await sluice.events.send('a', { n: 1 }, { idempotencyKey: 'one "quoted"' })
  const again = await sluice.events.send('a', { n: 1 }, { idempotencyKey: 'one "quoted"' })
  const other = await sluice.events
    .send('a', { n: 2 }, { idempotencyKey: 'one "quoted"' })
    .catch((error: unknown) => (error instanceof ApiError ? [error.status, error.errorCode] : error))
  const batch = await sluice.events.sendBatch([
    { event_type: 'a', payload: { n: 1 }, idempotency_key: 'one "quoted"' },
    { event_type: 'b', payload: {} },
  ])
  const { event_id: id, timestamp: _, ...event } = await sluice.events.get(first.event_id)
  const unknown = await sluice.events
    .get('018bcfe5-6800-8000-8000-000004000007')
    .catch((error: unknown) => (error instanceof ApiError ? [error.status, error.errorCode] : error))
  return {
    statuses: [first.status, again.status, ...batch.results.map((result) => 'status' in result && result.status)],
    isSame: [again.event_id === first.event_id, id === first.event_id],
    counts: [batch.accepted, batch.failed],
    event,
    other,
    unknown,
  }
}

test('it answers as a hub does', async () => {
  await using cleanup = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'sluice-testing-'))
  cleanup.defer(() => rm(folder, { recursive: true }))
  const real = await startHub({
    data: folder,
    host: '127.0.0.1',
    port: 0,
    secretKeys: [new Uint8Array(32)],
    logLevel: 'silent',
    trustProxy: [],
    corsOrigins: [],
  })
  cleanup.defer(() => real.close())
  const expected = await publish(createSluice({ baseUrl: real.url, apiKey: real.apiKey ?? '' }))
  assert.deepEqual(await publish(open().sluice), expected)
})

test('requests and events are there to be looked at', async () => {
  const { hub, sluice } = open()
  await sluice.events.send('order.created', { total: 42 }, { idempotencyKey: 'order-7', source: 'shop' })
  assert.deepEqual(hub.events, [
    {
      event_id: '00000000-0000-8000-8000-000000000001',
      timestamp: '2026-01-31T12:00:01.000Z',
      event_type: 'order.created',
      payload: { total: 42 },
      source: 'shop',
      idempotency_key: 'order-7',
    },
  ])
  const [request] = hub.requests
  assert.equal(`${request?.method} ${request?.path}`, 'POST /v1/events')
  assert.equal(request?.headers['authorization'], 'Bearer slk_test')
  assert.equal(request?.body, '{"event_type":"order.created","payload":{"total":42},"source":"shop"}')
  hub.reset()
  assert.deepEqual([hub.requests, hub.events], [[], []])
})

test('it fails as told, and the clock jumps over the waits', async () => {
  const { hub, clock, sluice } = open()
  hub.fail(1)
  hub.fail(1, { status: 429, retryAfter: 7 })
  hub.disconnect(1)
  await sluice.events.send('a', {})
  assert.deepEqual(clock.sleeps, [125, 7125, 500])
  assert.equal(clock.now(), Date.parse('2026-01-31T12:00:07.750Z'))
  hub.fail(1, { status: 429, retryAfter: 'Sat, 31 Jan 2027 12:00:00 GMT' })
  await assert.rejects(sluice.events.send('a', {}), RateLimitError)
  hub.fail(1, { status: 403, errorCode: 'key-revoked' })
  await assert.rejects(sluice.events.send('a', {}), { status: 403, errorCode: 'key-revoked' })
})

test('an answer that is lost after the event was stored makes no second event', async () => {
  const { hub, sluice } = open()
  hub.cut(2)
  const { status } = await sluice.events.send('a', {})
  assert.equal(status, 'duplicate')
  assert.deepEqual([hub.requests.length, hub.events.length], [3, 1])
})

test('a hub that hangs is given up on', async () => {
  const { hub, sluice } = open()
  hub.hang(2)
  await assert.rejects(sluice.events.send('a', {}, { timeoutMs: 5, maxRetries: 1 }), TransportError)
  await assert.rejects(sluice.with({}).events.send('a', {}, { signal: AbortSignal.abort() }), { name: 'AbortError' })
  assert.equal(hub.requests.length, 2)
})

test('batches of every form are understood', async () => {
  const { hub, sluice } = open()
  hub.refuse('bad', 'is not wanted')
  const outcome = await sluice.events.sendBatch([
    { event_type: 'a', payload: {} },
    { event_type: 'bad', payload: {} },
  ])
  assert.deepEqual([outcome.accepted, outcome.failed], [1, 1])
  const signal = new AbortController().signal
  const send = (body: string): unknown =>
    hub.transport({ method: 'POST', url: 'http://hub/v1/events/batch', headers: {}, body, isHeld: false, signal })
  await send('[{"event_type":"b","payload":{}}]')
  await send('{"events":[{"event_type":"c","payload":{}}]}')
  assert.deepEqual(
    hub.events.map((event) => event.event_type),
    ['a', 'b', 'c'],
  )
})

test('what is no event is refused, with what to do', async () => {
  const { sluice } = open()
  await assert.rejects(sluice.inbox('crm').lease(), {
    status: 404,
    message: /takes events and nothing else; start a hub/,
  })
  await assert.rejects(sluice.inbox().acknowledge('id'), { status: 404 })
})
