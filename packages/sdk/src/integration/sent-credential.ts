import type { Credential } from '../http/fetch.ts'
import { chooseAuthMethod, toWireType, type AuthMethod } from './auth-methods.ts'
import type { Auth } from './context.ts'

/** What `context.fetch` adds to requests by itself; undefined for custom fields, which handlers send as their service wants them. */
export function toSentCredential(auth: Auth, methods: readonly AuthMethod[]): Credential | undefined {
  const { auth_type: type, credentials } = auth
  const { access_token: token } = credentials
  if (/^(PlatformOauth2|PlatformTeams|oauth2)/i.test(type)) return typeof token === 'string' ? bearer(token) : undefined
  const method = findMethod(auth, methods)
  if (!method) return undefined
  const { api_key: key, token: given, username, password } = credentials
  switch (method.type) {
    case 'bearer':
      return typeof given === 'string' ? bearer(given) : undefined
    case 'basic':
      return typeof username === 'string' ? basic(username, password) : undefined
    case 'api_key':
      return typeof key === 'string' && method.place ? { ...method.place, value: method.place.prefix + key } : undefined
    case 'none':
    case 'custom':
    case 'oauth2':
      return undefined
  }
}

/** Tests give credentials alone; the hub says whose they are. */
function findMethod({ auth_type: type, method: id, credentials }: Auth, methods: readonly AuthMethod[]) {
  if (id !== undefined) return methods.find((method) => method.id === id)
  const alike = type === 'Custom' ? methods : methods.filter((method) => toWireType(method) === type)
  const chosen = chooseAuthMethod(alike, credentials)
  return 'method' in chosen ? chosen.method : undefined
}

const bearer = (token: string): Credential => ({ name: 'Authorization', value: `Bearer ${token}` })

function basic(username: string, password: unknown): Credential {
  const pair = Buffer.from(`${username}:${typeof password === 'string' ? password : ''}`)
  return { name: 'Authorization', value: `Basic ${pair.toString('base64')}` }
}
