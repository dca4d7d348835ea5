import { clientCredentialsGrantRequest, processClientCredentialsResponse } from 'oauth4webapi'
import { exchange } from './exchange.ts'
import type { TokenOutcome } from './outcome.ts'
import { toScope, type OAuth2Call } from './provider.ts'

export type ClientCredentialsOptions = OAuth2Call & {
  /** default those of the provider */
  readonly scopes?: readonly string[] | undefined
}

/**
 * A token for the client itself (RFC 6749 4.4). There is no refresh token: when `refreshDueMs` comes, ask again.
 *
 * @throws ConfigurationError where the provider or the client can never work
 * @example const ended = await requestClientCredentials({ provider, client })
 */
export async function requestClientCredentials({ scopes, ...call }: ClientCredentialsOptions): Promise<TokenOutcome> {
  return exchange(call, [], async ({ server, client, auth, provider, options, reading }) => {
    const { additionalParameters, ...rest } = options
    const scope = toScope(provider, scopes)
    const params = {
      ...additionalParameters,
      ...(scope !== undefined && { scope }),
      ...(provider.audience !== undefined && { audience: provider.audience }),
    }
    const response = await clientCredentialsGrantRequest(server, client, auth, params, rest)
    return processClientCredentialsResponse(server, client, response, reading)
  })
}
