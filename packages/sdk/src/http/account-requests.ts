import { isHost, toHostPattern } from './host-pattern.ts'
import type { Outgoing } from './intercept.ts'

/** Shorter texts stand everywhere, and say nothing. */
const shortest = 4

type Account = {
  readonly credentials: Readonly<Record<string, unknown>>
  readonly hosts?: readonly string[] | undefined
}

/**
 * Tells requests that are made with an account: those that carry a text of its credentials, and those to hosts that were declared
 * as the account's, as what is sent there may be signed with a secret instead of carrying it.
 */
export function createAccountTest({ credentials, hosts = [] }: Account): (request: Outgoing) => boolean {
  const patterns = hosts.map(toHostPattern)
  const texts = Object.values(credentials).filter((value) => typeof value === 'string')
  const secrets = texts.filter((text) => text.length >= shortest)
  if (texts.length === 0) return () => false
  return ({ url, headers, body }) => {
    if (patterns.some((pattern) => isHost(pattern, url))) return true
    const sent = [url.href, decode(url.search), ...Object.values(headers).map(openBasic)]
    if (typeof body === 'string') sent.push(body, decode(body))
    return secrets.some((secret) => sent.some((part) => part.includes(secret)))
  }
}

function decode(query: string): string {
  try {
    return decodeURIComponent(query.replaceAll('+', ' '))
  } catch {
    return ''
  }
}

const openBasic = (value: string): string =>
  /^basic /i.test(value) ? Buffer.from(value.slice(6), 'base64').toString() : value
