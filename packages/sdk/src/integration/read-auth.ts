import type { AuthConfig } from './config.ts'
import type { AuthMethod, KeyPlace } from './auth-methods.ts'
import { readOptionalTexts, readText } from './members.ts'
import { readOAuth2 } from './read-oauth2.ts'
import { isObject, toPointer, type JsonObject, type Reporter } from './report.ts'
import { readSchema } from './schema.ts'

/** The types of `auth`, and of each of its methods. */
export const authTypes: readonly string[] = [
  'none',
  'api_key',
  'bearer',
  'basic',
  'custom',
  'oauth2',
  'platform',
  'oauth2_pkce',
]

/** Of an integration whose account may be shown in several ways. */
const choice = 'choice'

export function readAuth(value: unknown, reporter: Reporter): { auth?: AuthConfig } {
  if (value === undefined || value === null) return {}
  if (!isObject(value)) {
    reporter.error('/auth', 'must be an object')
    return {}
  }
  if (value['methods'] !== undefined || value['type'] === choice) return readChoice(value, reporter)
  const auth = readMethod('default', value, '/auth', reporter)
  return auth ? { auth } : {}
}

function readChoice(value: JsonObject, reporter: Reporter): { auth?: AuthConfig } {
  const { methods } = value
  if (value['type'] !== undefined && value['type'] !== choice)
    reporter.error('/auth/type', 'must be left out: each of the methods has its own')
  if (!isObject(methods) || Object.keys(methods).length === 0) {
    reporter.error('/auth/methods', 'must be an object with a member for each method')
    return {}
  }
  const read = Object.entries(methods).flatMap(([id, method]) => {
    const at = `/auth/methods${toPointer(id)}`
    if (!/^[a-z][a-z0-9_-]{0,63}$/.test(id) || id === 'default')
      reporter.error(at, 'must be named in lower case with - or _, and not default')
    if (isObject(method)) return readMethod(id, method, at, reporter)?.methods ?? []
    reporter.error(at, 'must be an object')
    return []
  })
  return {
    auth: { type: choice, ...readOptionalTexts(value, ['title'], '/auth', reporter), methods: read, source: value },
  }
}

/** One method as if it were alone. */
function readMethod(id: string, value: JsonObject, at: string, reporter: Reporter): AuthConfig | undefined {
  // Early files name the type differently.
  const type = value['type'] ?? value['auth_type']
  if (typeof type !== 'string') {
    reporter.error(`${at}/type`, `is missing; it is one of ${authTypes.join(', ')}`)
    return undefined
  }
  // Alone it may be one of a format to come; a choice is our own.
  if (id !== 'default' && !authTypes.includes(type))
    reporter.error(`${at}/type`, `"${type}" is none of ${authTypes.join(', ')}`)
  if (type === 'platform') readText(value, 'provider', reporter, at)
  const texts = readOptionalTexts(value, ['provider', 'title', 'help_text', 'identifier'], at, reporter)
  const { provider, title, help_text: help, identifier } = texts
  const scopes = readScopes(value['scopes'], `${at}/scopes`, reporter)
  const isOAuth2 = oauth2Types.has(type)
  if (!isOAuth2 && value['oauth2'] !== undefined) reporter.error(`${at}/oauth2`, `does not go with type "${type}"`)
  const oauth2 = isOAuth2 ? readOAuth2(value, { type, scopes: scopes ?? [], at }, reporter) : undefined
  const fields = readFields(value, { type, at, flow: oauth2?.flow }, reporter)
  const texted = { ...(title !== undefined && { title }), ...(help !== undefined && { help_text: help }) }
  const method: AuthMethod = {
    id,
    type: isOAuth2 ? 'oauth2' : (ownTypes.get(type) ?? 'custom'),
    ...texted,
    ...(fields && { fields }),
    ...(type === 'api_key' && { place: readPlace(value, at, reporter) }),
    ...(oauth2 && { oauth2 }),
  }
  return {
    type,
    ...texted,
    methods: [method],
    source: value,
    ...(provider !== undefined && { provider }),
    ...(identifier !== undefined && { identifier }),
    ...(scopes && { scopes }),
    ...(typeof value['use_pkce'] === 'boolean' && { use_pkce: value['use_pkce'] }),
    ...(fields && { fields }),
  }
}

