import { processRevocationResponse, revocationRequest } from 'oauth4webapi'
import { attempt } from './exchange.ts'
import type { Failed } from './outcome.ts'
import type { OAuth2Call } from './provider.ts'
import type { TokenSet } from './token-set.ts'

export type RevokeOptions = OAuth2Call & { readonly tokens: TokenSet }

/** `unsupported`: the provider has no address for it. */
export type RevokeOutcome = { readonly outcome: 'revoked' | 'unsupported' } | Failed

/**
 * Gives tokens back (RFC 7009): the refresh token where there is one, which ends its access tokens too, else the access token.
 *
 * @throws ConfigurationError where the provider or the client can never work
 * @example await revokeToken({ provider, client, tokens })
 */
export async function revokeToken({ tokens, ...call }: RevokeOptions): Promise<RevokeOutcome> {
  const { refresh_token: refreshToken, access_token: accessToken } = tokens
  const [token, hint] = refreshToken === undefined ? [accessToken, 'access_token'] : [refreshToken, 'refresh_token']
  const ended = await attempt(call, [token], async ({ server, client, auth, options }) => {
    if (server.revocation_endpoint === undefined) return 'unsupported' as const
    const additionalParameters = { token_type_hint: hint }
    await processRevocationResponse(
      await revocationRequest(server, client, auth, token, { ...options, additionalParameters }),
    )
    return 'revoked' as const
  })
  return ended.outcome === 'done' ? { outcome: ended.value } : ended
}
