import { exportJWK, generateKeyPair, type JWK } from 'jose'
import type { ClientMetadata, Configuration } from 'oidc-provider'
import type { ClientAuthMethod, OAuth2Client } from '../../auth/provider.ts'
import { accountId, consentPath } from './consent.ts'
import type { OAuthSettings } from './settings.ts'
import { createStorage } from './storage.ts'

const clientId = 'sluice'
const clientSecret = 'secret-of-the-oauth-client'

export async function createKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  return { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'signing' }
}

export function toClient(clientAuth: ClientAuthMethod, key: JWK): OAuth2Client {
  if (clientAuth === 'none') return { clientId }
  return clientAuth === 'private_key_jwt'
    ? { clientId, privateKey: { key, kid: 'signing' } }
    : { clientId, clientSecret }
}

type Made = {
  readonly clientAuth: ClientAuthMethod
  readonly scopes: readonly string[]
  readonly settings: OAuthSettings
  readonly key: JWK
}

export function toConfiguration({ clientAuth, scopes, settings, key }: Made): Configuration {
  return {
    adapter: createStorage(),
    clients: [toMetadata(clientAuth, key)],
    jwks: { keys: [key as SigningJwk] }, // it has a kty, as every key
    cookies: { keys: ['of no importance'] },
    scopes: [...scopes],
    claims: { email: ['email'] },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, email: `${accountId}@example.com` }) }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true, allowedPolicy: async () => true },
    },
    interactions: { url: (_, { uid }) => `${consentPath}${uid}` },
    issueRefreshToken: async () => true,
    rotateRefreshToken: () => settings.rotates,
    clientBasedCORS: () => false,
    renderError: (context, { error, error_description: description }) => {
      context.type = 'text'
      context.body = `${error}: ${description ?? ''}`
    },
    ttl: {
      AccessToken: () => settings.accessSeconds,
      ClientCredentials: () => settings.accessSeconds,
      AuthorizationCode: 600,
      Grant: 86_400,
      IdToken: 3600,
      Interaction: 600,
      RefreshToken: 86_400,
      Session: 86_400,
    },
  }
}

type SigningJwk = NonNullable<Configuration['jwks']>['keys'][number]

function toMetadata(clientAuth: ClientAuthMethod, { kty, n, e, kid, alg, use }: JWK): ClientMetadata {
  const publicKey = { kty, n, e, kid, alg, use } as SigningJwk // the half that others may see
  return {
    client_id: clientId,
    token_endpoint_auth_method: clientAuth,
    application_type: 'native',
    // What is allowed is decided when it is asked for.
    redirect_uris: ['http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token', ...(clientAuth === 'none' ? [] : ['client_credentials'])],
    ...(clientAuth.startsWith('client_secret') && { client_secret: clientSecret }),
    ...(clientAuth === 'private_key_jwt' && { jwks: { keys: [publicKey] } }),
  }
}
