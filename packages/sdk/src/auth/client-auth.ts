import { importJWK, importPKCS8 } from 'jose'
import { ClientSecretPost, None, PrivateKeyJwt, modifyAssertion, type ClientAuth, type CryptoKey } from 'oauth4webapi'
import { ConfigurationError } from '../integration/error.ts'
import type { OAuth2Client, OAuth2Provider, SigningKey } from './provider.ts'

/** @throws ConfigurationError where the client has not what the provider wants of it */
export async function toClientAuth(provider: OAuth2Provider, client: OAuth2Client): Promise<ClientAuth> {
  const { clientAuth = 'client_secret_basic' } = provider
  if (clientAuth === 'none') return None()
  if (clientAuth === 'private_key_jwt') {
    const key = await toKey(requireKey(client))
    const kid = client.privateKey?.kid
    const audience = toAssertionAudience(provider)
    return PrivateKeyJwt(kid === undefined ? key : { key, kid }, {
      [modifyAssertion]: (_, payload) => void (payload['aud'] = audience),
    })
  }
  const secret = client.clientSecret
  if (!secret) throw new ConfigurationError(`client "${client.clientId}" has no secret; ${clientAuth} needs one`)
  return clientAuth === 'client_secret_post' ? ClientSecretPost(secret) : toBasic(secret)
}

/**
 * HTTP Basic with form-encoding, which leaves letters, digits and `-._` alone. The library's own encodes those too, and providers
 * that never decode would not know a client by its UUID.
 */
function toBasic(secret: string): ClientAuth {
  const encode = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1)
  return (_, client, __, headers) => {
    const pair = `${encode(client.client_id)}:${encode(secret)}`
    headers.set('authorization', `Basic ${Buffer.from(pair).toString('base64')}`)
  }
}

/** Who a signed assertion is for. */
export function toAssertionAudience({ assertionAudience, issuer, tokenUrl = '' }: OAuth2Provider): string {
  return assertionAudience ?? issuer ?? tokenUrl
}

/** @throws ConfigurationError */
export function requireKey({ clientId, privateKey }: OAuth2Client): SigningKey {
  if (privateKey) return privateKey
  throw new ConfigurationError(`client "${clientId}" has no private key; add it as PEM (PKCS #8) or JWK`)
}

/** @throws ConfigurationError for a key that is none; its message holds nothing of it */
export async function toKey({ key, alg = 'RS256' }: SigningKey): Promise<CryptoKey> {
  try {
    const imported = typeof key === 'string' ? await importPKCS8(key, alg) : await importJWK(key, alg)
    if (!(imported instanceof Uint8Array)) return imported
  } catch {
    // Said below, for either.
  }
  throw new ConfigurationError(
    `the private key is no key for ${alg}; write PKCS #8 as PEM (BEGIN PRIVATE KEY) or a JWK`,
  )
}
