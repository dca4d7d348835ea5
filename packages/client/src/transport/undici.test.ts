import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { TransportRequest } from '../transport.ts'
import { defaultTransport } from './undici.ts'

async function serve(context: TestContext, listener: RequestListener) {
  let connections = 0
  const server = createServer(listener)
  server.on('connection', () => (connections += 1))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const send = (path: string, more: Partial<TransportRequest> = {}) => {
    const { signal } = new AbortController()
    return defaultTransport({ method: 'GET', url: url + path, headers: {}, isHeld: false, signal, ...more })
  }
  return { send, server, connections: () => connections }
}

/** Answers nothing until `flush`. */
function createHeld() {
  const waiting: ServerResponse[] = []
  return {
    hold: (response: ServerResponse) => void waiting.push(response),
    count: () => waiting.length,
    flush: () => {
      for (const response of waiting.splice(0)) response.end('late')
    },
  }
}

test('a burst goes over 64 connections, and what is held has one of its own', async (context) => {
  const held = createHeld()
  const { send, connections } = await serve(context, (request, response) =>
    request.url === '/held' ? held.hold(response) : response.end(request.url),
  )
  const waiting = Array.from({ length: 70 }, () => send('/held', { isHeld: true }))
  const texts = await Promise.all(
    Array.from({ length: 200 }, async (_, n) => (await send(`/${n}`, { method: 'POST', body: 'x' })).text()),
  )
  assert.deepEqual(
    texts,
    texts.map((_, n) => `/${n}`),
  )
  while (held.count() < 70) await send('/again')
  assert.equal(connections(), 64 + 70)
  held.flush()
  assert.equal(await (await waiting[69])?.text(), 'late')
})

test('a request that is given up rejects at once, and its connection is kept where it was not used', async (context) => {
  const held = createHeld()
  const { send, connections } = await serve(context, (request, response) => {
    if (request.url === '/begun') return void response.write('be')
    if (request.url === '/queued') assert.fail('it was sent')
    held.hold(response)
  })
  await assert.rejects(send('/', { signal: AbortSignal.abort('before') }), (reason) => reason === 'before')
  const full = Array.from({ length: 64 }, () => send('/'))
  const stop = new AbortController()
  const queued = send('/queued', { signal: stop.signal })
  stop.abort('queued')
  await assert.rejects(queued, (reason) => reason === 'queued')
  while (held.count() < 64) await new Promise(setImmediate)
  held.flush()
  for (const response of await Promise.all(full)) assert.equal(await response.text(), 'late')
  assert.equal(connections(), 64)

  const cut = new AbortController()
  const text = (await send('/begun', { signal: cut.signal })).text()
  cut.abort(new Error('enough'))
  await assert.rejects(text, { message: 'enough' })
})

test('a request that is given up rejects at once, also while it is connecting', async (context) => {
  const { send } = await serve(context, (_, response) => response.end())
  await send('/')
  // Takes the connection and never answers the TLS handshake.
  const silent = createTcpServer((socket) => {
    socket.on('error', () => undefined)
    stop.abort(new Error('enough'))
    context.after(() => socket.destroy())
  }).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  context.after(() => silent.close())
  const stop = new AbortController()
  const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}/`
  await assert.rejects(send('/', { url, signal: stop.signal }), { message: 'enough' })
})

test('a stream arrives whole however slowly it is read, and closes its connection when it is not read on', async (context) => {
  const piece = 'x'.repeat(100_000)
  const closed = Promise.withResolvers<void>()
  const { send } = await serve(context, (request, response) => {
    if (request.url === '/endless') {
      response.on('close', () => closed.resolve())
      return void response.write('begun')
    }
    for (let n = 0; n < 50; n += 1) response.write(piece)
    response.end()
  })
  const response = await send('/whole', { isHeld: true })
  let bytes = 0
  for await (const chunk of response.stream() ?? []) {
    bytes += chunk.byteLength
    await new Promise(setImmediate)
  }
  assert.equal(bytes, 50 * piece.length)
  const endless = (await send('/endless', { isHeld: true })).stream()?.getReader()
  assert.equal(Buffer.from((await endless?.read())?.value ?? []).toString(), 'begun')
  await endless?.cancel()
  await closed.promise
})

test('text in several pieces, no text, fields and answers that are cut off', async (context) => {
  const { send } = await serve(context, (request, response) => {
    if (request.url === '/none') return void response.writeHead(204, { 'X-Kind': 'none' }).end()
    const bytes = Buffer.from('zwölf Äpfel')
    response.writeHead(200, { 'content-length': bytes.length })
    response.write(bytes.subarray(0, 3))
    if (request.url === '/cut') return void setImmediate(() => response.destroy())
    setImmediate(() => response.end(bytes.subarray(3)))
  })
  const none = await send('/none')
  assert.deepEqual(
    [none.status, none.header('x-kind'), none.header('x-other'), await none.text()],
    [204, 'none', null, ''],
  )
  assert.equal(await (await send('/whole')).text(), 'zwölf Äpfel')
  await assert.rejects((await send('/cut')).text(), { code: 'UND_ERR_SOCKET' })
})

test('the global fetch of the program is left as it was', async (context) => {
  const engine = Symbol.for('undici.globalDispatcher.1')
  const { send } = await serve(context, (_, response) => response.end())
  const before = Reflect.get(globalThis, engine)
  await send('/')
  assert.equal(Reflect.get(globalThis, engine), before)
})

test('requests go through a proxy where Node is told to use one', async (context) => {
  const asked: (string | undefined)[] = []
  const { server } = await serve(context, (request, response) => {
    asked.push(request.url)
    response.writeHead(502).end()
  })
  server.on('connect', (request, socket) => {
    asked.push(request.url)
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
  })
  const program = `
    const { createSluice } = await import(${JSON.stringify(new URL('../index.ts', import.meta.url))})
    await createSluice({ baseUrl: 'http://hub.test', maxRetries: 0 }).events.get('x').catch(() => undefined)`
  const proxy = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const env = { ...process.env, NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxy, NO_PROXY: '' }
  const child = execFile(process.execPath, ['--input-type=module', '--eval', program], { env })
  const [code] = await once(child, 'close')
  assert.equal(code, 0)
  assert.equal(asked.length, 1)
  assert.match(asked[0] ?? '', /hub\.test/)
})
