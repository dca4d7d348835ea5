import type { IntegrationConfig } from '@sluice/sdk/integration'
import type { OpenedAuth } from './connections.ts'

const mask = '[redacted]'
/** Shorter texts stand everywhere, and hide nothing. */
const shortest = 4

/**
 * A result with the secrets of a connection taken out, wherever a handler has put them: in its data, in the address of an error.
 * Secret is what its field says (`format: password`), or what its name says.
 */
export function withoutSecrets<Value>(value: Value, { credentials }: OpenedAuth, { auth }: IntegrationConfig): Value {
  const fields = [auth?.fields, ...(auth?.methods ?? []).map((method) => method.fields)]
  const secrets = textsOf(credentials).flatMap(([name, secret]) =>
    secret.length >= shortest && isSecret(name, fields) ? spellings(secret) : [],
  )
  const { username, password } = credentials
  if (typeof username === 'string' && typeof password === 'string') secrets.push(base64(`${username}:${password}`))
  // The longest first: one may be the beginning of another.
  const longestFirst = secrets.toSorted((left, right) => right.length - left.length)
  return secrets.length === 0 ? value : (maskIn(value, longestFirst) as Value) // with other texts in the same places
}

/** With their names, however deep: a provider may put tokens of others into an answer of its own. */
function textsOf(credentials: object): [name: string, text: string][] {
  return Object.entries(credentials).flatMap(([name, value]: [string, unknown]) => {
    if (typeof value === 'string') return [[name, value]]
    return typeof value === 'object' && value !== null ? textsOf(value) : []
  })
}

function maskIn(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string') return secrets.reduce((text, secret) => text.replaceAll(secret, mask), value)
  if (Array.isArray(value)) return value.map((item: unknown) => maskIn(item, secrets))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [maskIn(name, secrets), maskIn(item, secrets)]))
}

/** @param fields JSON Schemas of the credentials */
export function isSecret(name: string, fields: readonly (Readonly<Record<string, unknown>> | undefined)[]): boolean {
  const isPassword = fields.some((schema) => {
    const properties = schema?.['properties'] as Record<string, { format?: unknown }> | undefined // a schema, checked at load
    return properties?.[name]?.format === 'password'
  })
  return isPassword || /key|token|secret|passw|pass_?phrase|credential|signature|private/i.test(name)
}

/** As it is, in JSON inside of a text, in an address, and in Basic authentication on its own or as a password of nobody. */
function spellings(secret: string): string[] {
  const escaped = JSON.stringify(secret).slice(1, -1)
  return [
    ...new Set([
      secret,
      escaped,
      encodeURIComponent(secret),
      base64(secret),
      base64(`${secret}:`),
      base64(`:${secret}`),
    ]),
  ]
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')
