import type { OAuth2Provider } from '../auth/provider.ts'
import type { IntegrationConfig } from './config.ts'
import { isObject, type JsonObject } from './report.ts'
import { toCheck } from './schema.ts'

export type OAuth2Flow = 'authorization_code' | 'client_credentials' | 'jwt_bearer'

/** How tokens are come by. */
export type OAuth2Method = {
  readonly flow: OAuth2Flow
  /** undefined where the configuration names one that is not known here: its tokens must be brought */
  readonly provider: OAuth2Provider | undefined
}

/** Where a key goes in a request. */
export type KeyPlace = { readonly in: 'header' | 'query'; readonly name: string; readonly prefix: string }

/** One way to show who is asking. */
export type AuthMethod = {
  /** its name among `methods`; `default` where it is the only one */
  readonly id: string
  readonly type: 'none' | 'custom' | 'api_key' | 'bearer' | 'basic' | 'oauth2'
  readonly title?: string
  readonly help_text?: string
  /** JSON Schema of what a person fills in; undefined for nothing, as it mostly is with OAuth2 */
  readonly fields?: JsonObject
  /** of api_key */
  readonly place?: KeyPlace
  /** of oauth2 */
  readonly oauth2?: OAuth2Method
}

/** The methods of an integration, in the order of its configuration; none where it is public. */
export const authMethods = ({ auth }: Pick<IntegrationConfig, 'auth'>): readonly AuthMethod[] => auth?.methods ?? []

type Chosen = { readonly method: AuthMethod } | { readonly fault: string }

/**
 * The method that credentials are for: the one that is named, or else the first that they fit.
 *
 * @returns what is wrong with them, without their values, where there is none
 * @example chooseAuthMethod(authMethods(config), { access_token: 't' }, 'oauth')
 */
export function chooseAuthMethod(methods: readonly AuthMethod[], credentials: unknown, id?: string): Chosen {
  if (id !== undefined) {
    const named = methods.find((method) => method.id === id)
    if (!named) return { fault: `there is no method "${id}"; there is ${methods.map((one) => one.id).join(', ')}` }
    return judge(named, credentials)
  }
  const judged = methods.map((method) => ({ id: method.id, ...judge(method, credentials) }))
  const [first] = judged
  const fitting = judged.length > 1 ? judged.find((one) => 'method' in one) : first
  if (fitting) return fitting
  return { fault: judged.map((one) => `${one.id}: ${'fault' in one ? one.fault : ''}`).join('; or ') }
}

function judge(method: AuthMethod, credentials: unknown): Chosen {
  const fault = method.fields && toCheck(method.fields)(credentials)
  if (fault !== undefined) return { fault }
  const isWithoutToken = method.id !== 'default' && method.type === 'oauth2' && !hasToken(credentials)
  return isWithoutToken ? { fault: "must have required property 'access_token'" } : { method }
}

const hasToken = (credentials: unknown): boolean =>
  isObject(credentials) && typeof credentials['access_token'] === 'string'

const wireTypes: Readonly<Record<AuthMethod['type'], string>> = {
  none: 'Custom',
  custom: 'Custom',
  api_key: 'ApiKey',
  bearer: 'ApiKey',
  basic: 'Basic',
  oauth2: 'PlatformOauth2',
}

/** The `auth_type` under which handlers get credentials of a method. */
export const toWireType = (method: AuthMethod | undefined): string => wireTypes[method?.type ?? 'custom']
