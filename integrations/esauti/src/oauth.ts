import type { Rest } from '@sluice/client/rest'
import type { Credentials } from './authorize.ts'

export type OAuthOptions = {
  readonly clientId: string
  readonly clientSecret: string
  /** default `/oauth/v2/token` beside the API */
  readonly tokenUrl?: string | undefined
  readonly scope?: string | undefined
  /** of a user who has authorised the client; with it tokens are refreshed for that user, else they are the client's own */
  readonly refreshToken?: string | undefined
  /** Called with each new token before it is used. Keep `refreshToken`: the one before it is worth nothing any more. */
  readonly onTokens?: ((tokens: Tokens) => void | Promise<void>) | undefined
}

export type Tokens = {
  readonly accessToken: string
  readonly refreshToken: string | undefined
  /** ISO 8601; undefined where the service did not say */
  readonly expiresAt: string | undefined
}

type Held = { readonly accessToken: string; readonly expiresAtMs: number }

/** A token is renewed this long before its end, so that it does not end on the way. */
const marginMs = 30_000

/** One token at a time: whoever comes while it is being fetched waits for the same request. */
export function createOAuth(oauth: OAuthOptions, rest: Rest, path: string): Credentials {
  let { refreshToken } = oauth
  let held: Held | undefined
  let pending: Promise<Held> | undefined

  const fetchToken = async (): Promise<Held> => {
    const askedAtMs = rest.clock.now()
    const answer = await rest.request<TokenAnswer>(toCall(oauth, refreshToken, path))
    if (typeof answer?.access_token !== 'string' || answer.access_token === '') {
      throw new TypeError(`POST ${path} answered without an access_token; is tokenUrl right?`)
    }
    const expiresInSeconds = Number(answer.expires_in)
    const expiresAtMs = expiresInSeconds > 0 ? askedAtMs + expiresInSeconds * 1000 : Infinity
    if (refreshToken !== undefined) refreshToken = answer.refresh_token ?? refreshToken
    await oauth.onTokens?.({
      accessToken: answer.access_token,
      refreshToken,
      expiresAt: expiresAtMs === Infinity ? undefined : new Date(expiresAtMs).toISOString(),
    })
    return (held = { accessToken: answer.access_token, expiresAtMs })
  }
  const current = async (signal: AbortSignal | undefined): Promise<string> => {
    if (!held || held.expiresAtMs - marginMs <= rest.clock.now()) {
      pending ??= fetchToken().finally(() => (pending = undefined))
      return toHeader(await unlessAborted(pending, signal))
    }
    return toHeader(held)
  }
  return {
    current,
    renew: (stale, signal) => {
      // Somebody else may have renewed it meanwhile.
      if (held && toHeader(held) === stale) held = undefined
      return current(signal)
    },
  }
}

type TokenAnswer = {
  readonly access_token?: unknown
  readonly expires_in?: unknown
  readonly refresh_token?: string
}

function toCall(oauth: OAuthOptions, refreshToken: string | undefined, path: string): Parameters<Rest['request']>[0] {
  const form = new URLSearchParams({
    ...(refreshToken === undefined
      ? { grant_type: 'client_credentials' }
      : { grant_type: 'refresh_token', refresh_token: refreshToken }),
    client_id: oauth.clientId,
    client_secret: oauth.clientSecret,
    ...(oauth.scope !== undefined && { scope: oauth.scope }),
  })
  return {
    method: 'POST',
    path,
    content: { type: 'application/x-www-form-urlencoded', text: form.toString() },
    // A refresh token is good for one use: after a lost answer it may be spent.
    repeatable: refreshToken === undefined ? true : 'when-refused',
  }
}

function toHeader({ accessToken }: Held): string {
  return `Bearer ${accessToken}`
}

/** The token is for others, too: who aborts leaves, and the request goes on. */
async function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (!signal) return promise
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const onAbort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort)
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
