import { systemClock, type Clock } from './clock.ts'
import type { Logger } from './logger.ts'
import type { Fetch, Transport } from './transport.ts'
import { createFetchTransport } from './transport/fetch.ts'
import { newUuid } from './uuid.ts'
import { defaultTransport } from '#transport'

export type SluiceOptions = {
  /** default `http://127.0.0.1:8000`; a path is kept, a user name is taken as the key */
  readonly baseUrl?: string | undefined
  /** `slk_…`, from `sluice keys create` */
  readonly apiKey?: string | undefined
  /** `source` of every event that names none itself */
  readonly source?: string | undefined
  /** for one attempt, in ms; default 30,000 */
  readonly timeoutMs?: number | undefined
  /** attempts after the first; default 3, 0 for none */
  readonly maxRetries?: number | undefined
  /** for all attempts and the waits between them, in ms; unlimited when left out */
  readonly totalTimeoutMs?: number | undefined
  /** where events are published; default `/v1/events` */
  readonly eventsEndpoint?: string | undefined
  /** retries are told here; silent when left out */
  readonly logger?: Logger | undefined
  /** this `fetch`, for proxies, certificates or runtimes without one; where left out, Node goes without fetch, which is faster */
  readonly fetch?: Fetch | undefined
  /** another way to reach the hub altogether; `fetch` is not used then */
  readonly transport?: Transport | undefined
  readonly clock?: Clock | undefined
  /** between 0 and 1, as Math.random; spreads retries */
  readonly random?: (() => number) | undefined
  /** makes idempotency keys and lease ids; UUIDs by default */
  readonly newId?: (() => string) | undefined
}

/** Options with their defaults filled in and checked. */
export type Settings = {
  /** without a slash at its end */
  readonly baseUrl: string
  /** of every request */
  readonly headers: Readonly<Record<string, string>>
  readonly source: string | undefined
  readonly timeoutMs: number
  readonly maxRetries: number
  readonly totalTimeoutMs: number
  readonly eventsEndpoint: string
  readonly logger: Logger | undefined
  readonly transport: Transport
  readonly clock: Clock
  readonly random: () => number
  readonly newId: () => string
}

/** Throws TypeError or RangeError for what can never work, before anything is sent. */
export function toSettings(options: SluiceOptions): Settings {
  const address = parseBaseUrl(options.baseUrl ?? 'http://127.0.0.1:8000')
  const apiKey = checkApiKey(options.apiKey ?? address.apiKey)
  return {
    baseUrl: address.baseUrl,
    headers: { accept: 'application/json', ...(apiKey && { authorization: `Bearer ${apiKey}` }) },
    source: options.source,
    timeoutMs: checkAmount('timeoutMs', options.timeoutMs ?? 30_000),
    maxRetries: checkAmount('maxRetries', options.maxRetries ?? 3),
    totalTimeoutMs: checkAmount('totalTimeoutMs', options.totalTimeoutMs ?? Infinity),
    eventsEndpoint: toPath(options.eventsEndpoint ?? '/v1/events'),
    logger: options.logger,
    transport: options.transport ?? (options.fetch ? createFetchTransport(options.fetch) : defaultTransport),
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    newId: options.newId ?? newUuid,
  }
}

function parseBaseUrl(text: string): { baseUrl: string; apiKey: string | undefined } {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new TypeError(`baseUrl must be an http or https URL, as http://127.0.0.1:8000; it is ${JSON.stringify(text)}`)
  }
  const apiKey = decodeURIComponent(url.username) || undefined
  return { baseUrl: `${url.origin}${url.pathname}`.replace(/\/+$/, ''), apiKey }
}

/** With a slash before it and none behind, in characters that travel. */
function toPath(text: string): string {
  return new URL(text, 'http://hub').pathname.replace(/\/+$/, '')
}

function checkApiKey(text: string | undefined): string | undefined {
  const apiKey = text?.trim()
  if (apiKey && !/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new TypeError('apiKey holds blanks or characters that no header can carry; pass it exactly as it was shown')
  }
  return apiKey || undefined
}

function checkAmount(name: string, amount: number): number {
  if (amount >= 0) return amount
  throw new RangeError(`${name} must be 0 or more; it is ${amount}`)
}
