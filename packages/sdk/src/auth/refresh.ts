import { processRefreshTokenResponse, refreshTokenGrantRequest } from 'oauth4webapi'
import { exchange } from './exchange.ts'
import type { TokenOutcome } from './outcome.ts'
import type { OAuth2Call } from './provider.ts'
import { mergeTokens, type TokenSet } from './token-set.ts'

export type RefreshOptions = OAuth2Call & { readonly tokens: TokenSet }

/**
 * Trades a refresh token for new tokens. Where the provider rotates, the old refresh token is used up from the moment the request
 * arrives: never send one twice at once, and keep what comes back before it is used. What the answer leaves out stays.
 *
 * `unknown` says that it may be used up although nothing came back; sending it once more finds out. With `refused` and cause
 * `grant` only connecting again helps.
 *
 * @throws ConfigurationError where the provider or the client can never work
 * @example const ended = await refreshTokens({ provider, client, tokens })
 */
export async function refreshTokens({ tokens, ...call }: RefreshOptions): Promise<TokenOutcome> {
  const { refresh_token: refreshToken, access_token: accessToken } = tokens
  if (refreshToken === undefined)
    return { outcome: 'refused', cause: 'grant', error: 'no_refresh_token', reason: 'there is no refresh token' }
  const ended = await exchange(call, [refreshToken, accessToken], async ({ server, client, auth, options, reading }) =>
    processRefreshTokenResponse(
      server,
      client,
      await refreshTokenGrantRequest(server, client, auth, refreshToken, options),
      reading,
    ),
  )
  return ended.outcome === 'granted' ? { ...ended, tokens: mergeTokens(tokens, ended.tokens) } : ended
}
