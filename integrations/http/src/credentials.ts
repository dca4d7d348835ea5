import { ActionError, type Auth } from '@sluice/sdk/integration'

type Fields = {
  readonly base_url?: string
  readonly token?: string
  readonly username?: string
  readonly password?: string
  readonly header_name?: string
  readonly header_value?: string
}

/** What a connection holds; a field that a form left empty is as one that is not there. */
export function readFields({ credentials }: Auth): Fields {
  // Each is a text by the schema.
  return Object.fromEntries(Object.entries(credentials).filter(([, value]) => value !== '')) as Fields
}

/**
 * The fields of the request that make it somebody's: for the origin of `base_url` only (scheme, host and port), so that an address
 * from an input or a redirect never gets them.
 */
export function toSecretHeaders(fields: Fields, url: URL): Record<string, string> {
  const { base_url: baseUrl, token, username, password, header_name: name, header_value: value } = fields
  if (baseUrl === undefined || URL.parse(baseUrl)?.origin !== url.origin) return {}
  if (token !== undefined && username !== undefined)
    throw new ActionError('the connection has both a token and a user name; both go into Authorization: keep one')
  const basic = `${username}:${password ?? ''}`
  return {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(username !== undefined && { authorization: `Basic ${Buffer.from(basic).toString('base64')}` }),
    ...(name !== undefined && { [name]: value ?? '' }),
  }
}
