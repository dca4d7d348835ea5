import { SignJWT } from 'jose'
import { None, genericTokenEndpointRequest, processGenericTokenEndpointResponse } from 'oauth4webapi'
import { requireKey, toAssertionAudience, toKey } from './client-auth.ts'
import { exchange } from './exchange.ts'
import type { TokenOutcome } from './outcome.ts'
import { toScope, type OAuth2Call } from './provider.ts'

export type JwtBearerOptions = OAuth2Call & {
  /** on whose behalf; default the client's own id */
  readonly subject?: string | undefined
  /** default those of the provider */
  readonly scopes?: readonly string[] | undefined
  /** beside `iss`, `sub`, `aud`, `iat`, `exp` and `scope` */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
}

/** Providers refuse more than an hour, some more than five minutes. */
const assertionSeconds = 300

const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/**
 * A token for a signed statement (RFC 7523 2.1), as service accounts get it. There is no refresh token: ask again. The client is
 * who signs; its `clientId` is the issuer, as a service account's e-mail address.
 *
 * @throws ConfigurationError where the provider or the key can never work
 * @example const ended = await requestJwtBearer({ provider, client: { clientId: email, privateKey: { key: pem } } })
 */
export async function requestJwtBearer(options: JwtBearerOptions): Promise<TokenOutcome> {
  const { client, subject = client.clientId, scopes, claims, nowMs = Date.now } = options
  const { kid, alg = 'RS256' } = requireKey(client)
  const key = await toKey(requireKey(client))
  const provider = { ...options.provider, clientAuth: 'none' as const }
  return exchange(
    { ...options, provider },
    [],
    async ({ server, client: to, provider: found, options: request, reading }) => {
      const scope = toScope(found, scopes)
      const nowSeconds = Math.floor(nowMs() / 1000)
      const assertion = await new SignJWT({ ...claims, ...(scope !== undefined && { scope }) })
        .setProtectedHeader({ alg, typ: 'JWT', ...(kid !== undefined && { kid }) })
        .setIssuer(client.clientId)
        .setSubject(subject)
        .setAudience(toAssertionAudience(found))
        .setIssuedAt(nowSeconds)
        .setExpirationTime(nowSeconds + assertionSeconds)
        .sign(key)
      const { additionalParameters, ...rest } = request
      const params = { ...additionalParameters, assertion }
      const response = await genericTokenEndpointRequest(server, to, None(), grantType, params, rest)
      return processGenericTokenEndpointResponse(server, to, response, reading)
    },
  )
}
