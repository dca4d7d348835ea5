import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { HubError } from '@sluice/protocol'
import type { App, Logger } from './app.ts'
import { isWhole, type HubRequest, type HubResponse, type BodyWatch } from './exchange.ts'
import { refuseLength, tooLarge } from './fetch.ts'

export type Listener = {
  readonly port: number
  /** Takes no more connections, lets requests under way finish, and cuts what is left after `graceMs`. */
  readonly close: (graceMs: number) => Promise<void>
}

export type ListenOptions = { readonly app: App; readonly host: string; readonly port: number; readonly logger: Logger }

/** Serves the hub on a port, on `node:http` itself: frameworks cost a third of the throughput here. */
export async function listen({ app, host, port, logger }: ListenOptions): Promise<Listener> {
  const server = createServer({
    headersTimeout: 15_000,
    requestTimeout: 120_000,
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: 5000,
  })
  let closing = false
  const serve = (incoming: IncomingMessage, outgoing: ServerResponse, expectsContinue: boolean): void => {
    answer(app, incoming, outgoing, { expectsContinue, isClosing: () => closing }).catch((error: unknown) => {
      logger.error({ err: error }, 'an answer could not be sent')
      outgoing.destroy()
    })
  }
  server.on('request', (incoming, outgoing) => serve(incoming, outgoing, false))
  server.on('checkContinue', (incoming, outgoing) => serve(incoming, outgoing, true))
  server.on('clientError', refuseConnection)
  server.listen(port, host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port, // it listens on TCP
    close: (graceMs) => {
      closing = true
      return closeServer(server, graceMs)
    },
  }
}

async function closeServer(server: Server, graceMs: number): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  // A connection whose last answer has just gone out is idle only now: it would keep the server for as long as it likes.
  const sweep = setInterval(() => server.closeIdleConnections(), 20)
  const late = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearInterval(sweep)
  clearTimeout(late)
}

/** What is no HTTP at all, or too slow or too long in its head, gets a short answer and no more. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  // On a connection that has carried an answer, these bytes might land in the middle of another one.
  if (!socket.writable || socket.bytesWritten > 0) return void socket.destroy()
  const status = refusals[error.code ?? ''] ?? '400 Bad Request'
  const body = JSON.stringify({ type: 'about:blank', title: status.slice(4), status: Number(status.slice(0, 3)) })
  const head = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/problem+json\r\nContent-Length: ${body.length}\r\n\r\n`
  socket.end(head + body)
}

const refusals: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

type Circumstances = { readonly expectsContinue: boolean; readonly isClosing: () => boolean }

async function answer(
  app: App,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  circumstances: Circumstances,
): Promise<void> {
  const response = await app(toHubRequest(incoming, outgoing, circumstances.expectsContinue))
  if (outgoing.destroyed) return discard(response)
  if (circumstances.isClosing()) response.headers['connection'] = 'close'
  await send(response, incoming, outgoing)
}

/** A stream that nobody will read is ended all the same: it may hold a lease. */
async function discard({ body }: HubResponse): Promise<void> {
  if (!isWhole(body)) await body[Symbol.asyncIterator]().return?.()
}

function toHubRequest(incoming: IncomingMessage, outgoing: ServerResponse, expectsContinue: boolean): HubRequest {
  const target = toTarget(incoming.url ?? '/')
  const mark = target.indexOf('?')
  let signal: AbortSignal | undefined
  return {
    method: incoming.method ?? 'GET',
    path: mark < 0 ? target : target.slice(0, mark),
    queryText: mark < 0 ? '' : target.slice(mark + 1),
    header: (name) => {
      const value = incoming.headers[name]
      return Array.isArray(value) ? value.join(', ') : value
    },
    headerNames: () => Object.keys(incoming.headers),
    remoteAddress: incoming.socket.remoteAddress ?? '',
    get signal() {
      signal ??= toSignal(outgoing)
      return signal
    },
    readBody: (limit, watch) => {
      refuseLength(incoming.headers['content-length'], limit)
      if (expectsContinue) outgoing.writeContinue()
      return readBody(incoming, limit, watch)
    },
  }
}

/** Proxies may send the whole address. */
function toTarget(url: string): string {
  if (url.startsWith('/')) return url
  const parsed = URL.parse(url)
  return parsed ? parsed.pathname + parsed.search : '/'
}

function toSignal(outgoing: ServerResponse): AbortSignal {
  const gone = new AbortController()
  const leave = (): void => {
    if (!outgoing.writableFinished) gone.abort()
  }
  if (outgoing.destroyed) leave()
  outgoing.once('close', leave)
  return gone.signal
}

function readBody(incoming: IncomingMessage, limit: number, watch?: BodyWatch): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const stop = (reason: unknown): void => {
      incoming.off('data', take)
      chunks.length = 0
      reject(reason)
    }
    const take = (chunk: Buffer): void => {
      size += chunk.length
      if (size > limit) return stop(tooLarge(limit))
      chunks.push(chunk)
      watch?.onBytes(chunk.length)
    }
    watch?.signal.addEventListener('abort', () => stop(watch.signal.reason), { once: true })
    incoming.on('data', take)
    incoming.once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    const fail = (): void => {
      if (!incoming.complete) reject(new HubError('body-incomplete', 'the connection ended before the body did'))
    }
    incoming.once('error', fail)
    incoming.once('close', fail)
  })
}

async function send(
  { status, headers, body }: HubResponse,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  if (!isWhole(body)) {
    outgoing.writeHead(status, headers)
    return incoming.method === 'HEAD' ? discardAndEnd(body, outgoing) : sendStream(body, outgoing)
  }
  if (status !== 204) headers['content-length'] = String(body === null ? 0 : Buffer.byteLength(body))
  outgoing.writeHead(status, headers)
  if (headers['connection'] === 'close' && !incoming.complete) return linger(body ?? '', incoming, outgoing)
  outgoing.end(body ?? undefined)
}

async function discardAndEnd(body: AsyncIterable<string>, outgoing: ServerResponse): Promise<void> {
  outgoing.end()
  await body[Symbol.asyncIterator]().return?.()
}

const lingerMs = 1000

/**
 * The answer is on its way while the caller still sends. Closing now would reset the connection, and the caller would see
 * that instead of the answer; so what comes is read and thrown away for a moment.
 */
async function linger(body: string | Uint8Array, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  outgoing.write(body)
  incoming.resume()
  const stop = new AbortController()
  const { signal } = stop
  await Promise.race([
    once(incoming, 'close', { signal }),
    once(incoming, 'end', { signal }),
    pause(lingerMs, undefined, { signal }),
  ]).catch(() => undefined)
  stop.abort()
  outgoing.end()
  incoming.destroy()
}

/** Asks for the next piece only when the last has left: a slow reader holds up nobody and fills no memory. */
async function sendStream(body: AsyncIterable<string>, outgoing: ServerResponse): Promise<void> {
  const closed = new AbortController()
  outgoing.once('close', () => closed.abort())
  for await (const piece of body) {
    if (outgoing.destroyed) break
    if (outgoing.write(piece) || outgoing.destroyed) continue
    await once(outgoing, 'drain', { signal: closed.signal }).catch(() => undefined)
  }
  outgoing.end()
}
