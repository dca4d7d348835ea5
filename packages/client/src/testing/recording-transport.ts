import type { Event, NewBatchEvent, NewEvent } from '@sluice/protocol'
import type { Transport, TransportRequest, TransportResponse } from '../transport.ts'
import { createStore, type Refusal, type Store } from './store.ts'

export type { RecordedEvent } from './store.ts'

/** One attempt of one request, as it left the client. */
export type RecordedRequest = {
  readonly method: string
  /** with its query */
  readonly path: string
  /** by lower-case name */
  readonly headers: Readonly<Record<string, string>>
  /** as text, byte for byte what is sent; '' if there is none */
  readonly body: string
}

type FailOptions = {
  /** default 503 */
  readonly status?: number | undefined
  /** `Retry-After`, in seconds or as a date */
  readonly retryAfter?: number | string | undefined
  /** as hubs write it; default `overloaded`, `rate-limit-exceeded` with 429 */
  readonly errorCode?: string | undefined
}

export type RecordingTransport = Pick<Store, 'events'> & {
  /** for `createSluice({ transport })` */
  readonly transport: Transport
  /** every attempt, also those that failed */
  readonly requests: readonly RecordedRequest[]
  /** The next `times` requests are refused. */
  fail(times: number, options?: FailOptions): void
  /** The next `times` requests are answered by nobody, until the client gives up: set a short `timeoutMs`. */
  hang(times: number): void
  /** The next `times` requests do not arrive: the connection breaks before. */
  disconnect(times: number): void
  /** The next `times` requests arrive and are done; the connection breaks before the answer. */
  cut(times: number): void
  /** Events of this type are refused for good, with 400 `validation-error`. */
  refuse(eventType: string, detail?: string): void
  /** Forgets requests, events and what was to go wrong. */
  reset(): void
}

type Turn = (
  request: TransportRequest,
  answer: () => TransportResponse,
) => TransportResponse | Promise<TransportResponse>

/**
 * A hub in memory for tests of programs that publish: it accepts events as a hub does, each idempotency key once, and goes
 * wrong when told to. It validates nothing, and has no inboxes: start a hub for those.
 *
 * @example
 * const hub = createRecordingTransport()
 * const sluice = createSluice({ transport: hub.transport, clock: createFakeClock() })
 * hub.fail(2)
 * await sluice.events.send('order.created', { total: 42 })
 * assert.equal(hub.requests.length, 3)
 * assert.deepEqual(hub.events[0]?.payload, { total: 42 })
 */
export function createRecordingTransport(): RecordingTransport {
  const requests: RecordedRequest[] = []
  const turns: Turn[] = []
  const store = createStore()
  const plan = (times: number, turn: Turn): void => {
    for (let time = 0; time < times; time += 1) turns.push(turn)
  }
  return {
    events: store.events,
    requests,
    transport: async (request) => {
      request.signal.throwIfAborted()
      const { method, url, headers, body = '' } = request
      const path = url.slice(url.indexOf('/', 'https://'.length))
      requests.push({ method, path, headers, body })
      const answer = (): TransportResponse => toAnswer(store, { method, path, headers, body })
      return (turns.shift() ?? answerTurn)(request, answer)
    },
    fail: (times, options = {}) => plan(times, () => toFailure(options)),
    hang: (times) => plan(times, hangTurn),
    disconnect: (times) => plan(times, () => Promise.reject(new Error('connection refused'))),
    cut: (times) => plan(times, cutTurn),
    refuse: (eventType, detail = 'refused by the test') => store.refuse(eventType, detail),
    reset: () => {
      requests.length = 0
      turns.length = 0
      store.reset()
    },
  }
}

const answerTurn: Turn = (_, answer) => answer()

const hangTurn: Turn = ({ signal }) =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })

const cutTurn: Turn = (_, answer) => {
  answer()
  return Promise.reject(new Error('socket hang up'))
}

function toAnswer(store: Store, { method, path, headers, body }: RecordedRequest): TransportResponse {
  const [place = ''] = path.split('?')
  if (method === 'GET') return toFound(store.get(decodeURIComponent(place.split('/').at(-1) ?? '')))
  if (method === 'POST' && place.endsWith('/batch')) return toBatchAnswer(store, parseBatch(body))
  const event: unknown = method === 'POST' && body !== '' ? JSON.parse(body) : undefined
  if (!isEvent(event))
    return toProblem({ status: 404, errorCode: 'not-found', detail: `${method} ${path}: ${onlyEvents}` })
  const result = store.put(event, parseKey(headers['idempotency-key']))
  if ('errorCode' in result) return toProblem(result)
  return toJson(result.status === 'accepted' ? 201 : 200, { ...result, message: result.status })
}

const onlyEvents = 'the recording transport takes events and nothing else; start a hub for the rest'

/** What the client sends is what it was given: tests look at the rest. */
function isEvent(value: unknown): value is NewEvent {
  return typeof value === 'object' && value !== null && 'event_type' in value
}

function toFound(event: Event | undefined): TransportResponse {
  if (event) return toJson(200, event)
  return toProblem({ status: 404, errorCode: 'not-found', detail: 'there is no such event' })
}

function toBatchAnswer(store: Store, events: readonly NewBatchEvent[]): TransportResponse {
  const results = events.map(({ idempotency_key: key, ...event }, index) => {
    const result = store.put(event, key)
    if (!('errorCode' in result)) return { index, ...result }
    return { index, error: { error_code: result.errorCode, message: result.detail, errors: result.errors } }
  })
  const failed = results.filter((result) => 'error' in result).length
  return toJson(200, { accepted: results.length - failed, failed, results })
}

/** NDJSON, an array, or `{events}`. */
function parseBatch(body: string): NewBatchEvent[] {
  if (body.startsWith('[')) return JSON.parse(body) as NewBatchEvent[]
  const lines = body.split('\n').filter((line) => line.trim() !== '')
  const [first] = lines.map((line) => JSON.parse(line) as NewBatchEvent | { events: NewBatchEvent[] })
  if (first && 'events' in first && lines.length === 1) return first.events
  return lines.map((line) => JSON.parse(line) as NewBatchEvent)
}

/** Bare or quoted, as it travels. */
function parseKey(text: string | undefined): string | undefined {
  return text?.startsWith('"') ? text.slice(1, -1).replaceAll(/\\(.)/g, '$1') : text
}

function toFailure({ status = 503, retryAfter, errorCode }: FailOptions): TransportResponse {
  const code = errorCode ?? (status === 429 ? 'rate-limit-exceeded' : 'overloaded')
  const headers: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
  return toProblem({ status, errorCode: code, detail: 'as the test has told it to' }, headers)
}

function toProblem(refusal: Refusal, headers: Readonly<Record<string, string>> = {}): TransportResponse {
  const { status, errorCode, detail, errors } = refusal
  const body = {
    type: `/problems/${errorCode}`,
    title: errorCode,
    status,
    detail,
    instance: '',
    error_code: errorCode,
    message: detail,
    correlation_id: 'recorded',
    details: {},
    errors,
  }
  return toJson(status, body, headers)
}

function toJson(status: number, body: object, headers: Readonly<Record<string, string>> = {}): TransportResponse {
  const text = JSON.stringify(body)
  return {
    status,
    header: (name) => headers[name] ?? null,
    text: async () => text,
    stream: () => new Response(text).body,
  }
}
