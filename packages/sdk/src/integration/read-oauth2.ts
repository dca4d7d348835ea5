import type { ClientAuthMethod, OAuth2Provider } from '../auth/provider.ts'
import { isEndpoint } from '../auth/provider.ts'
import { findProvider, providerNames } from '../auth/providers.ts'
import type { OAuth2Flow, OAuth2Method } from './auth-methods.ts'
import { isObject, toPointer, type JsonObject, type Reporter } from './report.ts'

const flows: readonly string[] = ['authorization_code', 'client_credentials', 'jwt_bearer'] satisfies OAuth2Flow[]
const clientAuths: readonly string[] = [
  ...(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'] satisfies ClientAuthMethod[]),
]

/** Each member of `oauth2`: what it is called elsewhere, and what it must be. */
const members: Readonly<Record<string, readonly [name: keyof OAuth2Provider | 'flow', rule: Rule]>> = {
  flow: ['flow', { of: (value) => flows.includes(String(value)), form: `one of ${flows.join(', ')}` }],
  authorization_url: ['authorizationUrl', { of: isEndpoint, form: 'an https address' }],
  token_url: ['tokenUrl', { of: isEndpoint, form: 'an https address' }],
  revocation_url: ['revocationUrl', { of: isEndpoint, form: 'an https address' }],
  issuer: ['issuer', { of: isEndpoint, form: 'an https address' }],
  scope_separator: ['scopeSeparator', { of: isText, form: 'a text, as ","' }],
  pkce: ['pkce', { of: (value) => typeof value === 'boolean', form: 'true or false' }],
  client_auth: [
    'clientAuth',
    { of: (value) => clientAuths.includes(String(value)), form: `one of ${clientAuths.join(', ')}` },
  ],
  authorization_params: ['authorizationParams', { of: isTexts, form: 'an object of texts' }],
  token_params: ['tokenParams', { of: isTexts, form: 'an object of texts' }],
  audience: ['audience', { of: isText, form: 'a text' }],
  assertion_audience: ['assertionAudience', { of: isText, form: 'a text' }],
}

type Rule = { readonly of: (value: unknown) => boolean; readonly form: string }

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function isTexts(value: unknown): boolean {
  return isObject(value) && Object.values(value).every((one) => typeof one === 'string')
}

type Of = { readonly type: string; readonly scopes: readonly string[]; readonly at: string }

/** The tokens of a method: what its provider is known for, and what `oauth2` says instead. */
export function readOAuth2(value: JsonObject, { type, scopes, at }: Of, reporter: Reporter): OAuth2Method {
  const own = readMembers(value['oauth2'], `${at}/oauth2`, reporter)
  const { flow = 'authorization_code', ...described } = own
  const name = value['provider']
  const known = typeof name === 'string' ? findProvider(name) : undefined
  const isForced = type === 'oauth2_pkce' || value['use_pkce'] === true
  const provider: OAuth2Provider = { ...known, ...described, ...(isForced && { pkce: true }), scopes }
  if (isWhole(provider, flow)) return { flow, provider }
  // The format of old only names its providers: tokens of theirs may come from elsewhere.
  if (type !== 'oauth2' && value['oauth2'] === undefined) return { flow, provider: undefined }
  const lacks = provider.tokenUrl === undefined ? 'token_url' : 'authorization_url'
  const unknown = typeof name === 'string' && !known ? `; "${name}" is none of ${providerNames.join(', ')}` : ''
  reporter.error(`${at}/oauth2/${lacks}`, `is missing; write it, or an issuer that publishes it${unknown}`)
  return { flow, provider: undefined }
}

function isWhole({ tokenUrl, authorizationUrl, issuer }: OAuth2Provider, flow: OAuth2Flow): boolean {
  if (tokenUrl === undefined) return issuer !== undefined
  return flow !== 'authorization_code' || authorizationUrl !== undefined
}

type Described = Partial<Omit<OAuth2Provider, 'scopes'>> & { readonly flow?: OAuth2Flow }

function readMembers(value: unknown, at: string, reporter: Reporter): Described {
  if (value === undefined) return {}
  if (!isObject(value)) {
    reporter.error(at, 'must be an object')
    return {}
  }
  const read = Object.entries(value).flatMap(([member, given]) => {
    const [name, rule] = Object.hasOwn(members, member) ? (members[member] ?? []) : []
    if (!rule) reporter.error(at + toPointer(member), `is not known; there are ${Object.keys(members).join(', ')}`)
    else if (!rule.of(given)) reporter.error(at + toPointer(member), `must be ${rule.form}`)
    else return [[name, given]]
    return []
  })
  return Object.fromEntries(read) as Described // each was just checked
}
