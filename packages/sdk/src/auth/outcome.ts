import {
  AuthorizationResponseError,
  OperationProcessingError,
  PARSE_ERROR,
  RESPONSE_IS_NOT_CONFORM,
  RESPONSE_IS_NOT_JSON,
  ResponseBodyError,
} from 'oauth4webapi'
import type { TokenSet } from './token-set.ts'

/**
 * Why a provider said no. `grant`: the code or the refresh token is used up, revoked or expired; connect again. `client`: it does
 * not know the client or its secret. `user`: who was asked did not agree. `busy`: later. `other`: a fault of the request.
 */
export type RefusalCause = 'grant' | 'client' | 'user' | 'busy' | 'other'

/** The provider said no, and did nothing. */
export type Refused = {
  readonly outcome: 'refused'
  readonly cause: RefusalCause
  /** the provider's own code, as `invalid_grant`, or `http_403` */
  readonly error: string
  /** in words; without secrets */
  readonly reason: string
  readonly retryAfterMs?: number
}

/**
 * What came cannot be trusted: another state, issuer, audience or nonce, or times that cannot be. Nothing of it is used. A
 * refresh token that was sent may have been replaced.
 */
export type Untrusted = { readonly outcome: 'untrusted'; readonly reason: string }

/**
 * The request may have left, and no answer tells what became of it: too slow, cut off, 5xx, or nothing that can be read. A
 * rotating refresh token may be used up.
 */
export type Unknown = {
  readonly outcome: 'unknown'
  readonly reason: string
  /** of the answer, where there was one */
  readonly status?: number
  readonly retryAfterMs?: number
}

/** Nothing left: the address is refused or cannot be reached, or there was no time. */
export type Unsent = { readonly outcome: 'unsent'; readonly reason: string }

export type Failed = Refused | Untrusted | Unknown | Unsent

/** How a request for tokens ended. All of it is expected, so none of it is thrown; no text holds a secret. */
export type TokenOutcome = { readonly outcome: 'granted'; readonly tokens: TokenSet } | Failed

/** What is known of a request that failed. */
export type Trace = {
  /** whether anything may have left */
  readonly sent: boolean
  readonly status?: number | undefined
  readonly retryAfterMs?: number | undefined
}

/** @param thrown by the library, or on the way */
export function toFailure(thrown: unknown, { sent, status, retryAfterMs }: Trace): Failed {
  const after = retryAfterMs === undefined ? {} : { retryAfterMs }
  const reason = toReason(thrown)
  if (thrown instanceof AuthorizationResponseError)
    return { outcome: 'refused', cause: toCause(thrown.error, 400), error: thrown.error, reason }
  // Checked before it was sent: the callback.
  if (!sent)
    return thrown instanceof OperationProcessingError ? { outcome: 'untrusted', reason } : { outcome: 'unsent', reason }
  if (status === undefined) return { outcome: 'unknown', reason }
  if (status >= 500 || status === 408) return { outcome: 'unknown', reason: `it answered ${status}`, status, ...after }
  if (thrown instanceof ResponseBodyError)
    return { outcome: 'refused', cause: toCause(thrown.error, status), error: thrown.error, reason, ...after }
  if (status >= 300) {
    const [error, why] = [`http_${status}`, status < 400 ? ', and redirects are not followed' : '']
    return { outcome: 'refused', cause: toCause(error, status), error, reason: `it answered ${status}${why}`, ...after }
  }
  const isUnread = thrown instanceof OperationProcessingError && unreadCodes.has(thrown.code)
  return isUnread ? { outcome: 'unknown', reason, status } : { outcome: 'untrusted', reason }
}

/** There was no JSON, or a status that says nothing about tokens. */
const unreadCodes: ReadonlySet<string | undefined> = new Set([
  PARSE_ERROR,
  RESPONSE_IS_NOT_JSON,
  RESPONSE_IS_NOT_CONFORM,
])

function toReason(error: unknown): string {
  if (error instanceof ResponseBodyError || error instanceof AuthorizationResponseError)
    return error.error_description ? `${error.error}: ${error.error_description}` : error.error
  if (!(error instanceof Error)) return String(error)
  // Several addresses that all refuse make one error without words.
  const { code } = error as NodeJS.ErrnoException
  return error.message || code || error.name
}

/** Codes of RFC 6749 and OpenID Connect; what Slack, GitHub and their like say instead. */
const codes: Readonly<Record<Exclude<RefusalCause, 'other'>, readonly string[]>> = {
  grant: [
    'invalid_grant',
    'interaction_required',
    'login_required',
    'consent_required',
    'account_selection_required',
    'bad_refresh_token',
    'bad_verification_code',
    'expired_token',
    'invalid_refresh_token',
    'invalid_code',
    'code_already_used',
    'token_revoked',
    'token_expired',
    'account_inactive',
  ],
  client: [
    'invalid_client',
    'unauthorized_client',
    'redirect_uri_mismatch',
    'incorrect_client_credentials',
    'invalid_client_id',
    'bad_client_secret',
    'bad_redirect_uri',
  ],
  user: ['access_denied'],
  busy: ['temporarily_unavailable', 'server_error', 'slow_down', 'ratelimited', 'rate_limited'],
}

function toCause(code: string, status: number): RefusalCause {
  for (const cause of ['grant', 'client', 'user', 'busy'] as const)
    if (codes[cause].includes(code.toLowerCase())) return cause
  if (status === 429) return 'busy'
  return status === 401 ? 'client' : 'other'
}
