import { HubError } from '@sluice/protocol'
import type { App } from './app.ts'
import { isWhole, type BodyWatch, type HubRequest, type HubResponse } from './exchange.ts'

/** The hub as a function that can be mounted in somebody else's server. */
export type FetchApp = {
  /** @param remoteAddress of the caller, if the server around it knows: `/metrics` is open to loopback */
  readonly fetch: (request: Request, options?: { remoteAddress?: string }) => Promise<Response>
  /** For tests: a request in memory. */
  readonly request: (path: string, init?: RequestInit, options?: { remoteAddress?: string }) => Promise<Response>
}

export function toFetch(app: App): FetchApp {
  const fetch: FetchApp['fetch'] = async (request, { remoteAddress = '' } = {}) => {
    const gone = new AbortController()
    const response = await app(toHubRequest(request, remoteAddress, AbortSignal.any([request.signal, gone.signal])))
    return toResponse(response, request.method, gone)
  }
  return {
    fetch,
    request: (path, init, options) => fetch(new Request(`http://localhost${path}`, init), options),
  }
}

function toHubRequest(request: Request, remoteAddress: string, signal: AbortSignal): HubRequest {
  const { pathname, search } = new URL(request.url)
  return {
    method: request.method,
    path: pathname,
    queryText: search.slice(1),
    header: (name) => request.headers.get(name) ?? undefined,
    headerNames: () => [...request.headers.keys()],
    remoteAddress,
    signal,
    readBody: (limit, watch) => readBody(request, limit, watch),
  }
}

async function readBody(request: Request, limit: number, watch?: BodyWatch): Promise<Buffer> {
  refuseLength(request.headers.get('content-length'), limit)
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = request.body?.getReader()
  watch?.signal.addEventListener('abort', () => void reader?.cancel().catch(() => undefined), { once: true })
  for (;;) {
    const next = await reader?.read()
    watch?.signal.throwIfAborted()
    if (!next || next.done) return Buffer.concat(chunks)
    size += next.value.byteLength
    if (size > limit) throw tooLarge(limit)
    chunks.push(next.value)
    watch?.onBytes(next.value.byteLength)
  }
}

export function tooLarge(limit: number): HubError {
  return new HubError('payload-too-large', `the body has more than ${limit} bytes`)
}

/** Before a byte is read. @throws HubError `payload-too-large` */
export function refuseLength(contentLength: string | null | undefined, limit: number): void {
  if (contentLength != null && Number(contentLength) > limit) throw tooLarge(limit)
}

function toResponse({ status, headers, body }: HubResponse, method: string, gone: AbortController): Response {
  const { connection: _ofTheSocket, ...fields } = headers
  if (body === null || method === 'HEAD') return new Response(null, { status, headers: fields })
  // A view of bytes is a body; the types of the platform ask for a buffer that is not shared.
  const content = isWhole(body) ? (body as string) : toStream(body, gone)
  return new Response(content, { status, headers: fields })
}

function toStream(body: AsyncIterable<string>, gone: AbortController): ReadableStream<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { done, value } = await chunks.next()
        if (done) controller.close()
        else controller.enqueue(encoder.encode(value))
      },
      cancel: async () => {
        gone.abort()
        await chunks.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}
