import type { ClientAuthMethod, OAuth2Client, OAuth2Provider } from '../auth/provider.ts'
import type { ComingRequest, TokenRequest, TokenStep } from './oauth/front.ts'
import type { OAuthSettings } from './oauth/settings.ts'

export type OAuthProviderOptions = Partial<OAuthSettings> & {
  /** default `client_secret_basic` */
  readonly clientAuth?: ClientAuthMethod
  /** that it knows, and that are asked for; default openid, email, read, write */
  readonly scopes?: readonly string[]
  /** addresses that a browser may be sent back to; default any on this machine */
  readonly redirectUris?: readonly string[]
}

/** A real OAuth2 and OpenID Connect provider on this machine, that fails as it is told. */
export type OAuthProvider = AsyncDisposable & {
  /** its issuer, as `http://127.0.0.1:40123` */
  readonly url: string
  /** answers `{ sub, email }` to whoever has a token that is good */
  readonly userinfoUrl: string
  /** itself, for `beginAuthorization` and its like */
  readonly provider: OAuth2Provider
  /** the one client that it knows */
  readonly client: OAuth2Client
  /** may be changed at any time */
  readonly settings: OAuthSettings
  /** every request for tokens so far */
  readonly requests: readonly TokenRequest[]
  /** What happens to the next request for tokens that has no step yet. */
  next(step: TokenStep): ComingRequest
  /** Logs in and agrees without a browser. @returns the callback, with code and state, or with an error */
  authorize(url: string): Promise<string>
  /** Makes a refresh token worthless. @throws Error if it knows none like it */
  revoke(refreshToken: string): Promise<void>
  close(): Promise<void>
}

/**
 * Starts one on a free port. It is `oidc-provider`, which must be installed beside the SDK.
 *
 * @throws Error that says what to install
 * @example
 * await using oauth = await startOAuthProvider({ accessSeconds: 60 })
 * oauth.next({ loses: true }) // the next answer never arrives, although the provider has rotated
 */
export async function startOAuthProvider(options: OAuthProviderOptions = {}): Promise<OAuthProvider> {
  // Loaded when it is wanted: most tests want none.
  const { openProvider } = await import('./oauth/open.ts')
  return openProvider(options)
}
