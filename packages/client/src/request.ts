import type { Problem } from '@sluice/protocol'
import { longestTimerMs } from './clock.ts'
import { ApiError, toApiError, TransportError } from './error.ts'
import type { Settings } from './options.ts'
import { isTransient, isUnreached, parseRetryAfter, toDelayMs } from './retry.ts'
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

export type Bytes = Uint8Array<ArrayBuffer>

export type Call = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Query
  /** sent as JSON */
  readonly body?: unknown
  /** sent as it is, under this type */
  readonly content?: { readonly type: string; readonly text: string } | { readonly type: string; readonly bytes: Bytes }
  readonly idempotencyKey?: string
  /** told of the attempts while they are made */
  readonly tries?: Tries
  readonly headers?: Readonly<Record<string, string>>
  /**
   * doing it twice leaves the same as doing it once; otherwise it is never tried again, or, `when-refused`, only where
   * nothing was done: after 429 and 503, and where no connection was made
   */
  readonly repeatable: boolean | 'when-refused'
  /** default `json` */
  readonly answer?: 'json' | 'text' | 'bytes' | 'none'
  /** a status beside 2xx that carries the answer, too */
  readonly alsoAnswers?: number
  /** how long the hub may hold the answer back on purpose */
  readonly waitMs?: number
}

/** What has been tried so far. */
export type Tries = {
  attempts: number
  /** of the last answer, if there was one */
  status: number | null
}

export type Request = <Answer>(call: Call, options?: RequestOptions) => Promise<Answer>

type Outcome =
  | { readonly kind: 'answer'; readonly response: TransportResponse; readonly value: unknown }
  | { readonly kind: 'refused'; readonly response: TransportResponse; readonly error: ApiError }
  | { readonly kind: 'no-answer'; readonly cause: unknown }

/** One way to the hub: attempts, waits between them, and errors are the same for every call. */
export function createRequest(settings: Settings): Request {
  const { clock } = settings
  return async <Answer>(call: Call, options: RequestOptions = {}): Promise<Answer> => {
    const { signal, timeoutMs = settings.timeoutMs, totalTimeoutMs = settings.totalTimeoutMs } = options
    const deadline = totalTimeoutMs === Infinity ? Infinity : clock.now() + totalTimeoutMs
    const remainingMs = (): number => (deadline === Infinity ? Infinity : deadline - clock.now())
    const outgoing = toOutgoing(settings, call)
    for (let attempt = 0; ; attempt += 1) {
      signal?.throwIfAborted()
      const limitMs = Math.max(0, Math.min(timeoutMs + (call.waitMs ?? 0), remainingMs()))
      if (call.tries) call.tries.attempts += 1
      const since = settings.debug ? clock.now() : 0
      const outcome = await tryOnce(settings, call, { outgoing, limitMs, signal })
      if (settings.debug) logAttempt(settings, call, { attempt: attempt + 1, outcome, since })
      if (call.tries && outcome.kind !== 'no-answer') call.tries.status = outcome.response.status
      if (outcome.kind !== 'no-answer') options.onAnswer?.(outcome.response)
      // The hub's answers are typed by the route table that both sides are built from.
      if (outcome.kind === 'answer') return outcome.value as Answer
      signal?.throwIfAborted()
      const error = toError(settings, call, { outcome, attempts: attempt + 1 })
      const delayMs = canRetry(call, outcome)
        ? toDelayMs({
            attempt,
            maxRetries: options.maxRetries ?? settings.maxRetries,
            retryAfter: outcome.kind === 'refused' ? outcome.error.retryAfter : undefined,
            remainingMs: remainingMs(),
            random: settings.random,
          })
        : undefined
      if (delayMs === undefined) throw error
      settings.logger?.warn(
        { operation: toOperation(call), attempt: attempt + 1, delayMs: Math.round(delayMs), reason: error.message },
        'trying again',
      )
      await clock.sleep(delayMs, signal)
    }
  }
}

type Tried = { readonly attempt: number; readonly outcome: Outcome; readonly since: number }

function logAttempt({ logger, clock }: Settings, call: Call, { attempt, outcome, since }: Tried): void {
  const operation = toOperation(call)
  const result = outcome.kind === 'no-answer' ? { reason: String(outcome.cause) } : { status: outcome.response.status }
  // An event. What else is sent may hold secrets: of push inboxes, say.
  const body = call.tries && call.body !== undefined ? { body: call.body } : {}
  logger?.debug({ operation, attempt, ms: Math.round(clock.now() - since), ...result, ...body }, 'attempt')
}

/** `POST /v1/events`, for messages. */
export function toOperation(call: Call): string {
  return `${call.method} ${call.path}`
}

