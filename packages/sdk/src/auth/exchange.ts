import {
  allowInsecureRequests,
  clockSkew,
  clockTolerance,
  customFetch,
  type AuthorizationServer,
  type Client,
  type ClientAuth,
  type TokenEndpointResponse,
} from 'oauth4webapi'
import { recognizedTokenTypes, toConformResponse } from './answer.ts'
import { toClientAuth } from './client-auth.ts'
import { discoverProvider } from './discover.ts'
import { toFailure, type Failed, type TokenOutcome } from './outcome.ts'
import { toServer, type OAuth2Call, type OAuth2Provider } from './provider.ts'
import { createSender, type Send } from './send.ts'
import { toTokenSet } from './token-set.ts'

/** How far the provider's clock may be from ours, in seconds, either way. */
const clockToleranceSeconds = 60

/** What a grant is asked for with. */
export type Exchange = {
  readonly server: AuthorizationServer
  readonly client: Client
  readonly auth: ClientAuth
  readonly provider: OAuth2Provider
  /** for the request */
  readonly options: {
    readonly [customFetch]: Send
    readonly [allowInsecureRequests]: boolean
    readonly additionalParameters: Record<string, string>
  }
  /** for what is made of the answer */
  readonly reading: { readonly recognizedTokenTypes: typeof recognizedTokenTypes }
}

/**
 * Makes one request for tokens, and says how it ended.
 *
 * @param secrets that no message may hold, beside those of the client
 * @throws ConfigurationError where the provider or the client can never work
 */
export async function exchange(
  call: OAuth2Call,
  secrets: readonly (string | undefined)[],
  grant: (exchange: Exchange) => Promise<TokenEndpointResponse>,
): Promise<TokenOutcome> {
  const atMs = (call.nowMs ?? Date.now)()
  const answered = await attempt(call, secrets, grant)
  if (answered.outcome !== 'done') return answered
  return { outcome: 'granted', tokens: toTokenSet(answered.value, atMs) }
}

type Attempted<Value> = { readonly outcome: 'done'; readonly value: Value } | Failed

export async function attempt<Value>(
  call: OAuth2Call,
  secrets: readonly (string | undefined)[],
  run: (exchange: Exchange) => Promise<Value>,
): Promise<Attempted<Value>> {
  const found = await discoverProvider(call.provider, call)
  if ('outcome' in found) return found
  // An id token that no issuer can be held against proves nothing.
  const sender = createSender(call, (answer) => toConformResponse(answer, found.issuer !== undefined))
  const prepared = await prepare({ ...call, provider: found }, sender.fetch)
  try {
    return { outcome: 'done', value: await run(prepared) }
  } catch (error) {
    return withoutSecrets(toFailure(error, sender.trace()), [call.client.clientSecret, ...secrets])
  }
}

async function prepare({ provider, client, nowMs }: OAuth2Call, send: Send): Promise<Exchange> {
  const server = toServer(provider)
  const skewMs = nowMs ? nowMs() - Date.now() : 0
  return {
    server,
    client: {
      client_id: client.clientId,
      [clockSkew]: Math.round(skewMs / 1000),
      [clockTolerance]: clockToleranceSeconds,
    },
    auth: await toClientAuth(provider, client),
    provider,
    options: {
      [customFetch]: send,
      // toServer has let plain http through for this machine only.
      [allowInsecureRequests]: true,
      additionalParameters: { ...provider.tokenParams },
    },
    reading: { recognizedTokenTypes },
  }
}

const longestReason = 300
/** Shorter texts stand everywhere, and hide nothing. */
const shortestSecret = 4

/** Providers repeat in their messages what they were sent; what is signed is known by its form. */
function withoutSecrets(failure: Failed, secrets: readonly (string | undefined)[]): Failed {
  const hidden = secrets.flatMap((secret = '') =>
    secret.length >= shortestSecret ? [secret, encodeURIComponent(secret)] : [],
  )
  const clean = (text: string): string =>
    hidden
      .reduce((left, secret) => left.replaceAll(secret, '…'), text)
      .replaceAll(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '…')
      .slice(0, longestReason)
  const reason = clean(failure.reason)
  return failure.outcome === 'refused' ? { ...failure, reason, error: clean(failure.error) } : { ...failure, reason }
}
