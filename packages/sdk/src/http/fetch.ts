import { setTimeout as sleep } from 'node:timers/promises'
import { request, type Dispatcher } from 'undici'
import { HTTPError, RateLimitError } from '../integration/error.ts'
import { decodeBody, encodeBody, type BodyMode, type BodyOptions, type EncodedBody, type ParseJson } from './body.ts'
import type { Idempotency } from './idempotency.ts'
import type { Incoming, Intercept } from './intercept.ts'
import { AddressRefusedError } from './outbound.ts'
import { defaultPolicy, isRepeatable, parseRetryAfter, type RetryPolicy } from './retry.ts'
import { toUrl, withoutQuery, type Params } from './url.ts'

export type FetchOptions = BodyOptions & {
  /** default GET */
  readonly method?: string | undefined
  /** added to the query */
  readonly params?: Params | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** headers that stay with the origin of the address, whatever they are called: no redirect takes them elsewhere */
  readonly secretHeaders?: Readonly<Record<string, string>> | undefined
  /** for one attempt, in ms, above 0; default that of the context */
  readonly timeoutMs?: number | undefined
  /** makes the request safe to repeat; sent as `Idempotency-Key`, or as the header that the integration declares; null sends none */
  readonly idempotencyKey?: string | null | undefined
  /** default `auto` */
  readonly as?: BodyMode | undefined
  /** waits as long as a 429 asks for, instead of throwing */
  readonly retryRateLimited?: boolean | undefined
  /** of the answer; default 50 MB */
  readonly maxBytes?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export type FetchResponse<Data = unknown> = {
  readonly status: number
  /** by lower-case name; a list where a field came more than once */
  readonly headers: Readonly<Record<string, string | string[]>>
  /** parsed JSON, text, or bytes; null if empty */
  readonly data: Data
}

export type Fetch = <Data = unknown>(url: string | URL, options?: FetchOptions) => Promise<FetchResponse<Data>>

/** A header, or a member of the query, that makes a request somebody's. */
export type Credential = { readonly in?: 'header' | 'query'; readonly name: string; readonly value: string }

export type FetchSettings = {
  readonly maxRetries: number
  readonly timeoutMs: number
  readonly dispatcher?: Dispatcher | undefined
  /** the credential for the address of a call, or undefined where it must not go; redirects are not asked for */
  readonly credentialFor: (url: URL) => Credential | undefined
  readonly idempotency: Idempotency
  readonly intercept?: Intercept | undefined
  readonly logger: { readonly debug: (fields: Record<string, unknown>, message: string) => void }
  readonly signal?: AbortSignal | undefined
  readonly random: () => number
  readonly nowMs: () => number
  readonly sleep?: ((ms: number, signal: AbortSignal | undefined) => Promise<void>) | undefined
  /** default: 1, 2, 4 … s with jitter, for the statuses that are transient */
  readonly retry?: RetryPolicy | undefined
  /** default JSON.parse */
  readonly parseJson?: ParseJson | undefined
}

const defaultMaxBytes = 50 * 1024 * 1024
const maxRedirects = 5
const longestRateLimitSeconds = 900

/** What is the same for all attempts. */
type Prepared = {
  readonly url: URL
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly encoded: EncodedBody
  readonly options: FetchOptions
  readonly mayRepeat: boolean
}

export function createFetch(settings: FetchSettings): Fetch {
  return async <Data>(address: string | URL, options: FetchOptions = {}) => {
    const prepared = prepare(settings.idempotency, address, options)
    const signal = anySignal(settings.signal, options.signal)
    const wait = settings.sleep ?? ((ms, until) => sleep(ms, undefined, { signal: until }).then(() => {}))
    const { mayRepeat } = prepared
    const { retry = defaultPolicy } = settings
    for (let attempt = 0; ; attempt += 1) {
      signal?.throwIfAborted()
      const isLast = attempt >= settings.maxRetries
      let answer: Incoming
      try {
        answer = await follow(settings, prepared, signal)
      } catch (error) {
        if (isLast || !mayRepeat || signal?.aborted || isFinal(error)) throw error
        const ms = retry.delayMs(attempt, settings.random)
        retry.onRetry?.(`${withoutQuery(prepared.url)}: ${toWords(error)}`, ms)
        await wait(ms, signal)
        continue
      }
      const { status } = answer
      const delayMs = isLast ? undefined : toDelayMs(settings, { answer, attempt, mayRepeat, options })
      if (delayMs === undefined) return toResult(answer, prepared.options, settings) as FetchResponse<Data> // what the caller expects
      settings.logger.debug(
        { url: withoutQuery(prepared.url), status, attempt, delay_ms: Math.round(delayMs) },
        'trying again',
      )
      retry.onRetry?.(`${withoutQuery(prepared.url)} answered ${status}`, delayMs)
      await wait(delayMs, signal)
    }
  }
}

type Failed = {
  readonly answer: Incoming
  readonly attempt: number
  readonly mayRepeat: boolean
  readonly options: FetchOptions
}

/** How long to wait before the next attempt; undefined where the answer is final. */
function toDelayMs(settings: FetchSettings, { answer, attempt, mayRepeat, options }: Failed): number | undefined {
  const after = answer.headers['retry-after']?.toString()
  const { retry = defaultPolicy } = settings
  if (answer.status === 429) {
    if (options.retryRateLimited !== true) return undefined
    const absent = (retry.rateLimitedMs?.(attempt, settings.random) ?? 60_000) / 1000
    const seconds = parseRetryAfter(after, { nowMs: settings.nowMs(), absent })
    return seconds > longestRateLimitSeconds ? undefined : seconds * 1000 + settings.random() * 250
  }
  if (!retry.isTransient(answer.status) || !mayRepeat) return undefined
  const asked = parseRetryAfter(after, { nowMs: settings.nowMs(), absent: 0 }) * 1000
  return Math.min(60_000, Math.max(asked, retry.delayMs(attempt, settings.random)))
}

function prepare(idempotency: Idempotency, address: string | URL, options: FetchOptions): Prepared {
  const { timeoutMs } = options
  if (timeoutMs !== undefined && !(timeoutMs > 0)) throw new RangeError(`timeoutMs must be above 0; it is ${timeoutMs}`)
  const encoded = encodeBody(options)
  const url = toUrl(address, options.params)
  const method = (options.method ?? 'GET').toUpperCase()
  const own = { ...toLowerNames(options.headers), ...toLowerNames(options.secretHeaders) }
  // A key of the handler's own says what it takes for the same.
  const isOwn = options.idempotencyKey !== undefined || idempotency.header in own
  const key = isOwn ? (options.idempotencyKey ?? undefined) : idempotency.keyFor(method, url)
  const headers = {
    accept: '*/*',
    ...(encoded.contentType !== undefined && { 'content-type': encoded.contentType }),
    ...(key !== undefined && { [idempotency.header]: key }),
    ...own,
  }
  return { url, method, headers, encoded, options, mayRepeat: isRepeatable(method, key) }
}

const toLowerNames = (headers: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

/** One attempt, with the redirects that it meets. */
async function follow(settings: FetchSettings, prepared: Prepared, signal: AbortSignal | undefined): Promise<Incoming> {
  let hop = withCredential(prepared, settings.credentialFor(prepared.url))
  for (let hops = 0; ; hops += 1) {
    const answer = await pass(settings, hop, signal)
    const location = answer.headers['location']?.toString()
    if (!isRedirect(answer.status) || location === undefined) return answer
    if (hops >= maxRedirects)
      throw new HTTPError({ status: answer.status, message: `more than ${maxRedirects} redirects`, responseData: null })
    hop = toNextHop(hop, answer.status, toUrl(new URL(location, hop.url)))
  }
}

/** It is a header like the handler's own from here on, so that a redirect elsewhere drops it and nothing brings it back. */
function withCredential(prepared: Prepared, credential: Credential | undefined): Prepared {
  if (!credential) return prepared
  if (credential.in === 'query') return withKey(prepared, credential)
  const name = credential.name.toLowerCase()
  if (name in prepared.headers) return prepared
  const secretHeaders = { ...prepared.options.secretHeaders, [name]: credential.value }
  return {
    ...prepared,
    headers: { ...prepared.headers, [name]: credential.value },
    options: { ...prepared.options, secretHeaders },
  }
}

/** A redirect names an address of its own: the key stays behind. */
function withKey(prepared: Prepared, { name, value }: Credential): Prepared {
  const url = new URL(prepared.url)
  if (!url.searchParams.has(name)) url.searchParams.set(name, value)
  return { ...prepared, url }
}

const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status)

/** Fields that stay with the origin that they were meant for. */
const privateFields = /^(authorization|cookie|proxy-authorization|.*(api|auth|access|secret|token|key).*)$/

function toNextHop(hop: Prepared, status: number, url: URL): Prepared {
  const isSame = url.origin === hop.url.origin
  const becomesGet =
    status === 303 ? hop.method !== 'HEAD' : (status === 301 || status === 302) && hop.method === 'POST'
  const secret = toLowerNames(hop.options.secretHeaders)
  const headers = Object.fromEntries(
    Object.entries(hop.headers).filter(
      ([name]) =>
        (isSame || !(name in secret || privateFields.test(name))) && !(becomesGet && name.startsWith('content-')),
    ),
  )
  return {
    ...hop,
    url,
    headers,
    ...(becomesGet && { method: 'GET', encoded: { body: undefined, contentType: undefined } }),
  }
}

function pass(settings: FetchSettings, hop: Prepared, signal: AbortSignal | undefined): Promise<Incoming> {
  const { method, url, headers, encoded } = hop
  const go = (): Promise<Incoming> => send(settings, hop, signal)
  return settings.intercept ? settings.intercept({ method, url, headers, body: encoded.body }, go) : go()
}

async function send(
  settings: FetchSettings,
  { url, method, headers, encoded, options }: Prepared,
  signal: AbortSignal | undefined,
): Promise<Incoming> {
  const startedMs = performance.now()
  const timeout = AbortSignal.timeout(Math.ceil(options.timeoutMs ?? settings.timeoutMs))
  const response = await request(url, {
    method: method as Dispatcher.HttpMethod,
    headers,
    body: encoded.body ?? null,
    signal: anySignal(signal, timeout) ?? timeout,
    ...(settings.dispatcher && { dispatcher: settings.dispatcher }),
  })
  const bytes = await readBytes(response.body, options.maxBytes ?? defaultMaxBytes)
  const ms = Math.round(performance.now() - startedMs)
  settings.logger.debug(
    { method, url: withoutQuery(url), status: response.statusCode, ms, bytes: bytes.length },
    'request',
  )
  return { status: response.statusCode, headers: toFields(response.headers), bytes }
}

async function readBytes(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > maxBytes) throw new AnswerTooLargeError(maxBytes)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** The body of an answer is larger than the caller allows. */
class AnswerTooLargeError extends Error {
  constructor(maxBytes: number) {
    super(`the answer has more than ${maxBytes} bytes; raise maxBytes if that is meant`)
    this.name = 'AnswerTooLargeError'
  }
}

function toFields(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

/** Several addresses that all refuse make one error without words. */
function toWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.message || (error as NodeJS.ErrnoException).code || error.name
}

/** Nothing that a second attempt would change. */
function isFinal(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof HTTPError || error instanceof AnswerTooLargeError) return true
  return error instanceof AddressRefusedError || (error instanceof Error && error.cause instanceof AddressRefusedError)
}

const errorTextLength = 1000

function toResult(
  { status, headers, bytes }: Incoming,
  options: FetchOptions,
  { nowMs, parseJson = JSON.parse }: FetchSettings,
): FetchResponse {
  const contentType = headers['content-type']?.toString() ?? ''
  if (status >= 200 && status < 300)
    return { status, headers, data: decodeBody(bytes, contentType, { mode: options.as ?? 'auto', parseJson }) }
  const responseData = decodeBody(bytes, contentType, { mode: 'auto' })
  if (status === 429) {
    const retryAfter = parseRetryAfter(headers['retry-after']?.toString(), { nowMs: nowMs(), absent: 60 })
    throw new RateLimitError({ retryAfter, responseData, headers })
  }
  const text = typeof responseData === 'string' ? responseData : JSON.stringify(responseData)
  throw new HTTPError({ status, message: text.slice(0, errorTextLength), responseData, headers })
}

function anySignal(...signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
  const given = signals.filter((signal) => signal !== undefined)
  return given.length > 1 ? AbortSignal.any(given) : given[0]
}
