import type { Dispatcher } from 'undici'
import { createFetch, type Credential, type Fetch, type FetchSettings } from '../http/fetch.ts'
import { isHost, isPrivateWay, toHostPattern } from '../http/host-pattern.ts'
import { createIdempotency } from '../http/idempotency.ts'
import type { Intercept } from '../http/intercept.ts'
import type { IntegrationConfig } from './config.ts'
import { createProgress, type Progress, type ProgressReport } from './progress.ts'
import { isObject } from './report.ts'
import { toSentCredential } from './sent-credential.ts'

/** `PlatformOauth2`, `PlatformTeams`, `ApiKey`, `Basic`, `Custom`, or another that a configuration names. */
export type Auth = {
  readonly auth_type: string
  /** which of the integration's methods, where it offers several */
  readonly method?: string
  readonly credentials: Readonly<Record<string, unknown>>
}

type Log = (fields: Record<string, unknown>, message: string) => void
/** pino and its like fit. */
export type Logger = { readonly debug: Log; readonly info: Log; readonly warn: Log; readonly error: Log }

/** What a handler works with. */
export type Context = {
  readonly auth: Auth
  /** of the run: `idempotency_key` is the same for each attempt to do the same */
  readonly metadata: Readonly<Record<string, unknown>>
  readonly logger: Logger
  readonly fetch: Fetch
  /** aborts when the run is cancelled or has used its time; a moment later its process is ended */
  readonly signal: AbortSignal
  /** says how far the run is, to whoever waits for it */
  readonly progress: Progress
}

export type ContextOptions = {
  /** `{ auth_type, credentials }`, or the credentials alone, as tests have them */
  readonly auth?: Readonly<Record<string, unknown>> | undefined
  /** of the integration: where credentials go and how they are sent, and the header of idempotency keys */
  readonly config?: Pick<IntegrationConfig, 'auth' | 'hosts' | 'idempotency_header'> | undefined
  /** attempts after the first, default 3; seconds for one attempt, default 30 */
  readonly requestConfig?: { readonly max_retries?: number; readonly timeout?: number } | undefined
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
  /** silent when left out */
  readonly logger?: Logger | undefined
  /** hosts that may receive the credentials, default those of `config`; without either, only the first one that they are sent to */
  readonly hosts?: readonly string[] | undefined
  /** the header in which the service takes idempotency keys, default that of `config`: write requests get one made of `metadata.idempotency_key` */
  readonly idempotencyHeader?: string | undefined
  /** sees every request before it leaves */
  readonly intercept?: Intercept | undefined
  /** the way out, as `createOutbound` makes it; where left out, any address is reached */
  readonly dispatcher?: Dispatcher | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((report: ProgressReport) => void) | undefined
  /** between 0 and 1, as Math.random */
  readonly random?: (() => number) | undefined
  readonly nowMs?: (() => number) | undefined
  readonly sleep?: FetchSettings['sleep']
}

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/**
 * Makes the context that handlers are given.
 *
 * @throws RangeError for a timeout or a number of retries that can never work; TypeError for a host that cannot be meant
 * @example const context = createContext({ auth: { api_key: 'k' } })
 */
export function createContext(options: ContextOptions = {}): Context {
  const { metadata = {}, logger = silent, signal = new AbortController().signal, nowMs = Date.now } = options
  const auth = toAuth(options.auth)
  const { config, hosts = config?.hosts, idempotencyHeader: header = config?.idempotency_header } = options
  const { max_retries: maxRetries = 3, timeout = 30 } = options.requestConfig ?? {}
  if (!(timeout > 0)) throw new RangeError(`timeout must be above 0 seconds; it is ${timeout}`)
  if (!(maxRetries >= 0)) throw new RangeError(`max_retries must be 0 or more; it is ${maxRetries}`)
  const fetch = createFetch({
    maxRetries,
    timeoutMs: timeout * 1000,
    dispatcher: options.dispatcher,
    credentialFor: createCredentials(toSentCredential(auth, config?.auth?.methods ?? []), { hosts, logger }),
    idempotency: createIdempotency({ header, runKey: metadata['idempotency_key'], hosts }),
    intercept: options.intercept,
    logger,
    signal,
    random: options.random ?? Math.random,
    nowMs,
    sleep: options.sleep,
  })
  const progress = createProgress({ onProgress: options.onProgress, nowMs })
  return { auth, metadata, logger, fetch, signal, progress }
}

/** Credentials are always wrapped inside: handlers and schemas see one form. */
function toAuth(given: Readonly<Record<string, unknown>> | undefined): Auth {
  if (given === undefined) return { auth_type: 'Custom', credentials: {} }
  const { auth_type: type, credentials, method } = given
  const named = typeof method === 'string' ? { method } : {}
  if (isObject(credentials))
    return { auth_type: typeof type === 'string' ? type : 'PlatformOauth2', ...named, credentials }
  const { auth_type: _, ...flat } = given
  return { auth_type: typeof type === 'string' ? type : 'Custom', credentials: flat }
}

type Places = { readonly hosts: readonly string[] | undefined; readonly logger: Logger }

function createCredentials(
  credential: Credential | undefined,
  { hosts, logger }: Places,
): (url: URL) => Credential | undefined {
  const patterns = hosts?.map(toHostPattern)
  if (!credential) return () => undefined
  let first: string | undefined
  return (url) => {
    if (patterns) return patterns.some((pattern) => isHost(pattern, url)) ? credential : undefined
    if (!isPrivateWay(url)) {
      logger.warn({ host: url.host }, 'sent without credentials, which do not travel over plain http; use https')
      return undefined
    }
    // A host that nobody declared: a token that follows every address of an input is a token given away.
    first ??= url.origin
    if (first === url.origin) return credential
    logger.warn(
      { host: url.host },
      `sent without credentials, which went to ${first}; list both in "hosts" of config.json`,
    )
    return undefined
  }
}
