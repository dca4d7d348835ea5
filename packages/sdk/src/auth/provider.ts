import type { Dispatcher } from 'undici'
import type { AuthorizationServer, JWK } from 'oauth4webapi'
import { isPrivateWay } from '../http/host-pattern.ts'
import { ConfigurationError } from '../integration/error.ts'

/** How a client proves who it is at the token endpoint. */
export type ClientAuthMethod = 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'none'

/** What there is to know of somebody who issues tokens. Addresses are https, or plain http on this machine. */
export type OAuth2Provider = {
  /** where the browser goes; needed for the authorization code only */
  readonly authorizationUrl?: string | undefined
  /** where tokens come from; looked up by `issuer` where it is left out */
  readonly tokenUrl?: string | undefined
  readonly revocationUrl?: string | undefined
  /** who says so: checked in callbacks (`iss`) and in id tokens. Without it id tokens are thrown away unread */
  readonly issuer?: string | undefined
  /** asked for by default */
  readonly scopes: readonly string[]
  /** between scopes that are asked for; default a blank */
  readonly scopeSeparator?: string | undefined
  /** default true; false only for providers that refuse the parameters */
  readonly pkce?: boolean | undefined
  /** default `client_secret_basic` */
  readonly clientAuth?: ClientAuthMethod | undefined
  /** added to the address in the browser, as `{ access_type: 'offline' }` */
  readonly authorizationParams?: Readonly<Record<string, string>> | undefined
  /** added to every token request */
  readonly tokenParams?: Readonly<Record<string, string>> | undefined
  /** the API that tokens are for, sent as `audience` by those who ask for it */
  readonly audience?: string | undefined
  /** `aud` of what is signed with a private key; default the issuer, or the token endpoint where there is none */
  readonly assertionAudience?: string | undefined
}

/** A private key: PKCS #8 as PEM, or a JWK. */
export type SigningKey = {
  readonly key: string | JWK
  /** which of the keys it is, for who checks */
  readonly kid?: string | undefined
  /** default RS256 */
  readonly alg?: string | undefined
}

/** Who asks for tokens: registered with the provider beforehand. */
export type OAuth2Client = {
  readonly clientId: string
  readonly clientSecret?: string | undefined
  /** for `private_key_jwt` and JWT bearer */
  readonly privateKey?: SigningKey | undefined
}

/** How the requests are made. */
export type OAuth2Way = {
  /** the guarded way out, as `createOutbound` makes it; where left out, any address is reached */
  readonly dispatcher?: Dispatcher | undefined
  /** for one request, in ms, above 0; default 30,000 */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** default Date.now */
  readonly nowMs?: (() => number) | undefined
}

/** What every request for tokens is made of. */
export type OAuth2Call = OAuth2Way & { readonly provider: OAuth2Provider; readonly client: OAuth2Client }

/**
 * The provider as oauth4webapi wants it.
 *
 * @throws ConfigurationError for an address that is missing, that is none, or that others could read along
 */
export function toServer(provider: OAuth2Provider): AuthorizationServer & { token_endpoint: string } {
  const { tokenUrl, authorizationUrl, revocationUrl, issuer } = provider
  const token = requireEndpoint('tokenUrl', tokenUrl)
  return {
    // Without an issuer nothing is compared with it.
    issuer: issuer ?? new URL(token).origin,
    token_endpoint: token,
    // They come from the token endpoint itself, over TLS: what they claim is checked, not who signed.
    id_token_signing_alg_values_supported: [
      'RS256',
      'RS384',
      'RS512',
      'PS256',
      'PS384',
      'PS512',
      'ES256',
      'ES384',
      'ES512',
      'EdDSA',
      'Ed25519',
    ],
    ...(authorizationUrl !== undefined && {
      authorization_endpoint: requireEndpoint('authorizationUrl', authorizationUrl),
    }),
    ...(revocationUrl !== undefined && { revocation_endpoint: requireEndpoint('revocationUrl', revocationUrl) }),
  }
}

/** @throws ConfigurationError */
export function requireEndpoint(name: string, address: string | undefined): string {
  if (address === undefined) throw new ConfigurationError(`the OAuth2 provider has no ${name}; add it`)
  if (isEndpoint(address)) return address
  throw new ConfigurationError(
    `${name} of the OAuth2 provider is ${JSON.stringify(address)}; write an https address without user and fragment`,
  )
}

/** Whether secrets may go there: https, or plain http on this machine, without a user and without a fragment. */
export function isEndpoint(address: unknown): address is string {
  const url = typeof address === 'string' ? URL.parse(address) : null
  return (
    url !== null && /^https?:$/.test(url.protocol) && isPrivateWay(url) && !url.username && !url.password && !url.hash
  )
}

/** Scopes in one text, as the provider wants them; undefined for none. */
export function toScope({ scopes, scopeSeparator = ' ' }: OAuth2Provider, wanted = scopes): string | undefined {
  return wanted.length === 0 ? undefined : wanted.join(scopeSeparator)
}
