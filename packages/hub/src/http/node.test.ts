import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as send, type IncomingMessage, type RequestOptions } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import type { EventPage, Inbox, Lease } from '@sluice/protocol'
import { openTestHub, type TestHub } from '../test-hub.ts'

let t: TestHub

before(async () => {
  t = await openTestHub({ roles: ['http'] })
})
after(() => t.close())

const order = JSON.stringify({ event_type: 'order.created', payload: { id: 1 } })
const headersOf = (more: Record<string, string> = {}): Record<string, string> => ({
  authorization: `Bearer ${t.adminKey}`,
  'content-type': 'application/json',
  ...more,
})

type Sent = { readonly status: number; readonly body: string; readonly headers: IncomingMessage['headers'] }

/** Sends pieces one by one, so that `node:http` chooses chunks. */
async function post(
  path: string,
  pieces: readonly (string | Buffer)[],
  headers: Record<string, string> = {},
): Promise<Sent> {
  const options: RequestOptions = { method: 'POST', headers: headersOf(headers), agent: false }
  const outgoing = send(new URL(path, t.hub.url), options)
  // The hub may have answered and closed before all was sent.
  outgoing.on('error', () => undefined)
  for (const piece of pieces) outgoing.write(piece)
  outgoing.end()
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
  return { status: incoming.statusCode ?? 0, body: await text(incoming), headers: incoming.headers }
}

/** What a server answers to bytes, until it closes. */
async function exchange(bytes: string | Buffer): Promise<string> {
  const socket = await dial()
  socket.on('error', () => undefined)
  socket.write(bytes)
  return text(socket)
}

