import type { Problem } from '@sluice/protocol'
import { ApiError, toApiError, TransportError } from './error.ts'
import type { Settings } from './options.ts'
import { isTransient, parseRetryAfter, toDelayMs } from './retry.ts'
import type { TransportRequest, TransportResponse } from './transport.ts'

/** What every call takes. */
export type RequestOptions = {
  /** ends waiting, retrying and the request itself; the call rejects with the signal's reason */
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number | undefined
  readonly maxRetries?: number | undefined
  readonly totalTimeoutMs?: number | undefined
  /** sees status and fields of the answer, as `RateLimit` (names in lower case) */
  readonly onAnswer?: ((answer: { readonly status: number; header(name: string): string | null }) => void) | undefined
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>

export type Call = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Query
  /** sent as JSON */
  readonly body?: unknown
  /** sent as it is, under this type */
  readonly content?: { readonly type: string; readonly text: string }
  readonly idempotencyKey?: string
  readonly headers?: Readonly<Record<string, string>>
  /** doing it twice leaves the same as doing it once; otherwise it is never tried again */
  readonly repeatable: boolean
  /** default `json` */
  readonly answer?: 'json' | 'text' | 'none'
  /** a status beside 2xx that carries the answer, too */
  readonly alsoAnswers?: number
  /** how long the hub may hold the answer back on purpose */
  readonly waitMs?: number
}

export type Request = <Answer>(call: Call, options?: RequestOptions) => Promise<Answer>

type Outcome =
  | { readonly kind: 'answer'; readonly response: TransportResponse; readonly value: unknown }
  | { readonly kind: 'refused'; readonly response: TransportResponse; readonly error: ApiError }
  | { readonly kind: 'no-answer'; readonly cause: unknown }

/** One way to the hub: attempts, waits between them, and errors are the same for every call. */
export function createRequest(settings: Settings): Request {
  return async <Answer>(call: Call, options: RequestOptions = {}): Promise<Answer> => {
    const { clock } = settings
    const deadline = clock.now() + (options.totalTimeoutMs ?? settings.totalTimeoutMs)
    const outgoing = toOutgoing(settings, call)
    for (let attempt = 0; ; attempt += 1) {
      options.signal?.throwIfAborted()
      const timeoutMs = Math.min((options.timeoutMs ?? settings.timeoutMs) + (call.waitMs ?? 0), deadline - clock.now())
      const outcome = await tryOnce(settings, call, { outgoing, timeoutMs, signal: options.signal })
      if (outcome.kind !== 'no-answer') options.onAnswer?.(outcome.response)
      // The hub's answers are typed by the route table that both sides are built from.
      if (outcome.kind === 'answer') return outcome.value as Answer
      options.signal?.throwIfAborted()
      const delayMs = canRetry(call, outcome)
        ? toDelayMs({
            attempt,
            maxRetries: options.maxRetries ?? settings.maxRetries,
            retryAfter: outcome.kind === 'refused' ? outcome.error.retryAfter : undefined,
            remainingMs: deadline - clock.now(),
            random: settings.random,
          })
        : undefined
      const error = toError(call, outcome, attempt + 1)
      if (delayMs === undefined) throw error
      settings.logger?.warn(
        { operation: toOperation(call), attempt: attempt + 1, delayMs: Math.round(delayMs), reason: error.message },
        'trying again',
      )
      await clock.sleep(delayMs, options.signal)
    }
  }
}

/** `POST /v1/events`, for messages. */
export function toOperation(call: Call): string {
  return `${call.method} ${call.path}`
}

export function toOutgoing(settings: Settings, call: Call): Omit<TransportRequest, 'signal'> {
  const content = call.body === undefined ? call.content : { type: 'application/json', text: JSON.stringify(call.body) }
  const headers: Record<string, string> = {
    accept: 'application/json',
    ...(settings.apiKey && { authorization: `Bearer ${settings.apiKey}` }),
    ...(content && { 'content-type': content.type }),
    ...(call.idempotencyKey !== undefined && { 'idempotency-key': toHeaderKey(call.idempotencyKey) }),
    ...call.headers,
  }
  const url = `${settings.baseUrl}${call.path}${toQueryText(call.query)}`
  return { method: call.method, url, headers, ...(content && { body: content.text }) }
}

