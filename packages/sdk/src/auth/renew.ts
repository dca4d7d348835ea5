import type { OAuth2Flow } from '../integration/auth-methods.ts'
import { requestClientCredentials } from './client-credentials.ts'
import { requestJwtBearer } from './jwt-bearer.ts'
import type { TokenOutcome } from './outcome.ts'
import type { OAuth2Call, OAuth2Client } from './provider.ts'
import { refreshTokens } from './refresh.ts'
import type { TokenSet } from './token-set.ts'

export type RenewOptions = OAuth2Call & {
  readonly flow: OAuth2Flow
  /** those of before; none yet for the first of a flow without a browser */
  readonly tokens?: TokenSet | undefined
  /** on whose behalf, for JWT bearer */
  readonly subject?: string | undefined
}

/**
 * New tokens for old, however the first were come by: one life for all of them.
 *
 * @throws ConfigurationError where the provider or the client can never work
 * @example const ended = await renewTokens({ flow, provider, client, tokens })
 */
export async function renewTokens({ flow, tokens, subject, ...call }: RenewOptions): Promise<TokenOutcome> {
  if (flow === 'client_credentials') return requestClientCredentials(call)
  if (flow === 'jwt_bearer') return requestJwtBearer({ ...call, subject })
  if (tokens) return refreshTokens({ ...call, tokens })
  return { outcome: 'refused', cause: 'grant', error: 'no_refresh_token', reason: 'there are no tokens to refresh' }
}

/** The client that the fields of a connection describe, for flows in which each connection is its own. */
export function toOAuth2Client(fields: Readonly<Record<string, unknown>>): OAuth2Client {
  const { client_id: id, client_secret: secret, private_key: key, private_key_id: kid } = fields
  return {
    clientId: typeof id === 'string' ? id : '',
    ...(typeof secret === 'string' && { clientSecret: secret }),
    ...(typeof key === 'string' && { privateKey: { key, ...(typeof kid === 'string' && { kid }) } }),
  }
}
