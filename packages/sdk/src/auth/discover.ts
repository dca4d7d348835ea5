import { allowInsecureRequests, customFetch, discoveryRequest, processDiscoveryResponse } from 'oauth4webapi'
import { toPlainResponse } from './answer.ts'
import type { Unsent } from './outcome.ts'
import { requireEndpoint, type OAuth2Provider, type OAuth2Way } from './provider.ts'
import { createSender } from './send.ts'

/**
 * The provider with the addresses that its issuer publishes, where it names an issuer and no token endpoint. What it names
 * itself stays. Ask once and keep the answer, to save a request each time.
 *
 * @returns `unsent` where the issuer cannot be asked, or says it is another
 * @throws ConfigurationError for an issuer that is no https address
 * @example const provider = await discoverProvider({ issuer: 'https://accounts.google.com', scopes: ['openid'] })
 */
export async function discoverProvider(
  provider: OAuth2Provider,
  way: OAuth2Way = {},
): Promise<OAuth2Provider | Unsent> {
  const { issuer, tokenUrl } = provider
  if (tokenUrl !== undefined || issuer === undefined) return provider
  const url = new URL(requireEndpoint('issuer', issuer))
  let reason = ''
  for (const algorithm of ['oidc', 'oauth2'] as const) {
    const { fetch: send } = createSender(way, toPlainResponse)
    try {
      const options = { algorithm, [customFetch]: send, [allowInsecureRequests]: true }
      const found = await processDiscoveryResponse(url, await discoveryRequest(url, options))
      return {
        authorizationUrl: found.authorization_endpoint,
        revocationUrl: found.revocation_endpoint,
        ...provider,
        tokenUrl: found.token_endpoint,
      }
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error)
    }
  }
  return { outcome: 'unsent', reason: `the addresses of ${issuer} could not be learned: ${reason}` }
}