/** Runs `send` with a signal that aborts on the caller's abort and on timeout. */
async function withTimeout<Result>(
  limit: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined },
  send: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { timeoutMs, signal } = limit
  const controller = new AbortController()
  const onAbort = (): void => controller.abort(signal?.reason)
  const onTimeout = (): void =>
    controller.abort(new DOMException(`no answer within ${Math.round(timeoutMs)} ms`, 'TimeoutError'))
  const timer = timeoutMs < 2 ** 31 ? setTimeout(onTimeout, timeoutMs) : undefined
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return await send(controller.signal)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

/** The refusal in an answer that is not 2xx. */
export function toRefusal(
  settings: Settings,
  operation: string,
  answer: { response: TransportResponse; text: string },
): ApiError {
  const { response, text } = answer
  const problem = parseProblem(text)
  return toApiError({
    status: response.status,
    operation,
    problem,
    requestId: response.header('x-request-id') ?? problem?.correlation_id,
    retryAfter: parseRetryAfter(response.header('retry-after'), response.header('date'), settings.clock.now()),
  })
}

async function tryOnce(
  settings: Settings,
  call: Call,
  attempt: { outgoing: Omit<TransportRequest, 'signal'>; timeoutMs: number; signal: AbortSignal | undefined },
): Promise<Outcome> {
  try {
    return await withTimeout(attempt, async (signal) => {
      const response = await settings.transport({ ...attempt.outgoing, signal })
      const text = await response.text()
      if (!isAnswer(call, response.status)) {
        return { kind: 'refused', response, error: toRefusal(settings, toOperation(call), { response, text }) }
      }
      return { kind: 'answer', response, value: toValue(call, text) }
    })
  } catch (cause) {
    return { kind: 'no-answer', cause }
  }
}

function isAnswer(call: Call, status: number): boolean {
  return (status >= 200 && status <= 299) || status === call.alsoAnswers
}

/** Throws on JSON that is cut off: an answer that did not arrive whole is no answer. */
function toValue(call: Call, text: string): unknown {
  if (call.answer === 'none') return undefined
  return call.answer === 'text' ? text : JSON.parse(text)
}

function canRetry(call: Call, outcome: Exclude<Outcome, { kind: 'answer' }>): boolean {
  return call.repeatable && (outcome.kind === 'no-answer' || isTransient(outcome.error.status))
}

function toError(call: Call, outcome: Exclude<Outcome, { kind: 'answer' }>, attempts: number): Error {
  if (outcome.kind === 'refused') return outcome.error
  return new TransportError(toOperation(call), { cause: outcome.cause, attempts })
}

function parseProblem(text: string): Problem | undefined {
  try {
    const body: unknown = JSON.parse(text)
    const isProblem = typeof body === 'object' && body !== null && 'error_code' in body && 'detail' in body
    // The hub writes these members in every refusal; an answer of somebody else's lacks them.
    return isProblem ? (body as Problem) : undefined
  } catch {
    return undefined
  }
}

function toQueryText(query: Query = {}): string {
  const present = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))
  return present.length === 0 ? '' : `?${new URLSearchParams(present)}`
}

/** A bare token where that is enough, else a quoted string (RFC 9651 section 3.3.3); the hub takes both for the same key. */
function toHeaderKey(key: string): string {
  if (/^[A-Za-z0-9._:-]+$/.test(key)) return key
  if (/^[\x20-\x7e]+$/.test(key)) return `"${key.replace(/["\\]/g, '\\$&')}"`
  throw new TypeError('idempotencyKey must be 1 to 255 printable ASCII characters, because it travels in a header')
}
