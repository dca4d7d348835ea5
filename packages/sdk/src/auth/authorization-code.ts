import {
  authorizationCodeGrantRequest,
  calculatePKCECodeChallenge,
  generateRandomCodeVerifier,
  generateRandomNonce,
  generateRandomState,
  nopkce,
  processAuthorizationCodeResponse,
  validateAuthResponse,
} from 'oauth4webapi'
import { ConfigurationError } from '../integration/error.ts'
import { discoverProvider } from './discover.ts'
import { exchange } from './exchange.ts'
import type { TokenOutcome } from './outcome.ts'
import {
  requireEndpoint,
  toScope,
  type OAuth2Call,
  type OAuth2Client,
  type OAuth2Provider,
  type OAuth2Way,
} from './provider.ts'

export type BeginOptions = OAuth2Way & {
  readonly provider: OAuth2Provider
  readonly client: Pick<OAuth2Client, 'clientId'>
  /** exactly as it is registered with the provider */
  readonly redirectUri: string
  /** default a random one of 256 bits */
  readonly state?: string | undefined
  /** default those of the provider */
  readonly scopes?: readonly string[] | undefined
}

/** Where to send the browser, and what must be kept, secretly, until it comes back. */
export type BegunAuthorization = {
  readonly url: string
  readonly state: string
  /** undefined for providers without PKCE */
  readonly codeVerifier: string | undefined
  /** undefined where no id token is asked for */
  readonly nonce: string | undefined
}

/**
 * Begins to ask somebody for access (RFC 6749 4.1, with PKCE).
 *
 * @throws ConfigurationError for a provider that lacks an address, or whose issuer cannot be asked for it
 * @example const { url, state, codeVerifier, nonce } = await beginAuthorization({ provider, client, redirectUri })
 */
export async function beginAuthorization(options: BeginOptions): Promise<BegunAuthorization> {
  const provider = await discoverProvider(options.provider, options)
  if ('outcome' in provider) throw new ConfigurationError(provider.reason)
  const { client, redirectUri, state = generateRandomState(), scopes } = options
  const url = new URL(requireEndpoint('authorizationUrl', provider.authorizationUrl))
  const codeVerifier = provider.pkce === false ? undefined : generateRandomCodeVerifier()
  const wanted = scopes ?? provider.scopes
  const nonce = provider.issuer !== undefined && wanted.includes('openid') ? generateRandomNonce() : undefined
  const params: Record<string, string | undefined> = {
    ...provider.authorizationParams,
    response_type: 'code',
    client_id: client.clientId,
    redirect_uri: redirectUri,
    scope: toScope(provider, wanted),
    audience: provider.audience,
    state,
    nonce,
    ...(codeVerifier !== undefined && {
      code_challenge: await calculatePKCECodeChallenge(codeVerifier),
      code_challenge_method: 'S256',
    }),
  }
  for (const [name, value] of Object.entries(params)) if (value !== undefined) url.searchParams.set(name, value)
  return { url: url.href, state, codeVerifier, nonce }
}

export type FinishOptions = OAuth2Call & {
  /** the same as it began with */
  readonly redirectUri: string
  /** the whole address that the browser came back to */
  readonly callbackUrl: string | URL
  /** as it began */
  readonly state: string
  readonly codeVerifier?: string | undefined
  readonly nonce?: string | undefined
}

/**
 * Checks what the browser brought back, and trades its code for tokens. A code works once: whatever comes of it, the next attempt
 * begins anew.
 *
 * @throws ConfigurationError where the provider or the client can never work
 * @example const ended = await finishAuthorization({ provider, client, redirectUri, callbackUrl, ...begun })
 */
export async function finishAuthorization(options: FinishOptions): Promise<TokenOutcome> {
  const { redirectUri, state, codeVerifier, nonce, provider } = options
  const callback = new URL(options.callbackUrl)
  // Nobody said who it should be: then the name says nothing.
  if (provider.issuer === undefined) callback.searchParams.delete('iss')
  const secrets = [callback.searchParams.get('code') ?? undefined, codeVerifier]
  return exchange(options, secrets, async ({ server, client, auth, options: request, reading }) => {
    const params = validateAuthResponse(server, client, callback, state)
    const verifier = codeVerifier ?? nopkce
    const response = await authorizationCodeGrantRequest(server, client, auth, params, redirectUri, verifier, request)
    const expected = nonce === undefined ? {} : { expectedNonce: nonce }
    return processAuthorizationCodeResponse(server, client, response, { ...reading, ...expected })
  })
}