export function toOutgoing(settings: Settings, call: Call): Omit<TransportRequest, 'signal'> {
  const { method, path, query, body, content, idempotencyKey, waitMs = 0 } = call
  const isHeld = waitMs > 0
  const headers: Record<string, string> = { ...settings.headers, ...call.headers }
  if (idempotencyKey !== undefined) headers['idempotency-key'] = toHeaderKey(idempotencyKey)
  const url = settings.baseUrl + path + (query ? toQueryText(query) : '')
  if (body !== undefined) {
    headers['content-type'] = 'application/json'
    return { method, url, headers, body: JSON.stringify(body), isHeld }
  }
  if (content === undefined) return { method, url, headers, isHeld }
  headers['content-type'] = content.type
  const sent = 'text' in content ? { body: content.text } : { bytes: content.bytes }
  return { method, url, headers, ...sent, isHeld }
}

/** The refusal in an answer that is not 2xx. */
export function toRefusal(
  settings: Settings,
  operation: string,
  answer: { response: TransportResponse; text: string },
): ApiError {
  const { response, text } = answer
  const problem = settings.parseProblem ? settings.parseProblem(response, text) : parseProblem(text)
  return toApiError({
    status: response.status,
    operation,
    problem,
    secrets: settings.secrets,
    requestId: response.header('x-request-id') ?? problem?.correlation_id,
    retryAfter: parseRetryAfter(response.header('retry-after'), response.header('date'), settings.clock.now()),
  })
}

type Attempt = {
  readonly outgoing: Omit<TransportRequest, 'signal'>
  readonly limitMs: number
  readonly signal: AbortSignal | undefined
}

/** Given up on the caller's abort, and when the time for it is over. */
async function tryOnce(settings: Settings, call: Call, { outgoing, limitMs, signal }: Attempt): Promise<Outcome> {
  // AbortSignal.any and AbortSignal.timeout would cost three times as much.
  const controller = new AbortController()
  const timer = limitMs < longestTimerMs ? setTimeout(giveUp, limitMs, controller, limitMs) : undefined
  const onAbort = signal && ((): void => controller.abort(signal.reason))
  if (onAbort) signal.addEventListener('abort', onAbort)
  try {
    const response = await settings.transport({ ...outgoing, signal: controller.signal })
    if (call.answer === 'bytes' && isAnswer(call, response.status)) {
      return { kind: 'answer', response, value: await toBytes(response) }
    }
    const text = await response.text()
    if (isAnswer(call, response.status)) return { kind: 'answer', response, value: toValue(settings, call, text) }
    return { kind: 'refused', response, error: toRefusal(settings, toOperation(call), { response, text }) }
  } catch (cause) {
    return { kind: 'no-answer', cause }
  } finally {
    clearTimeout(timer)
    if (onAbort) signal.removeEventListener('abort', onAbort)
  }
}

function giveUp(controller: AbortController, afterMs: number): void {
  controller.abort(new DOMException(`no answer within ${Math.round(afterMs)} ms`, 'TimeoutError'))
}

function isAnswer(call: Call, status: number): boolean {
  return (status >= 200 && status <= 299) || status === call.alsoAnswers
}

/** Throws on JSON that is cut off: an answer that did not arrive whole is no answer. */
function toValue({ parseAnswer = JSON.parse }: Settings, call: Call, text: string): unknown {
  if (call.answer === 'none') return undefined
  return call.answer === 'text' ? text : parseAnswer(text)
}

async function toBytes(response: TransportResponse): Promise<Bytes> {
  return new Uint8Array(await new Response(response.stream()).arrayBuffer())
}

function canRetry(call: Call, outcome: Exclude<Outcome, { kind: 'answer' }>): boolean {
  if (call.repeatable === false) return false
  if (outcome.kind === 'no-answer') return call.repeatable === true || isUnreached(outcome.cause)
  const { status } = outcome.error
  return call.repeatable === true ? isTransient(status) : status === 429 || status === 503
}

type Failure = { readonly outcome: Exclude<Outcome, { kind: 'answer' }>; readonly attempts: number }

function toError({ secrets }: Settings, call: Call, { outcome, attempts }: Failure): Error {
  if (outcome.kind === 'refused') return outcome.error
  return new TransportError(toOperation(call), { cause: outcome.cause, attempts, secrets })
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

function toQueryText(query: Query): string {
  const present = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))
  return present.length === 0 ? '' : `?${new URLSearchParams(present)}`
}

/** A bare token where that is enough, else a quoted string (RFC 9651 section 3.3.3); the hub takes both for the same key. */
function toHeaderKey(key: string): string {
  if (/^[A-Za-z0-9._:-]+$/.test(key)) return key
  if (/^[\x20-\x7e]+$/.test(key)) return `"${key.replace(/["\\]/g, '\\$&')}"`
  throw new TypeError('idempotencyKey must be 1 to 255 printable ASCII characters, because it travels in a header')
}
