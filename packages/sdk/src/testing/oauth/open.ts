import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type Provider from 'oidc-provider'
import type { Configuration } from 'oidc-provider'
import type { OAuthProvider, OAuthProviderOptions } from '../oauth-provider.ts'
import { createKey, toClient, toConfiguration } from './configuration.ts'
import { answerForUser, consentPath } from './consent.ts'
import { createTokenFront, type TokenFront } from './front.ts'
import { rewriteAnswer } from './id-token.ts'
import { defaultSettings, type OAuthSettings } from './settings.ts'
import { walk } from './walk.ts'

const defaultScopes = ['openid', 'email', 'read', 'write']

/** It takes long to make, and protects nothing here. */
let signingKey: ReturnType<typeof createKey> | undefined

/** As `startOAuthProvider` says. */
export async function openProvider(options: OAuthProviderOptions): Promise<OAuthProvider> {
  const { clientAuth = 'client_secret_basic', scopes = defaultScopes, redirectUris, ...changes } = options
  const settings: OAuthSettings = { ...defaultSettings, ...changes }
  const key = await (signingKey ??= createKey())
  let handle: RequestListener = (_, response) => void response.writeHead(503).end()
  const outer = await listen((incoming, response) => handle(incoming, response))
  const issuer = addressOf(outer)
  const made = await createProvider(issuer, toConfiguration({ clientAuth, scopes, settings, key }))
  const isAllowed = redirectUris ? (uri: string) => redirectUris.includes(uri) : isHere
  made.Client.prototype.redirectUriAllowed = isAllowed
  const inner = await listen(made.callback())
  const innerTokenUrl = `${addressOf(inner)}/token`
  const front = createTokenFront({ innerTokenUrl, rewrite: (body) => rewriteAnswer(body, settings, key) })
  handle = toListener(made, front, settings)
  const close = async (): Promise<void> => void (await Promise.all([outer, inner].map(stop)))
  return {
    ...toAddresses(issuer),
    provider: { issuer, ...toEndpoints(issuer), scopes, clientAuth },
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

const isHere = (uri: string): boolean => /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]/.test(uri)

const toAddresses = (issuer: string) => ({ url: issuer, userinfoUrl: `${issuer}/me` })

const toEndpoints = (issuer: string) => ({
  authorizationUrl: `${issuer}/auth`,
  tokenUrl: `${issuer}/token`,
  revocationUrl: `${issuer}/token/revocation`,
})

async function createProvider(issuer: string, configuration: Configuration): Promise<Provider> {
  const { default: OidcProvider } = await import('oidc-provider').catch((cause: unknown) => {
    throw new Error('startOAuthProvider needs the package oidc-provider: npm install --save-dev oidc-provider', {
      cause,
    })
  })
  return new OidcProvider(issuer, configuration)
}

function toListener(made: Provider, front: TokenFront, settings: OAuthSettings): RequestListener {
  const passes = made.callback()
  return (incoming, response) => {
    const { method, url = '' } = incoming
    let served: Promise<void>
    if (method === 'POST' && url === '/token') served = front.serve(incoming, response)
    else if (url.startsWith(consentPath)) served = answerForUser(made, { incoming, response }, settings)
    else served = passes(incoming, response)
    served.catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500)
      response.end(`the provider failed: ${String(error)}`)
    })
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