const oauth2Types: ReadonlySet<string> = new Set(['oauth2', 'platform', 'oauth2_pkce'])
const ownTypes: ReadonlyMap<string, AuthMethod['type']> = new Map(
  (['none', 'api_key', 'bearer', 'basic'] as const).map((type) => [type, type]),
)

function readPlace(value: JsonObject, at: string, reporter: Reporter): KeyPlace {
  const { in: place = 'header', prefix = '' } = value
  if (place !== 'header' && place !== 'query') reporter.error(`${at}/in`, 'must be "header" or "query"')
  if (typeof prefix !== 'string' || !/^[ -~]*$/.test(prefix))
    reporter.error(`${at}/prefix`, 'must be a text in ASCII, as "Token "')
  const name = readText(value, 'name', reporter, at)
  if (place === 'header' && name !== '' && !/^[\w!#$%&'*+.^`|~-]+$/.test(name))
    reporter.error(`${at}/name`, `${JSON.stringify(name)} cannot be the name of a header`)
  return { in: place === 'query' ? 'query' : 'header', name, prefix: String(prefix) }
}

type FieldsOf = { readonly type: string; readonly at: string; readonly flow: string | undefined }

/** What a person fills in: what the type brings by itself, and what the configuration adds. */
function readFields(value: JsonObject, { type, at, flow }: FieldsOf, reporter: Reporter): JsonObject | undefined {
  const given = value['fields']
  const own = Object.hasOwn(ownFields, flow ?? type) ? ownFields[flow ?? type] : undefined
  if (given === undefined) {
    if (type === 'custom') reporter.repair(`${at}/fields`, 'is missing; taken as none')
    return type === 'custom' ? { type: 'object', properties: {} } : own
  }
  const read = readSchema(given, `${at}/fields`, reporter)
  if (!read || !own) return read
  const { properties, required } = read
  return {
    ...read,
    required: [...new Set([...own.required, ...(Array.isArray(required) ? required : [])])],
    properties: { ...own.properties, ...(isObject(properties) && properties) },
  }
}

type OwnFields = { readonly type: 'object'; readonly required: readonly string[]; readonly properties: JsonObject }

const text = (label: string): JsonObject => ({ type: 'string', minLength: 1, label })
const secret = (label: string): JsonObject => ({ ...text(label), format: 'password' })

const ownFields: Readonly<Record<string, OwnFields>> = {
  api_key: { type: 'object', required: ['api_key'], properties: { api_key: secret('API key') } },
  bearer: { type: 'object', required: ['token'], properties: { token: secret('Token') } },
  basic: {
    type: 'object',
    required: ['username'],
    properties: {
      username: text('User name'),
      // Some services take a key as the name, and nothing else.
      password: { type: 'string', format: 'password', label: 'Password' },
    },
  },
  client_credentials: {
    type: 'object',
    required: ['client_id', 'client_secret'],
    properties: { client_id: text('Client id'), client_secret: secret('Client secret') },
  },
  jwt_bearer: {
    type: 'object',
    required: ['client_id', 'private_key'],
    properties: {
      client_id: text('Client id, or the e-mail address of the service account'),
      private_key: secret('Private key (PEM, PKCS #8)'),
      private_key_id: text('Id of the key'),
      subject: text('On whose behalf'),
    },
  },
}

function readScopes(value: unknown, at: string, reporter: Reporter): string[] | undefined {
  if (value === undefined) return undefined
  if (Array.isArray(value) && value.every((scope) => typeof scope === 'string')) return value
  if (typeof value === 'string') {
    reporter.repair(at, 'a text was split at blanks and commas')
    return value.split(/[\s,]+/).filter(Boolean)
  }
  reporter.error(at, 'must be a list of texts')
  return undefined
}
