import { SignJWT, decodeJwt, importJWK, type JWK } from 'jose'
import type { JsonObject } from '../../integration/report.ts'
import type { OAuthSettings } from './settings.ts'

/** The answer as the settings want it: its lifetime told otherwise, its id token with other claims, signed again. */
export async function rewriteAnswer(
  body: JsonObject,
  { expiresIn, idTokenClaims, skewSeconds }: OAuthSettings,
  key: JWK,
): Promise<JsonObject> {
  const { expires_in: seconds, id_token: idToken, ...rest } = body
  const told = expiresIn === 'absent' ? {} : { expires_in: expiresIn === 'text' ? String(seconds) : seconds }
  if (typeof idToken !== 'string') return { ...rest, ...told }
  const claims = decodeJwt(idToken)
  const shifted = Object.fromEntries(
    (['iat', 'exp', 'nbf', 'auth_time'] as const).flatMap((name) => {
      const seconds = claims[name]
      return typeof seconds === 'number' ? [[name, seconds + skewSeconds]] : []
    }),
  )
  const signed = await new SignJWT({ ...claims, ...shifted, ...idTokenClaims })
    .setProtectedHeader({ alg: 'RS256', ...(key.kid !== undefined && { kid: key.kid }) })
    .sign(await importJWK(key, 'RS256'))
  return { ...rest, ...told, id_token: signed }
}
