import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import type Provider from 'oidc-provider'
import type { Configuration } from 'oidc-provider'
import type { ClientAuthMethod, OAuth2Client, OAuth2Provider } from '../../auth/provider.ts'
import { accountId, answerForUser, consentPath } from './consent.ts'
import { createTokenFront, type Expected, type TokenRequest, type TokenStep } from './front.ts'
import { rewriteAnswer } from './id-token.ts'
import { defaultSettings, type OAuthSettings } from './settings.ts'
import { createStorage } from './storage.ts'
import { walk } from './walk.ts'

export type OAuthProviderOptions = Partial<OAuthSettings> & {
  /** default `client_secret_basic` */
  readonly clientAuth?: ClientAuthMethod
  /** that it knows, and that are asked for; default openid, email, read, write */
  readonly scopes?: readonly string[]
  /** addresses that a browser may be sent back to; default any on this machine */
  readonly redirectUris?: readonly string[]
}

/** A real OAuth2 and OpenID Connect provider on this machine, that fails as it is told. */
export type OAuthProvider = AsyncDisposable & {
  /** its issuer, as `http://127.0.0.1:40123` */
  readonly url: string
  /** answers `{ sub, email }` to whoever has a token that is good */
  readonly userinfoUrl: string
  /** itself, for `beginAuthorization` and its like */
  readonly provider: OAuth2Provider
  /** the one client that it knows */
  readonly client: OAuth2Client
  /** may be changed at any time */
  readonly settings: OAuthSettings
  /** every request for tokens so far */
  readonly requests: readonly TokenRequest[]
  /** What happens to the next request for tokens that has no step yet. */
  next(step: TokenStep): Expected
  /** Logs in and agrees without a browser. @returns the callback, with code and state, or with an error */
  authorize(url: string): Promise<string>
  /** Makes a refresh token worthless. @throws Error if it knows none like it */
  revoke(refreshToken: string): Promise<void>
  close(): Promise<void>
}

/**
 * Starts one on a free port. It is `oidc-provider`, which must be installed beside the SDK.
 *
 * @throws Error that says what to install
 * @example
 * await using oauth = await startOAuthProvider({ accessSeconds: 60 })
 * oauth.next({ loses: true }) // the next answer never arrives, although the provider has rotated
 */
export async function startOAuthProvider(options: OAuthProviderOptions = {}): Promise<OAuthProvider> {
  const { clientAuth = 'client_secret_basic', scopes = defaultScopes, redirectUris, ...changes } = options
  const settings: OAuthSettings = { ...defaultSettings, ...changes }
  const key = await (signingKey ??= createKey())
  let listener: RequestListener = (_, response) => void response.writeHead(503).end()
  const outer = await listen((incoming, response) => listener(incoming, response))
  const issuer = addressOf(outer)
  const made = await createProvider(issuer, { clientAuth, scopes, settings, key })
  if (redirectUris) made.Client.prototype.redirectUriAllowed = (uri) => redirectUris.includes(uri)
  else made.Client.prototype.redirectUriAllowed = (uri) => /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]/.test(uri)
  const inner = await listen(made.callback())
  const front = createTokenFront({
    inner: () => `${addressOf(inner)}/token`,
    rewrite: (body) => rewriteAnswer(body, settings, key),
  })
  const passes = made.callback()
  listener = (incoming, response) => {
    const path = incoming.url ?? ''
    const served =
      incoming.method === 'POST' && path === '/token'
        ? front.serve(incoming, response)
        : path.startsWith(consentPath)
          ? answerForUser(made, { incoming, response }, settings)
          : passes(incoming, response)
    served.catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500)
      response.end(`the provider failed: ${String(error)}`)
    })
  }
  const close = async (): Promise<void> => {
    await Promise.all([outer, inner].map(stop))
  }
  return {
    url: issuer,
    userinfoUrl: `${issuer}/me`,
    provider: {
      issuer,
      authorizationUrl: `${issuer}/auth`,
      tokenUrl: `${issuer}/token`,
      revocationUrl: `${issuer}/token/revocation`,
      scopes,
      clientAuth,
    },
    client: toClient(clientAuth, key),
    settings,
    requests: front.requests,
    next: front.next,
    authorize: (url) => walk(url, issuer),
    revoke: async (refreshToken) => {
      const found = await made.RefreshToken.find(refreshToken)
      if (!found) throw new Error('there is no such refresh token, or it is used up')
      await found.destroy()
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

const defaultScopes = ['openid', 'email', 'read', 'write']
const clientId = 'sluice'
const clientSecret = 'secret-of-the-oauth-client'

/** It takes long to make, and protects nothing here. */
let signingKey: Promise<JWK> | undefined

async function createKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  return { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'signing' }
}

function toClient(clientAuth: ClientAuthMethod, key: JWK): OAuth2Client {
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

async function createProvider(issuer: string, made: Made): Promise<Provider> {
  const { default: OidcProvider } = await import('oidc-provider').catch((cause: unknown) => {
    throw new Error('startOAuthProvider needs the package oidc-provider: npm install --save-dev oidc-provider', {
      cause,
    })
  })
  return new OidcProvider(issuer, toConfiguration(made))
}

function toConfiguration({ clientAuth, scopes, settings, key }: Made): Configuration {
  const { kty, n, e, kid, alg, use } = key
  const publicKey = { kty, n, e, kid, alg, use }
  return {
    adapter: createStorage(),
    clients: [
      {
        client_id: clientId,
        ...(clientAuth.startsWith('client_secret') && { client_secret: clientSecret }),
        ...(clientAuth === 'private_key_jwt' && { jwks: { keys: [publicKey] } as never }), // its types are those of one key kind
        token_endpoint_auth_method: clientAuth,
        application_type: 'native',
        // What is allowed is decided when it is asked for.
        redirect_uris: ['http://127.0.0.1/callback'],
        grant_types: ['authorization_code', 'refresh_token', ...(clientAuth === 'none' ? [] : ['client_credentials'])],
      },
    ],
    jwks: { keys: [key as never] },
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
    clockTolerance: 60,
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

async function listen(handle: RequestListener): Promise<Server> {
  const server = createServer(handle).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

// It listens on a port, not on a path.
const addressOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

async function stop(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}
