import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { createSluice } from './client.ts'

type Turn = (request: IncomingMessage, response: ServerResponse) => void

const open = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-type': 'text/event-stream' })
const frame = (n: number): string =>
  `event: event\nid: place-${n}\ndata: {"event_id":"e${n}","event_type":"a","payload":{"n":${n}}}\n\n`

/** Takes one turn for each connection, the last of them for all that follow. */
async function serve(context: TestContext, turns: readonly Turn[]) {
  const seen: { url: string | undefined; lastEventId: string | undefined }[] = []
  const server = createServer((request, response) => {
    seen.push({ url: request.url, lastEventId: request.headers['last-event-id']?.toString() })
    turns[Math.min(seen.length, turns.length) - 1]?.(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { sluice: createSluice({ baseUrl: `http://127.0.0.1:${port}`, apiKey: 'k', random: () => 0 }), seen }
}

test('a stream goes on where it was: after a cut in the middle of a frame, a refusal that will pass, and a clean end', async (context) => {
  const { sluice, seen } = await serve(context, [
    (_, response) => open(response).write(`retry: 1\n\n${frame(1)}${frame(2).slice(0, 30)}`, () => response.destroy()),
    (_, response) => response.writeHead(503).end(),
    (_, response) => open(response).end(`: still here\n\n${frame(2)}`),
    (_, response) => open(response).write(frame(3)),
  ])
  const got: (string | undefined)[] = []
  for await (const { event, cursor } of sluice.inbox('crm').stream({ from: 'earliest' })) {
    got.push(`${event.event_id} ${cursor}`)
    if (got.length === 3) break
  }
  assert.deepEqual(got, ['e1 place-1', 'e2 place-2', 'e3 place-3'])
  assert.deepEqual(seen, [
    { url: '/v1/inboxes/crm/stream?from=earliest', lastEventId: undefined },
    { url: '/v1/inboxes/crm/stream', lastEventId: 'place-1' },
    { url: '/v1/inboxes/crm/stream', lastEventId: 'place-1' },
    { url: '/v1/inboxes/crm/stream', lastEventId: 'place-2' },
  ])
})

test('leased events come with their lease', async (context) => {
  const data =
    '{"lease_id":"l1","leased_until":"2026-01-31T12:00:00Z","event":{"event_id":"e1","event_type":"a","payload":{},"attempt":1}}'
  const { sluice, seen } = await serve(context, [(_, response) => open(response).write(`id: p\ndata: ${data}\n\n`)])
  for await (const streamed of sluice.inbox().stream({ leaseSeconds: 9, limit: 3 })) {
    assert.deepEqual(streamed, { ...JSON.parse(data), cursor: 'p' })
    break
  }
  assert.equal(seen[0]?.url, '/v1/inboxes/default/stream?lease_seconds=9&limit=3')
})

test('a refusal ends the stream with its error', async (context) => {
  const { sluice } = await serve(context, [(_, response) => response.writeHead(403).end()])
  await assert.rejects(sluice.inbox().stream().next(), { name: 'ApiError', status: 403 })
})

test('an abort ends the stream without an error, also while it waits for events or for the hub', async (context) => {
  const waiting = await serve(context, [(_, response) => open(response).write(': still here\n\n')])
  const stop = new AbortController()
  const stream = waiting.sluice.inbox().stream({ signal: stop.signal })
  const next = stream.next()
  setImmediate(() => stop.abort())
  assert.deepEqual(await next, { value: undefined, done: true })

  const away = createSluice({ baseUrl: 'http://127.0.0.1:9', apiKey: 'k', random: () => 1 }).inbox()
  const later = AbortSignal.timeout(20)
  assert.deepEqual(await away.stream({ signal: later }).next(), { value: undefined, done: true })
  assert.deepEqual(await away.stream({ signal: AbortSignal.abort() }).next(), { value: undefined, done: true })
})

test('leaving the loop closes the connection', async (context) => {
  const closed = Promise.withResolvers<void>()
  const { sluice } = await serve(context, [
    (_, response) => {
      response.on('close', () => closed.resolve())
      open(response).write(frame(1))
    },
  ])
  for await (const _ of sluice.inbox().stream()) break
  await closed.promise
})
