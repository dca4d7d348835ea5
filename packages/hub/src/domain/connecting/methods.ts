import { HubError, toValidationError } from '@sluice/protocol'
import type { OAuth2Provider } from '@sluice/sdk/auth'
import { authMethods, findFaults, type AuthMethod, type OAuth2Flow } from '@sluice/sdk/integration'
import type { Installed } from '../../runner/installed.ts'
import type { ConnectionRow } from '../../store/connections.ts'

/** A method whose tokens the hub gets, and gets anew. */
export type TokenMethod = AuthMethod & {
  readonly oauth2: { readonly flow: OAuth2Flow; readonly provider: OAuth2Provider }
}

export type Fields = Readonly<Record<string, unknown>>

/** The ways to connect an account, as the configuration orders them. */
export const methodsOf = ({ config }: Installed): readonly AuthMethod[] =>
  authMethods(config).filter(({ type }) => type !== 'none')

export const isTokenMethod = (method: AuthMethod | undefined): method is TokenMethod =>
  method?.oauth2?.provider !== undefined

/** Whether a person has to agree at the provider. */
export const isBrowserMethod = (method: AuthMethod): method is TokenMethod =>
  isTokenMethod(method) && method.oauth2.flow === 'authorization_code'

/** By which of its methods a connection was made; undefined for one without, or older than methods. */
export function findMethod(
  installed: Installed,
  { key, method }: Pick<ConnectionRow, 'key' | 'method'>,
): AuthMethod | undefined {
  if (method === null) return undefined
  const found = authMethods(installed.config).find(({ id }) => id === method)
  if (found) return found
  throw new HubError(
    'conflict',
    `connection "${key}" was connected by "${method}", which integration "${installed.name}" has no more; connect it again`,
  )
}

const tokenForm = {
  type: 'object',
  required: ['access_token'],
  properties: { access_token: { type: 'string', minLength: 1, format: 'password', label: 'Access token' } },
}

const nothing = { type: 'object', properties: {} }

/** JSON Schema of what a person fills in. */
export function formOf(method: AuthMethod): Fields {
  if (method.fields) return method.fields
  return method.type === 'oauth2' && !isTokenMethod(method) ? tokenForm : nothing
}

export const propertiesOf = (form: Fields): Readonly<Record<string, Fields>> =>
  (form['properties'] ?? {}) as Record<string, Fields> // a schema, checked at load

/** @throws HubError `validation-error` naming each fault, never a value */
export function checkForm(form: Fields, values: Fields): void {
  const faults = findFaults(form, values)
  if (faults.length === 0) return
  throw toValidationError(faults.map(({ pointer, detail }) => ({ pointer: `/credentials${pointer}`, detail })))
}
