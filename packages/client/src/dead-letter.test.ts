import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSluice } from './client.ts'
import type { DeadLetterRecord } from './dead-letter.ts'
import type { SluiceOptions } from './options.ts'
import { createFakeClock } from './testing/fake-clock.ts'
import { defineTopics, withTopics } from './topics.ts'
import { createRecordingTransport } from './testing/recording-transport.ts'
import type { Transport } from './transport.ts'

function open(options: SluiceOptions = {}) {
  const hub = createRecordingTransport()
  const letters: DeadLetterRecord[] = []
  let made = 0
  const sluice = createSluice({
    baseUrl: 'http://slk_user@hub.example/path/',
    source: 'billing',
    transport: hub.transport,
    clock: createFakeClock(),
    random: () => 0,
    newId: () => `id-${(made += 1)}`,
    deadLetter: (record) => letters.push(record),
    ...options,
  })
  return { hub, letters, sluice }
}

test('after the last attempt an event goes to the sink, with all it takes to send it again', async () => {
  const { hub, letters, sluice } = open({ maxRetries: 2 })
  hub.fail(3)
  const sent = sluice.events.send('a', { n: 1 }, { identity: { id: 'u' }, timeoutMs: 1000 })
  await assert.rejects(sent, { name: 'ApiError', status: 503 })
  assert.deepEqual(letters, [
    {
      dead_letter_id: 'id-2',
      at: '2026-01-31T12:00:00.000Z',
      url: 'http://hub.example/path/v1/events',
      event: { event_type: 'a', payload: { n: 1 }, identity: { id: 'u' }, source: 'billing' },
      idempotency_key: 'id-1',
      attempts: 3,
      status: 503,
      error: {
        code: 'overloaded',
        message: 'POST /v1/events answered 503 overloaded: as the test has told it to (request recorded)',
      },
    },
  ])
})

test('a permanent refusal goes there at once; an event that got through, never', async () => {
  const { hub, letters, sluice } = open()
  hub.fail(2)
  await sluice.events.send('a', {})
  assert.equal(letters.length, 0)
  hub.refuse('bad')
  await assert.rejects(sluice.events.send('bad', {}, { idempotencyKey: 'mine' }), { name: 'EventValidationError' })
  assert.deepEqual(
    letters.map((letter) => [letter.idempotency_key, letter.attempts, letter.status, letter.error.code]),
    [['mine', 1, 400, 'validation-error']],
  )
})

test('no answer, then the last status is kept; none at all is null', async () => {
  const { hub, letters, sluice } = open({ maxRetries: 1 })
  hub.fail(1, { status: 502 })
  hub.disconnect(3)
  await assert.rejects(sluice.events.send('a', {}), { name: 'TransportError' })
  await assert.rejects(sluice.events.send('b', {}), { name: 'TransportError' })
  assert.deepEqual(
    letters.map((letter) => [letter.attempts, letter.status, letter.error.code]),
    [
      [2, 502, 'no-answer'],
      [2, null, 'no-answer'],
    ],
  )
})

test('aborted calls go there too: before, during and between attempts', async () => {
  const { hub, letters, sluice } = open()
  const reason = new Error('enough')
  await assert.rejects(sluice.events.send('before', {}, { signal: AbortSignal.abort(reason) }), reason)
  const during = new AbortController()
  hub.hang(1)
  const hanging = sluice.events.send('during', {}, { signal: during.signal })
  setImmediate(() => during.abort(reason))
  await assert.rejects(hanging, reason)
  const between = new AbortController()
  hub.fail(1)
  const waiting = sluice.events.send('between', {}, { signal: between.signal, onAnswer: () => between.abort(reason) })
  await assert.rejects(waiting, reason)
  assert.deepEqual(
    letters.map((letter) => [letter.event.event_type, letter.attempts, letter.status, letter.error]),
    [
      ['before', 0, null, { code: 'aborted', message: 'enough' }],
      ['during', 1, null, { code: 'aborted', message: 'enough' }],
      ['between', 1, 503, { code: 'aborted', message: 'enough' }],
    ],
  )
})

test('what can never be sent is thrown back, and is no dead letter', async () => {
  const { hub, letters, sluice } = open()
  await assert.rejects(sluice.events.send('a', { n: 1n }), TypeError)
  await assert.rejects(sluice.events.send('a', {}, { idempotencyKey: 'ü' }), TypeError)
  assert.deepEqual([letters, hub.requests], [[], []])
})

test('of a batch, each event that failed goes there once', async () => {
  const { hub, letters, sluice } = open()
  hub.refuse('bad')
  const events = ['good', 'bad', 'large'].map((type) => ({
    event_type: type,
    payload: { text: type === 'large' ? 'x'.repeat(6_000_000) : '' },
    idempotency_key: `key-${type}`,
  }))
  const outcome = await sluice.events.sendBatch(events)
  assert.deepEqual([outcome.accepted, outcome.failed], [1, 2])
  assert.deepEqual(
    letters.map(({ event, idempotency_key, attempts, status, error }) => [
      event.event_type,
      Object.keys(event),
      idempotency_key,
      attempts,
      status,
      error.code,
    ]),
    [
      ['large', ['event_type', 'payload', 'source'], 'key-large', 0, null, 'payload-too-large'],
      ['bad', ['event_type', 'payload', 'source'], 'key-bad', 1, 200, 'validation-error'],
    ],
  )
})