async function dial(): Promise<Socket> {
  const socket = connect(t.hub.port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

test('single events, batches, reads and acknowledgements over a socket', async () => {
  const published = await post('/v1/events', [order])
  assert.equal(published.status, 201)
  assert.equal(published.headers['content-length'], String(Buffer.byteLength(published.body)))
  const chunked = await post('/v1/events', [order.slice(0, 10), order.slice(10)], { 'transfer-encoding': 'chunked' })
  assert.equal(chunked.status, 201)
  const packed = gzipSync(order)
  assert.equal((await post('/v1/events', [packed], { 'content-encoding': 'gzip' })).status, 201)
  const page = await fetch(`${t.hub.url}/events/inbox`, { headers: headersOf() })
  const { events } = (await page.json()) as EventPage
  assert.equal(events.length, 3)
  for (const { event_id: id } of events) {
    const gone = await fetch(`${t.hub.url}/events/${id}`, { method: 'DELETE', headers: headersOf() })
    assert.deepEqual([gone.status, gone.headers.get('content-length'), await gone.text()], [204, null, ''])
  }
})

test('a body that is too long is refused before it is read where its length is told', async () => {
  const head = `POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${t.adminKey}\r\nContent-Type: application/json\r\nContent-Length: 999999999\r\n\r\n`
  const answer = await exchange(head)
  assert.match(answer, /^HTTP\/1\.1 413 /)
  assert.match(answer, /connection: close/i)
  assert.match(answer, /"error_code":"payload-too-large"/)
})

test('chunks over the limit, and a gzip bomb: 413, and the connection is closed', async () => {
  const chunks = Array.from({ length: 12 }, () => Buffer.alloc(64 * 1024, 32))
  const long = await post('/v1/events', chunks, { 'transfer-encoding': 'chunked' })
  assert.deepEqual([long.status, long.headers.connection], [413, 'close'])
  const bomb = await post('/v1/events', [gzipSync(Buffer.alloc(20 * 1024 * 1024))], { 'content-encoding': 'gzip' })
  assert.equal(bomb.status, 413)
  const batch = Array.from({ length: 90 }, () => Buffer.alloc(64 * 1024, 32))
  assert.equal((await post('/v1/events/batch', batch, { 'transfer-encoding': 'chunked' })).status, 413)
})

test('a caller without a key is refused without waiting for the body', async () => {
  const answer = await exchange(
    'POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n',
  )
  assert.match(answer, /^HTTP\/1\.1 401 /)
})

test('Expect: 100-continue is answered only if the body will be read', async () => {
  const head = (length: number): string =>
    `POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${t.adminKey}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`
  const socket = await dial()
  socket.write(head(order.length))
  const [first] = (await once(socket, 'data')) as [Buffer]
  assert.match(first.toString(), /^HTTP\/1\.1 100 Continue/)
  socket.write(order)
  assert.match(await text(socket), /HTTP\/1\.1 201 /)
  assert.match(await exchange(head(99_999_999)), /^HTTP\/1\.1 413 /)
})

test('what is no HTTP gets a short answer', async () => {
  for (const bytes of [
    'nonsense\r\n\r\n',
    Buffer.from([0, 1, 2, 3, 255, 13, 10, 13, 10]),
    'GET / HTTP/1.1\r\nbad header\r\n\r\n',
  ]) {
    assert.match(await exchange(bytes), /^HTTP\/1\.1 400 /)
  }
  const long = `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`
  assert.match(await exchange(long), /^HTTP\/1\.1 431 /)
  const smuggled =
    'POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
  assert.match(await exchange(smuggled), /^HTTP\/1\.1 400 /)
})

test('targets in every form', async () => {
  const status = async (target: string): Promise<string> =>
    (await exchange(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).slice(9, 12)
  assert.equal(await status('/status?x=1'), '200')
  assert.equal(await status('http://somewhere/status'), '200')
  assert.equal(await status('//status'), '404')
  assert.equal(await status('/%2e%2e/status'), '404')
  assert.equal(await status('/v1/events/%ff'), '404')
})

test('a body that breaks off stores nothing', async () => {
  const before = await fetch(`${t.hub.url}/events/inbox`, { headers: headersOf() }).then((page) => page.text())
  const socket = await dial()
  socket.write(
    `POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${t.adminKey}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"event_type"`,
  )
  socket.destroy()
  await once(socket, 'close')
  const after = await fetch(`${t.hub.url}/events/inbox`, { headers: headersOf() }).then((page) => page.text())
  assert.equal(after, before)
})

test('a consumer that goes away while it waits holds nothing', async () => {
  await fetch(`${t.hub.url}/v1/inboxes/gone`, { method: 'PUT', headers: headersOf() })
  const gone = new AbortController()
  const body = JSON.stringify({ wait_seconds: 20 })
  const url = `${t.hub.url}/v1/inboxes/gone/lease`
  const waiting = fetch(url, { method: 'POST', headers: headersOf(), body, signal: gone.signal }).catch(() => undefined)
  const patient = fetch(url, { method: 'POST', headers: headersOf(), body })
  gone.abort()
  await waiting
  await post('/v1/events', [order])
  const { events } = (await (await patient).json()) as Lease
  assert.equal(events.length, 1)
  const inbox = await fetch(`${t.hub.url}/v1/inboxes/gone`, { headers: headersOf() })
  assert.equal(((await inbox.json()) as Inbox).leased, 1)
})

test('a slow reader of a stream holds up nobody', async () => {
  const payload = { text: 'x'.repeat(200_000) }
  const large = JSON.stringify({ event_type: 'large', payload })
  await fetch(`${t.hub.url}/v1/inboxes/large`, {
    method: 'PUT',
    headers: headersOf(),
    body: '{"filter":{"event_types":["large"]}}',
  })
  for (let n = 0; n < 20; n += 1) assert.equal((await post('/v1/events', [large])).status, 201)
  const socket = await dial()
  socket.write(`GET /v1/inboxes/large/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${t.adminKey}\r\n\r\n`)
  await once(socket, 'readable')
  assert.equal((await post('/v1/events', [order])).status, 201)
  socket.destroy()
})

test('bytes of any kind do the process no harm', async () => {
  const starts = fc.constantFrom(
    '',
    'GET / HTTP/1.1\r\n',
    'POST /v1/events HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n',
  )
  const property = fc.asyncProperty(starts, fc.uint8Array({ maxLength: 500 }), async (start, bytes) => {
    const socket = await dial()
    socket.on('error', () => undefined)
    socket.end(Buffer.concat([Buffer.from(start), bytes]))
    socket.resume()
    await once(socket, 'close')
  })
  await fc.assert(property, { numRuns: 50 })
  assert.equal((await fetch(`${t.hub.url}/health`)).status, 200)
})
