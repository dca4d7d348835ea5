import {
  refreshDueMs,
  requestClientCredentials,
  type OAuth2Provider,
  type TokenOutcome,
  type TokenSet,
} from '../auth.ts'
import { ConnectorError } from './error.ts'
import type { AuthWay, HttpAuth, Proof } from './http.ts'

export type ClientCredentialsAuth = {
  /** the token endpoint */
  readonly tokenUrl: string
  readonly clientId: string
  readonly clientSecret: string
  /** default none */
  readonly scopes?: readonly string[]
  /** how the client says who it is; default `client_secret_post`, in the form */
  readonly clientAuth?: OAuth2Provider['clientAuth']
  /** default none; `audience` of those who ask for it */
  readonly audience?: string
  /** added to every token request */
  readonly tokenParams?: Readonly<Record<string, string>>
}

/**
 * OAuth2 client credentials: a token before the first request, a new one before it ends or after a 401, and one request for it at
 * a time, however many wait. Its connection errors and 5xx are retried as those of other requests.
 *
 * @example http({ baseUrl, auth: oauth2ClientCredentials({ tokenUrl: `${baseUrl}/auth/v1/tokens`, clientId, clientSecret }) })
 */
export function oauth2ClientCredentials(options: ClientCredentialsAuth): HttpAuth {
  const {
    tokenUrl,
    clientId,
    clientSecret,
    scopes = [],
    clientAuth = 'client_secret_post',
    audience,
    tokenParams,
  } = options
  const provider: OAuth2Provider = { tokenUrl, scopes, clientAuth, audience, tokenParams }
  const client = { clientId, clientSecret }
  let held: { readonly tokens: TokenSet; readonly proof: Proof } | undefined
  let asking: Promise<Proof> | undefined
  const ask = async (way: AuthWay): Promise<Proof> => {
    const tokens = await request((signal) => requestClientCredentials({ ...way, provider, client, signal }), way)
    held = { tokens, proof: { headers: { authorization: `Bearer ${tokens.access_token}` } } }
    return held.proof
  }
  const askOnce = (way: AuthWay): Promise<Proof> => {
    asking ??= ask(way).finally(() => {
      asking = undefined
    })
    return asking
  }
  return {
    prove: (way) => {
      const dueMs = held && refreshDueMs(held.tokens)
      const isGood = held !== undefined && (dueMs === undefined || way.nowMs() < dueMs)
      return isGood && held ? Promise.resolve(held.proof) : askOnce(way)
    },
    renew: async (used, way) => {
      // Somebody else was faster: theirs is not the one that was refused.
      if (held?.proof === used || held === undefined) await askOnce(way)
    },
  }
}

async function request(ask: (signal: AbortSignal) => Promise<TokenOutcome>, way: AuthWay): Promise<TokenSet> {
  for (let attempt = 0; ; attempt += 1) {
    const ended = await ask(way.signal)
    if (ended.outcome === 'granted') return ended.tokens
    way.signal.throwIfAborted()
    const isPassing = ended.outcome !== 'refused' ? ended.outcome !== 'untrusted' : ended.cause === 'busy'
    const delayMs = isPassing ? way.retryDelaysMs[attempt] : undefined
    if (delayMs === undefined) throw toFailure(ended)
    const askedMs = 'retryAfterMs' in ended ? (ended.retryAfterMs ?? 0) : 0
    way.log.warning(`no token: ${ended.reason}; trying again in ${Math.max(delayMs, askedMs) / 1000} s`)
    await way.sleep(Math.max(delayMs, askedMs), way.signal)
  }
}

function toFailure(ended: Exclude<TokenOutcome, { readonly outcome: 'granted' }>): ConnectorError {
  if (ended.outcome !== 'refused') return new ConnectorError('remote', `there is no token: ${ended.reason}`)
  if (ended.cause === 'busy') return new ConnectorError('rate_limit', `there is no token yet: ${ended.reason}`)
  return new ConnectorError('auth', `the service gives no token: ${ended.reason}; check the credentials`)
}

/** A token that does not change. @example http({ baseUrl, auth: bearerToken(configuration.api_key) }) */
export function bearerToken(token: string): HttpAuth {
  return { prove: async () => ({ headers: { authorization: `Bearer ${token}` } }) }
}

/** User and password, or key and secret. */
export function basicAuth(user: string, password: string): HttpAuth {
  const value = Buffer.from(`${user}:${password}`).toString('base64')
  return { prove: async () => ({ headers: { authorization: `Basic ${value}` } }) }
}

/** A key in a header, or in the query. @example apiKey({ header: 'x-api-key', key }) */
export function apiKey(
  place: { readonly header: string; readonly key: string } | { readonly param: string; readonly key: string },
): HttpAuth {
  const proof: Proof =
    'header' in place ? { headers: { [place.header]: place.key } } : { params: { [place.param]: place.key } }
  return { prove: async () => proof }
}
