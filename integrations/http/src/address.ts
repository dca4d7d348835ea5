import { ActionError } from '@sluice/sdk/integration'

/**
 * The address of a request: whole, or a path under the connection's `base_url`.
 *
 * @throws ActionError for one that is neither
 */
export function toAddress(given: string, baseUrl: string | undefined): URL {
  const whole = URL.parse(given)
  if (whole) {
    if (!/^https?:$/.test(whole.protocol))
      throw new ActionError(`${whole.protocol} addresses cannot be requested; use https`)
    if (whole.username !== '' || whole.password !== '')
      throw new ActionError('the address holds a user name or password; put them into a connection')
    return whole
  }
  const base = baseUrl === undefined ? null : URL.parse(baseUrl.replace(/\/*$/, '/'))
  // Two slashes would name another host.
  const path = given.replace(/^\/+/, '')
  const under = base && URL.parse(path, base)
  if (under && under.origin === base.origin) return under
  const missing = baseUrl === undefined ? ', and the connection has no base_url that it could be under' : ''
  throw new ActionError(`"${given.slice(0, 200)}" is no http or https address${missing}`)
}
