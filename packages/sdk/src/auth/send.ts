import { getGlobalDispatcher, request, type Dispatcher } from 'undici'
import { parseRetryAfter } from '../http/retry.ts'
import type { RawAnswer } from './answer.ts'
import type { Trace } from './outcome.ts'
import type { OAuth2Way } from './provider.ts'

/** A `fetch` for oauth4webapi, and what is known of the request that it made. */
export type Sender = { readonly fetch: Send; readonly trace: () => Trace }

export type Send = (url: string, options: SendOptions) => Promise<Response>
type SendOptions = {
  readonly method: string
  readonly headers: Record<string, string>
  readonly body?: URLSearchParams | undefined
}

const defaultTimeoutMs = 30_000
const maxBytes = 1024 * 1024

/** @throws RangeError for a time limit that can never work */
export function createSender(
  { dispatcher, timeoutMs = defaultTimeoutMs, signal, nowMs = Date.now }: OAuth2Way,
  toResponse: (answer: RawAnswer) => Response,
): Sender {
  if (!(timeoutMs > 0)) throw new RangeError(`timeoutMs must be above 0; it is ${timeoutMs}`)
  let trace: Trace = { sent: false }
  const noted = noteStart(dispatcher ?? getGlobalDispatcher(), () => (trace = { ...trace, sent: true }))
  const fetch: Send = async (url, { method, headers, body }) => {
    const timeout = AbortSignal.timeout(Math.ceil(timeoutMs))
    const until = signal ? AbortSignal.any([signal, timeout]) : timeout
    until.throwIfAborted()
    // A redirect is not followed: secrets would go where nobody declared them to go.
    const asked = request(url, {
      method: method as Dispatcher.HttpMethod,
      headers: { ...headers, 'user-agent': 'sluice' },
      body: body?.toString() ?? null,
      dispatcher: noted,
      signal: until,
    })
    // While it connects, undici heeds no signal; what is aborted by then is not written afterwards.
    const response = await Promise.race([asked, rejectOn(until)])
    const text = await readText(response.body)
    const after = response.headers['retry-after']?.toString()
    const waitMs = parseRetryAfter(after, { nowMs: nowMs(), absent: 0 }) * 1000
    const status = response.statusCode
    trace = { sent: true, status, ...(waitMs > 0 && { retryAfterMs: waitMs }) }
    return toResponse({ status, contentType: response.headers['content-type']?.toString() ?? '', text })
  }
  return { fetch, trace: () => trace }
}

function rejectOn(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }) // an abort has a reason
  })
}

/** Says when a request begins to be written: before, nothing has left; afterwards, nobody knows. */
function noteStart(dispatcher: Dispatcher, started: () => void): Dispatcher {
  return dispatcher.compose((dispatch) => (options, handler) => {
    const noting: Dispatcher.DispatchHandler = {
      onRequestStart: (controller, context) => {
        handler.onRequestStart?.(controller, context)
        if (!controller.aborted) started()
      },
      onRequestUpgrade: (...args) => handler.onRequestUpgrade?.(...args),
      onResponseStart: (...args) => handler.onResponseStart?.(...args),
      onResponseData: (...args) => handler.onResponseData?.(...args),
      onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
      onResponseError: (...args) => handler.onResponseError?.(...args),
    }
    return dispatch(options, noting)
  })
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}
