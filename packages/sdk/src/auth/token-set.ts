import type { TokenEndpointResponse } from 'oauth4webapi'
import { isObject } from '../integration/report.ts'

/** What a provider granted. Members that only one provider has are kept, as Slack's `team` or Salesforce's `instance_url`. */
export type TokenSet = {
  readonly access_token: string
  /** in lower case, as `bearer` */
  readonly token_type: string
  readonly refresh_token?: string
  /** ms; absent where the provider did not say */
  readonly expires_at?: number
  /** ms, when it was asked for */
  readonly obtained_at: number
  /** with blanks between, whatever the provider writes */
  readonly scope?: string
  /** checked: issuer, audience, times, nonce */
  readonly id_token?: string
  readonly [member: string]: unknown
}

/** No token is believed to live longer. */
const longestSeconds = 10 * 365 * 86_400

/** @param atMs when it was asked for: by then the lifetime had not begun yet, whatever the clocks say */
export function toTokenSet(answer: TokenEndpointResponse, atMs: number): TokenSet {
  const { expires_in: seconds, expires_at: _, obtained_at: __, scope, ...members } = answer
  return {
    ...members,
    obtained_at: atMs,
    ...(seconds !== undefined && { expires_at: atMs + Math.min(seconds, longestSeconds) * 1000 }),
    ...(scope !== undefined && {
      scope: scope
        .split(/[\s,]+/)
        .filter(Boolean)
        .join(' '),
    }),
  }
}

/** What a refresh does not name is as before: most of all a refresh token that does not rotate. */
export function mergeTokens(before: TokenSet, { ...after }: TokenSet): TokenSet {
  const { expires_at: _, id_token: __, ...kept } = before
  return { ...kept, ...after }
}

const longestLeadMs = 15 * 60_000

/**
 * When to ask for new tokens: before the old ones end by 15 minutes or half of their lifetime, whichever is shorter.
 *
 * @returns ms; undefined where nobody said when they end, and only a refused request tells
 * @example refreshDueMs(tokens) // 2,700,000 after `obtained_at` for a token of an hour
 */
export function refreshDueMs({ expires_at: end, obtained_at: start }: TokenSet): number | undefined {
  return end === undefined ? undefined : end - Math.min(longestLeadMs, Math.max(0, end - start) / 2)
}

/** Members that no handler is given. */
const withheld: ReadonlySet<string> = new Set(['refresh_token', 'obtained_at', 'client_secret', 'private_key'])

/**
 * The credentials as handlers get them: tokens, and what else the connection holds; without refresh tokens and without secrets of
 * the client, also those that lie deeper.
 *
 * @param fields that a person filled in
 * @example toOAuth2Auth(tokens) // { auth_type: 'PlatformOauth2', credentials: { access_token: … } }
 */
export function toOAuth2Auth(
  tokens: TokenSet,
  fields: Readonly<Record<string, unknown>> = {},
): { auth_type: 'PlatformOauth2'; credentials: Record<string, unknown> } {
  return { auth_type: 'PlatformOauth2', credentials: withoutWithheld({ ...fields, ...tokens }) }
}

function withoutWithheld(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(value).filter(([name]) => !withheld.has(name))
  return Object.fromEntries(
    entries.map(([name, member]) => [name, isObject(member) ? withoutWithheld(member) : member]),
  )
}
