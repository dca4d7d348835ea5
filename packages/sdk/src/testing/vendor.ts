import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Agent, buildConnector, type Dispatcher } from 'undici'
import type { Answer, Cut, Reply, VendorRequest } from './reply.ts'

/** An HTTP server that stands for an outside service, whatever host its requests are for. */
export type Vendor = AsyncDisposable & {
  /** its own address; handlers keep asking for those of the real service */
  readonly url: string
  /** every request so far, also those that no route took */
  readonly requests: readonly VendorRequest[]
  /**
   * Answers a route: one reply after the other, the last for good. A later call replaces an earlier one.
   *
   * @param route method and path, as `GET /users/:id`
   * @throws TypeError for a route that is none
   */
  on(route: string, ...replies: readonly [Reply, ...Reply[]]): void
  /** the way to it, for `createContext`: every connection ends here, also those of https */
  readonly dispatcher: Dispatcher
  close(): Promise<void>
}

type Route = { readonly method: string; readonly path: string; readonly replies: Reply[] }

/**
 * Starts one on a free port of this machine. What no route takes is answered 404 and says which routes there are.
 *
 * @example
 * await using vendor = await createVendor()
 * vendor.on('GET /users/:id', cut(), ({ params }) => ({ json: { id: params.id } }))
 * const context = mockContext({ vendor, auth: { api_key: 'k' } })
 */
export async function createVendor(): Promise<Vendor> {
  const routes = new Map<string, Route>()
  const requests: VendorRequest[] = []
  const server = createServer((incoming, response) => {
    void serve(incoming, response, { routes, requests }).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500)
      response.end(`the vendor's reply failed: ${String(error)}`)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on a port, not on a path
  const dispatcher = createWayTo(port)
  const close = async (): Promise<void> => {
    await dispatcher.destroy()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    dispatcher,
    on: (route, ...replies) => {
      const [method = '', path = ''] = route.split(' ')
      if (!/^[A-Z]+$/.test(method) || !path.startsWith('/'))
        throw new TypeError(`"${route}" is no route; write a method and a path, as GET /users/:id`)
      routes.set(route, { method, path, replies: [...replies] })
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function createWayTo(port: number): Agent {
  const connect = buildConnector({})
  const here = { protocol: 'http:', hostname: '127.0.0.1', host: `127.0.0.1:${port}`, port: String(port) }
  return new Agent({ allowH2: false, connect: (_, callback) => connect(here, callback) })
}

type Served = { readonly routes: ReadonlyMap<string, Route>; readonly requests: VendorRequest[] }

async function serve(incoming: IncomingMessage, response: ServerResponse, { routes, requests }: Served): Promise<void> {
  const parts: Buffer[] = []
  for await (const part of incoming) parts.push(part as Buffer) // no encoding was set
  const { method = '', url = '/', headers } = incoming
  const { pathname: path, searchParams: query } = new URL(url, 'http://vendor')
  const matched = findRoute(routes, method, path)
  const bytes = Buffer.concat(parts)
  const text = bytes.toString()
  const params = matched?.params ?? {}
  const request = { method, host: headers.host ?? '', path, query, params, headers, text, bytes, json: toJson(text) }
  requests.push(request)
  const { replies = [] } = matched?.route ?? {}
  const reply = (replies.length > 1 ? replies.shift() : replies[0]) ?? noRoute(request, routes)
  await send(response, typeof reply === 'function' ? await reply(request) : reply)
}

function noRoute({ method, path }: VendorRequest, routes: ReadonlyMap<string, Route>): Answer {
  const known = [...routes.keys()].join(', ') || 'none'
  return { status: 404, json: { error: `the vendor has no route for ${method} ${path}; it has ${known}` } }
}

type Matched = { readonly route: Route; readonly params: Readonly<Record<string, string>> }

function findRoute(routes: ReadonlyMap<string, Route>, method: string, path: string): Matched | undefined {
  for (const route of routes.values()) {
    const params = route.method === method ? matchPath(route.path, path) : undefined
    if (params) return { route, params }
  }
  return undefined
}

function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const [wanted, given] = [pattern.split('/'), path.split('/')]
  if (wanted.length !== given.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    const actual = given[index] ?? ''
    if (part.startsWith(':')) params[part.slice(1)] = decodeURIComponent(actual)
    else if (part !== actual) return undefined
  }
  return params
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function send(response: ServerResponse, answer: Answer | Cut): Promise<void> {
  if (!('cut' in answer)) return sendAnswer(response, answer)
  const { after } = answer
  if (after) {
    const { head, body } = encodeAnswer(after)
    response.writeHead(after.status ?? 200, { ...head, 'content-length': body.length })
    await new Promise((resolve) => response.write(body.subarray(0, Math.floor(body.length / 2)), resolve))
  }
  response.destroy()
}

async function sendAnswer(response: ServerResponse, answer: Answer): Promise<void> {
  const { head, body } = encodeAnswer(answer)
  response.writeHead(answer.status ?? 200, head)
  if (answer.pieceBytes === undefined) return void response.end(body)
  response.socket?.setNoDelay(true)
  for (let at = 0; at < body.length; at += answer.pieceBytes) {
    const piece = body.subarray(at, at + answer.pieceBytes)
    await new Promise((resolve) => response.write(piece, resolve))
  }
  response.end()
}

export function encodeAnswer({ json, text, bytes, headers = {} }: Answer): {
  head: Record<string, string | string[]>
  body: Buffer
} {
  const given = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      typeof value === 'string' ? value : [...value],
    ]),
  )
  if (json !== undefined)
    return { head: { 'content-type': 'application/json', ...given }, body: Buffer.from(JSON.stringify(json)) }
  if (text !== undefined)
    return { head: { 'content-type': 'text/plain; charset=utf-8', ...given }, body: Buffer.from(text) }
  if (bytes !== undefined)
    return { head: { 'content-type': 'application/octet-stream', ...given }, body: Buffer.from(bytes) }
  return { head: given, body: Buffer.alloc(0) }
}
