import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { createSluice, type Sluice } from './client.ts'
import { ApiError, EventValidationError, RateLimitError, TransportError } from './error.ts'
import type { SluiceOptions } from './options.ts'

type Turn = (request: IncomingMessage, response: ServerResponse) => void
const accepted = {
  event_id: '018bcfe5-6800-8000-8000-000004000007',
  timestamp: '2026-01-31T12:00:00.000Z',
  status: 'accepted',
  message: 'stored',
}

const good: Turn = (_, response) =>
  response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(accepted))
const reset: Turn = (request) => request.socket.destroy()
const hang: Turn = () => undefined
const truncate: Turn = (_, response) => {
  response.writeHead(201, { 'content-type': 'application/json', 'content-length': '500' })
  response.write('{"event_id":', () => response.destroy())
}
const garbage: Turn = (_, response) => response.writeHead(201).end('{"event_id":')
const refuse =
  (status: number, fields: Record<string, string> = {}, body: object | string = 'proxy says no'): Turn =>
  (_, response) =>
    response.writeHead(status, { ...fields }).end(typeof body === 'string' ? body : JSON.stringify(body))

/** A server that misbehaves as told, one turn a request, and behaves after that. */
async function serve(context: TestContext, turns: readonly Turn[], options: SluiceOptions = {}) {
  const seen: { headers: IncomingMessage['headers']; url: string | undefined; body: string }[] = []
  const server = createServer(async (request, response) => {
    const turn = turns[seen.length] ?? good
    const call = { headers: request.headers, url: request.url, body: '' }
    seen.push(call)
    for await (const piece of request) call.body += String(piece)
    turn(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const sluice: Sluice = createSluice({
    baseUrl: `http://127.0.0.1:${port}/`,
    apiKey: 'slk_test',
    random: () => 0,
    ...options,
  })
  return { sluice, seen, port }
}

const problem = (code: string, status: number, more: object = {}): object => ({
  type: `/problems/${code}`,
  title: code,
  status,
  detail: `it is ${code}`,
  instance: '/v1/events',
  error_code: code,
  message: 'no',
  correlation_id: 'req-1',
  details: {},
  ...more,
})

test('resets, cut-off bodies, garbage and bad gateways are tried again under one key', async (context) => {
  const { sluice, seen } = await serve(
    context,
    [reset, truncate, garbage, refuse(502), refuse(503, { 'retry-after': '0' })],
    { maxRetries: 9 },
  )
  assert.deepEqual(await sluice.events.send('a', { n: 1 }), accepted)
  assert.equal(seen.length, 6)
  assert.equal(new Set(seen.map((call) => call.headers['idempotency-key'])).size, 1)
  assert.deepEqual(new Set(seen.map((call) => call.body)), new Set(['{"event_type":"a","payload":{"n":1}}']))
  assert.equal(seen[0]?.headers.authorization, 'Bearer slk_test')
})

test('a server that never answers is given up on, attempt by attempt', async (context) => {
  const { sluice, seen } = await serve(context, [good, hang, hang, hang], { timeoutMs: 30, maxRetries: 2 })
  // The first request of a program loads the transport.
  await sluice.events.send('a', {}, { timeoutMs: 10_000 })
  await assert.rejects(sluice.events.send('a', {}), (error: unknown) => {
    assert.ok(error instanceof TransportError)
    assert.equal(error.attempts, 3)
    assert.match(error.message, /^POST \/v1\/events failed after 3 attempts: no answer within 30 ms$/)
    return true
  })
  assert.equal(seen.length, 4)
})

test('a total timeout ends a request that is still waiting for its answer', async (context) => {
  const { sluice, seen } = await serve(context, [hang, hang], { totalTimeoutMs: 40, timeoutMs: 10_000 })
  await assert.rejects(sluice.events.send('a', {}), TransportError)
  assert.equal(seen.length, 1)
})

test('nobody at the port: the error says so', async () => {
  const sluice = createSluice({ baseUrl: 'http://127.0.0.1:9', maxRetries: 0 })
  await assert.rejects(sluice.events.get('x'), { name: 'TransportError', message: /GET \/v1\/events\/x failed: .+/ })
})

test('an abort ends a request, and a wait between two, with the reason of the signal', async (context) => {
  const { sluice, seen } = await serve(context, [hang, refuse(503, { 'retry-after': '60' })])
  const reason = new Error('enough')
  const during = AbortSignal.timeout(20)
  await assert.rejects(sluice.events.send('a', {}, { signal: during }), { name: 'TimeoutError' })
  const waiting = new AbortController()
  const sent = sluice.events.send(
    'a',
    {},
    { signal: waiting.signal, onAnswer: () => setImmediate(() => waiting.abort(reason)) },
  )
  await assert.rejects(sent, reason)
  assert.equal(seen.length, 2)
  await assert.rejects(sluice.events.send('a', {}, { signal: AbortSignal.abort(reason) }), reason)
  assert.equal(seen.length, 2)
})

test('refusals keep their class, code, id and faults', async (context) => {
  const faults = [{ pointer: '/event_type', detail: 'must not be empty' }]
  const turns = [
    refuse(400, {}, problem('validation-error', 400, { errors: faults })),
    refuse(429, { 'retry-after': '120.5' }, problem('rate-limit-exceeded', 429)),
    refuse(403, { 'x-request-id': 'req-2' }, problem('forbidden', 403)),
    refuse(301, { location: 'http://127.0.0.1:9/' }),
  ]
  const { sluice, seen } = await serve(context, turns)
  await assert.rejects(sluice.events.send('', {}), (error: unknown) => {
    assert.ok(error instanceof EventValidationError && error instanceof ApiError)
    assert.deepEqual(error.faults, faults)
    return true
  })
  await assert.rejects(
    sluice.events.send('a', {}),
    (error: unknown) => error instanceof RateLimitError && error.retryAfter === 120.5,
  )
  await assert.rejects(sluice.events.send('a', {}), {
    name: 'ApiError',
    status: 403,
    errorCode: 'forbidden',
    requestId: 'req-2',
    message: 'POST /v1/events answered 403 forbidden: it is forbidden (request req-2)',
  })
  await assert.rejects(sluice.events.send('a', {}), {
    name: 'ApiError',
    status: 301,
    errorCode: undefined,
    problem: undefined,
  })
  assert.equal(seen.length, 4)
})

test('a key of any printable characters travels as a quoted string; others are refused before sending', async (context) => {
  const { sluice, seen } = await serve(context, [])
  await sluice.events.send('a', {}, { idempotencyKey: 'plain-7.a:b' })
  await sluice.events.send('a', {}, { idempotencyKey: 'say "hi", \\ please' })
  assert.deepEqual(
    seen.map((call) => call.headers['idempotency-key']),
    ['plain-7.a:b', '"say \\"hi\\", \\\\ please"'],
  )
  await assert.rejects(sluice.events.send('a', {}, { idempotencyKey: 'Schlüssel\n' }), TypeError)
})

test('members, source and endpoint go where they belong', async (context) => {
  const { sluice, seen } = await serve(context, [], { source: 'billing', eventsEndpoint: '/events/' })
  await sluice.events.send(
    'a',
    { n: 1 },
    { subject: 's', occurred_at: '2026-01-31T12:00:00Z', idempotencyKey: 'k', maxRetries: 0 },
  )
  await sluice
    .with({ source: 'shop', apiKey: 'slk_other' })
    .events.send('a', {}, { entity: { type: 'order', id: '7' } })
  assert.deepEqual(
    seen.map((call) => [call.url, JSON.parse(call.body)]),
    [
      [
        '/events',
        { event_type: 'a', payload: { n: 1 }, subject: 's', occurred_at: '2026-01-31T12:00:00Z', source: 'billing' },
      ],
      ['/events', { event_type: 'a', payload: {}, entity: { type: 'order', id: '7' }, source: 'shop' }],
    ],
  )
  assert.equal(seen[1]?.headers.authorization, 'Bearer slk_other')
})

test('options that can never work are refused when the client is made, without showing the key', () => {
  assert.throws(() => createSluice({ baseUrl: 'localhost:8000' }), { message: /must be an http or https URL/ })
  assert.throws(() => createSluice({ timeoutMs: -1 }), RangeError)
  assert.throws(
    () => createSluice({ apiKey: 'slk_a b' }),
    (error: unknown) => error instanceof TypeError && !error.message.includes('slk_a'),
  )
  createSluice({ apiKey: ' slk_test\n' })
})

test('a key in the address is used and does not stay there', async (context) => {
  const { seen, port } = await serve(context, [])
  await createSluice({ baseUrl: `http://slk_user@127.0.0.1:${port}/hub` }).events.send('a', {})
  assert.deepEqual([seen[0]?.url, seen[0]?.headers.authorization], ['/hub/v1/events', 'Bearer slk_user'])
})

test('retries are told to the logger, payloads and keys are not', async (context) => {
  const lines: string[] = []
  const log = (fields: object, message: string): unknown => lines.push(JSON.stringify({ ...fields, message }))
  const { sluice } = await serve(context, [refuse(503)], { logger: { debug: log, warn: log } })
  await sluice.events.send('a', { card: '4111' })
  assert.equal(lines.length, 1)
  assert.match(lines[0] ?? '', /"operation":"POST \/v1\/events","attempt":1.*trying again/)
  assert.doesNotMatch(lines[0] ?? '', /4111|slk_test/)
})

test('a batch goes out in parts; one that fails as a whole is reported, with the keys to send it again', async (context) => {
  const stored: Turn = (_, response) => {
    const results = Array.from({ length: 1000 }, (__, index) => ({
      index,
      event_id: `id-${index}`,
      timestamp: 't',
      status: 'accepted',
    }))
    response.writeHead(200).end(JSON.stringify({ accepted: 1000, failed: 0, results }))
  }
  const { sluice, seen } = await serve(context, [stored, refuse(503), refuse(503)], { maxRetries: 1 })
  const progress: number[] = []
  const events = Array.from({ length: 2500 }, (_, index) => ({
    event_type: 'a',
    payload: { index },
    idempotency_key: `k${index}`,
  }))
  const outcome = await sluice.events.sendBatch(events, { onProgress: ({ done }) => progress.push(done) })
  assert.deepEqual([outcome.accepted, outcome.failed, outcome.results.length], [1000, 1500, 2500])
  assert.ok(outcome.results.every((result, index) => result.index === index && result.idempotency_key === `k${index}`))
  const codes = outcome.results.map((result) => ('error' in result ? result.error.error_code : 'accepted'))
  assert.deepEqual([codes[999], codes[1000], codes[2000]], ['accepted', 'http-503', 'not-sent'])
  assert.deepEqual(progress, [1000, 2500])
  assert.equal(seen[1]?.body, seen[2]?.body)
  assert.equal(seen[0]?.headers['content-type'], 'application/x-ndjson')
})

test('a batch of which nothing was accepted throws', async (context) => {
  const { sluice } = await serve(context, [refuse(401, {}, problem('unauthorized', 401))])
  await assert.rejects(sluice.events.sendBatch([{ event_type: 'a', payload: {} }]), { name: 'ApiError', status: 401 })
  assert.deepEqual(await sluice.events.sendBatch([]), { accepted: 0, failed: 0, results: [] })
})
