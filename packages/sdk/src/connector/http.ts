import type { Dispatcher } from 'undici'
import { createFetch, type FetchOptions, type FetchResponse } from '../http/fetch.ts'
import { createIdempotency } from '../http/idempotency.ts'
import { withoutQuery, type Params } from '../http/url.ts'
import { HTTPError } from '../integration/error.ts'
import { ConnectorError } from './error.ts'
import { parseExact } from './exact-json.ts'
import type { Log } from './log.ts'
import { createRateLimit, type RateLimit } from './rate-limit.ts'
import type { Tally } from './tally.ts'

/** Goes with a request to prove whose it is. */
export type Proof = { readonly headers?: Readonly<Record<string, string>>; readonly params?: Params }

/** How requests prove whose they are. Proofs go to the origin of `baseUrl` only. */
export type HttpAuth = {
  readonly prove: (way: AuthWay) => Promise<Proof>
  /**
   * After a 401: gets a new proof, which all requests use from then on; where another request was faster, that one's.
   *
   * @param used what was refused
   */
  readonly renew?: (used: Proof, way: AuthWay) => Promise<void>
}

/** How an `HttpAuth` makes requests of its own. */
export type AuthWay = {
  readonly dispatcher: Dispatcher | undefined
  readonly signal: AbortSignal
  readonly nowMs: () => number
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>
  readonly retryDelaysMs: readonly number[]
  readonly timeoutMs: number
  readonly log: Log
}

export type HttpOptions = {
  /** what paths are added to, as `https://api.example.com/v2` */
  readonly baseUrl: string
  readonly auth?: HttpAuth
  /** of every request */
  readonly headers?: Readonly<Record<string, string>>
  /** for one attempt, in ms; default 30,000 */
  readonly timeoutMs?: number
  /** before the second attempt, the third and so on, in ms; default 2, 4, 8, 16 and 32 s. `[]` for one attempt */
  readonly retryDelaysMs?: readonly number[]
  /** shortens each of these by up to a half, so that many do not come back at once; default false */
  readonly jitter?: boolean
  /** requests in a time, over all that this way makes; default as fast as they are answered */
  readonly rateLimit?: RateLimit
  /** of an answer; default 50 MB */
  readonly maxBytes?: number
}

type RequestOptions = Omit<FetchOptions, 'retryRateLimited' | 'secretHeaders'>

/** The way to one service. JSON is parsed exactly: integers beyond 2^53 are bigints. */
export type ConnectorHttp = {
  /**
   * A request, as often as it takes: connection errors and 5xx by the delays, 429 as long as it asks, one new proof after a 401.
   *
   * @param path below `baseUrl`, or a whole address
   * @throws HTTPError for another status, RateLimitError after the last 429
   */
  readonly get: <Data = unknown>(path: string, options?: RequestOptions) => Promise<FetchResponse<Data>>
  /** told by paginators, for progress */
  readonly onPage: () => void
}

export type CreateHttp = (options: HttpOptions) => ConnectorHttp

export type HttpWay = Omit<AuthWay, 'retryDelaysMs' | 'timeoutMs'> & {
  readonly random: () => number
  readonly tally: Tally['http']
}

const defaultDelaysMs: readonly number[] = [2000, 4000, 8000, 16_000, 32_000]

/** Makes `http` of a sync. */
export function toCreateHttp(way: HttpWay): CreateHttp {
  return (options) => {
    const { timeoutMs = 30_000, retryDelaysMs = defaultDelaysMs, auth, headers } = options
    const base = URL.parse(options.baseUrl)
    if (!base || !/^https?:$/.test(base.protocol))
      throw new ConnectorError('configuration', `"${withoutQuery(options.baseUrl)}" is no http or https address`)
    const fetch = createFetch(toSettings(way, options))
    const authWay: AuthWay = { ...way, retryDelaysMs, timeoutMs }
    const limit = createRateLimit(options.rateLimit, way)
    const send = async (url: URL, request: RequestOptions, proof: Proof): Promise<FetchResponse> => {
      await limit(way.signal)
      way.tally.requests += 1
      const params = { ...request.params, ...proof.params }
      const given = { ...headers, ...request.headers }
      const secretHeaders = proof.headers ?? {}
      const { maxBytes = options.maxBytes } = request
      return fetch(url, { ...request, maxBytes, params, headers: given, secretHeaders, retryRateLimited: true })
    }
    return {
      onPage: () => void (way.tally.pages += 1),
      get: async <Data>(path: string, request: RequestOptions = {}) => {
        const url = toAddress(base, path)
        const isOurs = auth !== undefined && url.origin === base.origin
        if (!isOurs) return (await send(url, request, {})) as FetchResponse<Data> // what the caller expects
        const proof = await auth.prove(authWay)
        try {
          return (await send(url, request, proof)) as FetchResponse<Data>
        } catch (error) {
          if (!(error instanceof HTTPError) || error.status !== 401 || !auth.renew) throw error
          way.log.warning(`${withoutQuery(url)} answered 401; asking for a new token`)
          await auth.renew(proof, authWay)
          return (await send(url, request, await auth.prove(authWay))) as FetchResponse<Data>
        }
      },
    }
  }
}

/** A path is always below the base, whether it begins with a slash or not. */
function toAddress(base: URL, path: string): URL {
  if (/^https?:\/\//i.test(path)) return new URL(path)
  const folder = base.pathname.endsWith('/') ? base.pathname : `${base.pathname}/`
  return new URL(`${folder}${path.replace(/^\/+/, '')}`, base.origin)
}

function toSettings(
  way: HttpWay,
  { jitter = false, retryDelaysMs = defaultDelaysMs, timeoutMs = 30_000 }: HttpOptions,
) {
  const { log, tally, dispatcher, signal, random, nowMs, sleep } = way
  const delayMs = (attempt: number): number => {
    const ms = retryDelaysMs[attempt] ?? 0
    return jitter ? ms / 2 + (random() * ms) / 2 : ms
  }
  return {
    maxRetries: retryDelaysMs.length,
    timeoutMs,
    dispatcher,
    credentialFor: () => undefined,
    idempotency: createIdempotency({ header: undefined, runKey: undefined, hosts: undefined }),
    logger: { debug: () => {} },
    signal,
    random,
    nowMs,
    sleep,
    parseJson: parseExact,
    retry: {
      delayMs,
      isTransient: (status: number) => status >= 500 || status === 408 || status === 425,
      rateLimitedMs: delayMs,
      onRetry: (what: string, ms: number) => {
        tally.requests += 1
        tally.retries += 1
        log.warning(`${what}; trying again in ${Math.round(ms / 100) / 10} s`)
      },
    },
  }
}
