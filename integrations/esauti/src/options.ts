import type { RestOptions } from '@sluice/client/rest'
import { checkMembers } from './check-members.ts'
import type { OAuthOptions } from './oauth.ts'

/** What every client of another service takes; as for `createSluice`. */
type Common = Omit<RestOptions, 'baseUrl' | 'parseAnswer' | 'parseProblem' | 'signing' | 'secrets'>

export type EsautiOptions = Common & {
  /** of the instance, as `https://your-instance.esauti.com`; `/api` at its end makes no difference */
  readonly baseUrl: string
  /** a bearer token; one of `token`, `oauth` and `basic` */
  readonly token?: string | undefined
  readonly oauth?: OAuthOptions | undefined
  readonly basic?: { readonly username: string; readonly password: string } | undefined
  /** signs events; with a token or without */
  readonly hmacSecret?: string | undefined
  /** where events come from; default `sdk` */
  readonly source?: string | undefined
  /** default `/api/integrations/events` */
  readonly eventsEndpoint?: string | undefined
}

/** The address without `/api`, because events and tokens are not below it. */
export function toInstanceUrl(baseUrl: string): string {
  const url = URL.parse(baseUrl)
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new TypeError(`baseUrl must be as https://your-instance.esauti.com; it is ${JSON.stringify(baseUrl)}`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('baseUrl holds a user name or a password; pass them as `basic: { username, password }`')
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '').replace(/\/api$/, '')
}

/** Of `token` or `basic`. */
export function toFixedHeader({ token, basic }: EsautiOptions): string | undefined {
  if (token !== undefined) return `Bearer ${checkHeader('token', token)}`
  if (basic === undefined) return undefined
  if (basic.username.includes(':')) throw new TypeError('basic.username holds a colon, which Basic cannot carry')
  const bytes = new TextEncoder().encode(`${basic.username}:${basic.password}`)
  return `Basic ${btoa(String.fromCharCode(...bytes))}`
}

const names: Readonly<Record<keyof EsautiOptions, true>> = {
  baseUrl: true,
  token: true,
  oauth: true,
  basic: true,
  hmacSecret: true,
  source: true,
  eventsEndpoint: true,
  timeoutMs: true,
  maxRetries: true,
  totalTimeoutMs: true,
  logger: true,
  debug: true,
  redact: true,
  fetch: true,
  transport: true,
  clock: true,
  random: true,
  newId: true,
}

/** @throws TypeError for options that there are not */
export function checkNames(options: EsautiOptions): void {
  checkMembers('createEsauti', options, { known: Object.keys(names) })
}

/** @throws TypeError for none or more than one way to say who is asking */
export function checkCredentials({ token, basic, oauth, hmacSecret }: EsautiOptions): void {
  const given = Object.entries({ token, basic, oauth }).filter(([, value]) => value !== undefined)
  // A signature is enough for events.
  if (given.length === 0 && hmacSecret === undefined)
    throw new TypeError('nothing says who is asking: pass token, oauth or basic, or hmacSecret for events alone')
  if (given.length > 1)
    throw new TypeError(`pass one of token, basic and oauth; given are ${given.map(([name]) => name).join(', ')}`)
}

function checkHeader(name: string, text: string): string {
  const trimmed = text.trim()
  if (/^[\x21-\x7e]+$/.test(trimmed)) return trimmed
  throw new TypeError(`${name} is empty or holds characters that no header can carry; pass it as it was shown`)
}

export function toRestOptions(options: EsautiOptions): Common & Pick<RestOptions, 'secrets'> {
  const { baseUrl: _, token, oauth, basic, hmacSecret, source: _source, eventsEndpoint: _events, ...common } = options
  const secrets = [token, oauth?.clientSecret, oauth?.refreshToken, basic?.password, hmacSecret]
  return { ...common, secrets: secrets.flatMap((secret) => secret || []) }
}
