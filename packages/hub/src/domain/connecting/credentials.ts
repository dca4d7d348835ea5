import { HubError, toValidationError, type PutConnection } from '@sluice/protocol'
import { renewTokens, toOAuth2Client, type OAuth2Client, type TokenOutcome, type TokenSet } from '@sluice/sdk/auth'
import type { AuthMethod } from '@sluice/sdk/integration'
import type { Installed } from '../../runner/installed.ts'
import type { Context } from '../context.ts'
import {
  checkForm,
  formOf,
  isBrowserMethod,
  isTokenMethod,
  methodsOf,
  propertiesOf,
  type Fields,
  type TokenMethod,
} from './methods.ts'
import { openOAuthClient } from './oauth-clients.ts'
import type { Granted } from './tokens.ts'

/** What a connection is made of: nothing, what somebody filled in, or what a provider gave. */
export type Secret =
  | { readonly kind: 'none' }
  | { readonly kind: 'form'; readonly method: string; readonly credentials: Fields }
  | {
      readonly kind: 'granted'
      readonly method: string
      readonly granted: Granted
      /** whether it takes a refresh token to get others */
      readonly usesUp: boolean
    }

type Wanted = Pick<PutConnection, 'credentials' | 'method'>

/**
 * What to make a connection of, by the method that was chosen: a form filled in, tokens got elsewhere, or those that the
 * connection's own client gets.
 *
 * @throws HubError `validation-error` naming what is wrong with the credentials, never their values; `conflict` and
 * `provider-unavailable` where the provider gave nothing
 */
export async function toSecret(context: Context, installed: Installed, wanted: Wanted): Promise<Secret> {
  const methods = methodsOf(installed)
  const { credentials } = wanted
  if (methods.length === 0) {
    if (credentials === undefined) return { kind: 'none' }
    throw refuse('/credentials', `integration "${installed.name}" takes none`)
  }
  const method = chooseMethod(methods, wanted)
  if (credentials?.['access_token'] !== undefined && isTokenMethod(method))
    return toBrought(context, method, credentials)
  if (!isBrowserMethod(method)) {
    if (credentials === undefined) throw refuse('/credentials', 'is missing')
    return fillIn(context, method, credentials)
  }
  throw refuse(
    '/credentials',
    'must be tokens that were got elsewhere; POST /v1/connections/{connection}/connect gives an address at which a person connects it',
  )
}

const refuse = (pointer: string, detail: string): HubError => toValidationError([{ pointer, detail }])

/** The one that is named; else the first that fits what was given. */
function chooseMethod(methods: readonly AuthMethod[], { method: id, credentials = {} }: Wanted): AuthMethod {
  const [first] = methods
  const found = id === undefined ? methods.find((one) => fits(one, credentials)) : methods.find((one) => one.id === id)
  if (found) return found
  if (id === undefined && first && methods.length === 1) return first
  const ids = methods.map((one) => one.id).join(', ')
  throw refuse('/method', id === undefined ? `is missing, and the credentials fit none of ${ids}` : `is none of ${ids}`)
}

function fits(method: AuthMethod, credentials: Fields): boolean {
  if (isTokenMethod(method) && credentials['access_token'] !== undefined) return true
  if (isBrowserMethod(method)) return false
  try {
    checkForm(formOf(method), credentials)
    return true
  } catch {
    return false
  }
}

/** For a method without a browser. @throws HubError as `toSecret` */
export async function fillIn(context: Context, method: AuthMethod, fields: Fields): Promise<Secret> {
  checkForm(formOf(method), fields)
  if (!isTokenMethod(method)) return { kind: 'form', method: method.id, credentials: fields }
  const client = toOAuth2Client(fields)
  const tokens = requireGranted(await askForTokens(context, { method, client, granted: { fields } }))
  return { kind: 'granted', method: method.id, granted: { tokens, fields }, usesUp: false }
}

type Asking = {
  readonly method: TokenMethod
  readonly client: OAuth2Client
  readonly granted: { readonly fields: Fields; readonly tokens?: TokenSet }
}

/** Asks the provider once. */
export function askForTokens(
  { store, outbound }: Pick<Context, 'store' | 'outbound'>,
  { method, client, granted: { fields, tokens } }: Asking,
): Promise<TokenOutcome> {
  const { subject } = fields
  return renewTokens({
    ...method.oauth2,
    client,
    tokens,
    ...(typeof subject === 'string' && { subject }),
    dispatcher: outbound.dispatcher,
    nowMs: () => store.nowMs(),
  })
}

/** The connection's own client, or that of the workspace for what people agree to. */
export async function findClient(
  context: Pick<Context, 'store' | 'sealing'>,
  { workspaceId, integration }: { readonly workspaceId: number; readonly integration: string },
  { method, fields }: { readonly method: TokenMethod; readonly fields: Fields },
): Promise<OAuth2Client> {
  return isBrowserMethod(method) ? openOAuthClient(context, workspaceId, integration) : toOAuth2Client(fields)
}

/** An answer of a token endpoint, as another system has kept it, beside what the method wants filled in. */
function toBrought({ store }: Context, method: TokenMethod, given: Fields): Secret {
  const nowMs = store.nowMs()
  const own = propertiesOf(formOf(method))
  const entries = Object.entries(given)
  const fields = Object.fromEntries(entries.filter(([name]) => Object.hasOwn(own, name)))
  checkForm(formOf(method), fields)
  const told = Object.fromEntries(entries.filter(([name]) => !Object.hasOwn(own, name)))
  const granted = { fields, tokens: toTokens(told, nowMs) }
  return { kind: 'granted', method: method.id, granted, usesUp: isBrowserMethod(method) }
}

function toTokens(told: Fields, nowMs: number): TokenSet {
  const { access_token: token, token_type: type, expires_in: seconds, refresh_token: refresh, ...rest } = told
  const { expires_at: _, obtained_at: __, ...others } = rest
  if (typeof token !== 'string' || token === '') throw refuse('/credentials/access_token', 'must be a text')
  const isTime = typeof seconds === 'number' && seconds >= 0 && seconds < 1e9
  if (seconds !== undefined && !isTime) throw refuse('/credentials/expires_in', 'must be a number of seconds')
  if (refresh !== undefined && typeof refresh !== 'string') throw refuse('/credentials/refresh_token', 'must be a text')
  return {
    ...others,
    access_token: token,
    token_type: typeof type === 'string' ? type.toLowerCase() : 'bearer',
    obtained_at: nowMs,
    ...(refresh !== undefined && { refresh_token: refresh }),
    ...(isTime && { expires_at: nowMs + Math.round(seconds * 1000) }),
  }
}

function requireGranted(ended: TokenOutcome): TokenSet {
  if (ended.outcome === 'granted') return ended.tokens
  if (ended.outcome === 'refused' || ended.outcome === 'untrusted')
    throw new HubError('conflict', `the provider gave no token: ${ended.reason}`)
  throw new HubError('provider-unavailable', `the provider could not be asked: ${ended.reason}`)
}
