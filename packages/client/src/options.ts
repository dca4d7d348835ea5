import type { Problem } from '@sluice/protocol'
import { systemClock, type Clock } from './clock.ts'
import type { DeadLetterSink } from './dead-letter.ts'
import { consoleLogger, createRedactingLogger, type Logger } from './logger.ts'
import { createSigningTransport } from './sign.ts'
import type { Fetch, Transport, TransportResponse } from './transport.ts'
import { createFetchTransport } from './transport/fetch.ts'
import { newUuid } from './uuid.ts'
import { defaultTransport } from '#transport'

export type SluiceOptions = {
  /** default `http://127.0.0.1:8000`; a path is kept, a user name is taken as the key */
  readonly baseUrl?: string | undefined
  /** `slk_…`, from `sluice keys create` */
  readonly apiKey?: string | undefined
  /** signs every request, beside the key or instead of it; text as it was shown, `sls_…`; blanks around it are left out */
  readonly hmacSecret?: string | undefined
  /** whose secret `hmacSecret` is; default: the key id in `apiKey` */
  readonly keyId?: string | undefined
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
  /**
   * gets each event that could not be published, once, with all it takes to send it again: a function, or
   * `jsonlFile(path)` of `@sluice/client/node`. The call rejects after it is done
   */
  readonly deadLetter?: DeadLetterSink | undefined
  /** retries and lost dead letters are told here, each with its operation and attempt; silent when left out */
  readonly logger?: Logger | undefined
  /** every attempt is logged too, with the event, at level debug; to the console if there is no `logger`. Default false */
  readonly debug?: boolean | undefined
  /** mask e-mail addresses, phone numbers, tokens and the like in all that is logged; default true */
  readonly redact?: boolean | undefined
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
  readonly deadLetter: DeadLetterSink | undefined
  readonly logger: Logger | undefined
  readonly debug: boolean
  /** the key and the HMAC secret: they stand in no error and no log */
  readonly secrets: readonly string[]
  readonly transport: Transport
  readonly clock: Clock
  readonly random: () => number
  readonly newId: () => string
  /** for another service's answers, which are not written as the hub's are */
  readonly parseAnswer?: ((text: string) => unknown) | undefined
  readonly parseProblem?: ((answer: TransportResponse, text: string) => Problem | undefined) | undefined
}

/** Throws TypeError or RangeError for what can never work, before anything is sent. */
export function toSettings(options: SluiceOptions): Settings {
  const address = parseBaseUrl(options.baseUrl ?? 'http://127.0.0.1:8000')
  const apiKey = checkHeader('apiKey', options.apiKey ?? address.apiKey)
  const hmacSecret = options.hmacSecret?.trim() || undefined
  const secrets = [apiKey, hmacSecret].filter((secret) => secret !== undefined)
  const clock = options.clock ?? systemClock
  const transport = options.transport ?? (options.fetch ? createFetchTransport(options.fetch) : defaultTransport)
  const ownKeyId = checkHeader('keyId', options.keyId)
  checkSigner({ apiKey, hmacSecret, keyId: ownKeyId })
  const keyId = ownKeyId ?? /^slk_([^_]+)_/.exec(apiKey ?? '')?.[1]
  return {
    baseUrl: address.baseUrl,
    headers: { accept: 'application/json', ...(apiKey && { authorization: `Bearer ${apiKey}` }) },
    source: options.source,
    timeoutMs: checkAmount('timeoutMs', options.timeoutMs ?? 30_000),
    maxRetries: checkAmount('maxRetries', options.maxRetries ?? 3),
    totalTimeoutMs: checkAmount('totalTimeoutMs', options.totalTimeoutMs ?? Infinity),
    eventsEndpoint: toPath(options.eventsEndpoint ?? '/v1/events'),
    deadLetter: options.deadLetter,
    logger: toLogger(options, secrets),
    debug: options.debug ?? false,
    secrets,
    transport: hmacSecret ? createSigningTransport(transport, { secret: hmacSecret, keyId, clock }) : transport,
    clock,
    random: options.random ?? Math.random,
    newId: options.newId ?? newUuid,
  }
}

function toLogger({ logger, debug, redact }: SluiceOptions, secrets: readonly string[]): Logger | undefined {
  const chosen = logger ?? (debug ? consoleLogger : undefined)
  return chosen && redact !== false ? createRedactingLogger(chosen, secrets) : chosen
}

/** A secret that is nobody's and a key id that signs nothing would both be an unexplained 401. */
function checkSigner({ apiKey, hmacSecret, keyId }: Pick<SluiceOptions, 'apiKey' | 'hmacSecret' | 'keyId'>): void {
  if (hmacSecret && !apiKey && !keyId)
    throw new TypeError(
      'hmacSecret is given, and neither apiKey nor keyId, which say whose secret it is; pass one of them',
    )
  if (keyId && !hmacSecret)
    throw new TypeError('keyId is given without hmacSecret, the secret that it is for; pass both')
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

function checkHeader(name: string, text: string | undefined): string | undefined {
  const value = text?.trim()
  if (value && !/^[\x21-\x7e]+$/.test(value)) {
    throw new TypeError(`${name} holds blanks or characters that no header can carry; pass it exactly as it was shown`)
  }
  return value || undefined
}

function checkAmount(name: string, amount: number): number {
  if (amount >= 0) return amount
  throw new RangeError(`${name} must be 0 or more; it is ${amount}`)
}