test('a batch that stops in the middle leaves the rest there, and one that never began all of it', async () => {
  const { hub, letters, sluice } = open({ maxRetries: 1 })
  const events = Array.from({ length: 2500 }, (_, n) => ({ event_type: 'a', payload: { n } }))
  hub.disconnect(2)
  await assert.rejects(sluice.events.sendBatch(events.slice(0, 1)), { name: 'TransportError' })
  assert.deepEqual([letters.length, letters[0]?.attempts], [1, 2])
  letters.length = 0
  const outcome = await sluice.events.sendBatch(events, {
    onProgress: ({ done }) => {
      if (done === 1000) hub.fail(2)
    },
  })
  assert.deepEqual([outcome.accepted, outcome.failed, letters.length], [1000, 1500, 1500])
  assert.deepEqual(new Set(letters.map(({ idempotency_key }) => idempotency_key)).size, 1500)
  const codes = Object.groupBy(letters, ({ error, attempts }) => `${error.code} ${attempts}`)
  assert.deepEqual(
    Object.entries(codes).map(([code, of]) => [code, of?.length]),
    [
      ['overloaded 2', 1000],
      ['not-sent 0', 500],
    ],
  )
})

test('a caller that keeps what failed asks for no dead letter', async () => {
  const { hub, letters, sluice } = open({ maxRetries: 0 })
  hub.fail(2)
  await assert.rejects(sluice.events.send('a', {}, { deadLetter: false }))
  await assert.rejects(sluice.events.sendBatch([{ event_type: 'a', payload: {} }], { deadLetter: false }))
  assert.deepEqual(letters, [])
})

test('a sink that fails is told to the logger and hides nothing', async () => {
  const lines: unknown[] = []
  const log = (fields: object, message: string): unknown => lines.push({ ...fields, message })
  const full = Promise.reject(new Error('disk full, says jane@example.com'))
  const sink = { write: () => full }
  const { hub, sluice } = open({ maxRetries: 0, deadLetter: sink, logger: { debug: log, warn: log } })
  hub.fail(1)
  const payload = { card: '4111' }
  await assert.rejects(sluice.events.send('a', payload, { idempotencyKey: 'k' }), { name: 'ApiError', status: 503 })
  assert.deepEqual(lines, [
    {
      dead_letter_id: 'id-1',
      idempotency_key: 'k',
      event_type: 'a',
      reason: 'Error: disk full, says [redacted]',
      message: 'a dead letter could not be kept',
    },
  ])
})

test('what a session cannot flush stays in it; given up, it goes there, each event once', async () => {
  const { hub, letters, sluice } = open({ maxRetries: 0 })
  const topics = defineTopics({
    DefaultCategory: 'crm',
    Topics: [{ Action: 'Created', Entity: 'Order', Description: 'an order', Schema: { type: 'object' } }],
  })
  const { transport } = hub
  let requests = 0
  const second = sluice.with({
    transport: (request) => ((requests += 1) === 2 ? Promise.reject(new Error('no')) : transport(request)),
  })
  const other = withTopics(second, topics, { service: 'shop' }).serviceSession('job-2')
  for (let n = 0; n < 600; n += 1) other.publish({ action: 'Created', entity: 'Order', data: { n } })
  await assert.rejects(other.flush(), { name: 'FlushError' })
  assert.deepEqual([hub.events.length, letters.length, other.events.length], [250, 0, 350])
  const [first] = other.events
  requests = 1
  await assert.rejects(other.flush({ deadLetter: true }), { name: 'FlushError' })
  assert.deepEqual([hub.events.length, letters.length, other.events.length], [250, 350, 0])
  assert.equal(letters[0]?.event.correlation_id, 'job-2')
  assert.equal(letters[0]?.idempotency_key, first?.idempotency_key)
})

test('attempts are counted for each event: those that failed for the time being were sent more often', async () => {
  let requests = 0
  const toResult = (line: string, index: number): object => {
    const { event_type } = JSON.parse(line) as { event_type: string }
    return { index, error: { error_code: event_type === 'bad' ? 'validation-error' : 'internal', message: 'no' } }
  }
  const transport: Transport = async ({ body = '' }) => {
    requests += 1
    const results = body.trim().split('\n').map(toResult)
    const text = JSON.stringify({ accepted: 0, failed: results.length, results })
    return { status: 200, header: () => null, text: async () => text, stream: () => null }
  }
  const { letters, sluice } = open({ maxRetries: 2, transport })
  const events = ['bad', 'slow'].map((event_type) => ({ event_type, payload: {} }))
  const outcome = await sluice.events.sendBatch(events)
  assert.deepEqual([outcome.failed, requests], [2, 3])
  assert.deepEqual(
    letters.map(({ event, attempts }) => [event.event_type, attempts]),
    [
      ['bad', 1],
      ['slow', 3],
    ],
  )
})

test('a CloudEvent goes to the sink as it was sent, and is left out where the caller keeps it', async () => {
  const { hub, letters, sluice } = open({ maxRetries: 1 })
  const event = { specversion: '1.0', id: 'c-1', source: '/shop', type: 'order.created', data: [1] } as const
  hub.fail(2)
  await assert.rejects(sluice.events.sendCloudEvent(event), { status: 503 })
  assert.deepEqual(letters, [
    {
      dead_letter_id: 'id-1',
      at: '2026-01-31T12:00:00.000Z',
      url: 'http://hub.example/path/v1/events',
      event,
      content_type: 'application/cloudevents+json',
      idempotency_key: 'c-1',
      attempts: 2,
      status: 503,
      error: { code: 'overloaded', message: letters[0]?.error.message },
    },
  ])
  hub.fail(2)
  await assert.rejects(sluice.events.sendCloudEvent(event, { deadLetter: false }))
  const circular: Record<string, unknown> = { ...event }
  circular['data'] = circular
  await assert.rejects(sluice.events.sendCloudEvent(circular as never), TypeError)
  assert.equal(letters.length, 1)
})
