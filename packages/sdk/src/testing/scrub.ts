/** What stands where a secret was. */
const placeholder = 'SCRUBBED'

/** A shorter value is no secret, and would be found in every other word. */
const shortestSecret = 4

export type Scrubber = {
  /** Every text and number in a value is a secret from now on. */
  readonly learn: (value: unknown) => void
  readonly text: (text: string) => string
  readonly headers: (headers: Readonly<Record<string, unknown>>) => Record<string, string | string[]>
  readonly body: (text: string) => string
}

/**
 * Takes secrets out of what is to be kept: values that are known, in the forms in which they travel; whatever stands in fields
 * and query members whose name says secret; tokens and passwords in JSON, which are known from then on.
 */
export function createScrubber(): Scrubber {
  const secrets = new Set<string>()
  const learn = (value: unknown): void => {
    for (const leaf of toLeaves(value))
      if (leaf.length >= shortestSecret && leaf !== placeholder) for (const form of toForms(leaf)) secrets.add(form)
  }
  const text = (given: string): string => {
    let kept = scrubQuery(given)
    // The longest first: one secret may hold another.
    for (const secret of [...secrets].toSorted((left, right) => right.length - left.length))
      kept = kept.replaceAll(secret, placeholder)
    return kept
  }
  const scrubHeader = (name: string, value: string): string => {
    if (!isSecretHeader(name)) return text(value)
    // A service may echo what it was sent, as a user and a password in one.
    learn(toTokens(name, value))
    return placeholder
  }
  return {
    learn,
    text,
    headers: (headers) =>
      Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [
          name.toLowerCase(),
          Array.isArray(value) ? value.map((one) => scrubHeader(name, String(one))) : scrubHeader(name, String(value)),
        ]),
      ),
    body: (given) => {
      const json = parseOrNone(given)
      learn(findSecretMembers(json))
      const kept = text(given)
      return json === undefined || parseOrNone(kept) !== undefined ? kept : mendNumbers(kept)
    },
  }
}

function toLeaves(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value === 'number' || typeof value === 'bigint') return [String(value)]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(toLeaves) : []
}

/** As it is, in addresses, in forms, in JSON, in base64. */
function toForms(secret: string): Set<string> {
  const bytes = Buffer.from(secret)
  const base64 = bytes.toString('base64')
  return new Set([
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ '': secret }).toString().slice(1),
    JSON.stringify(secret).slice(1, -1),
    base64,
    base64.replace(/=+$/, ''),
    bytes.toString('base64url'),
  ])
}

const secretWords: ReadonlySet<string> = new Set(
  'token accesstoken refreshtoken idtoken secret clientsecret password passwd passphrase pwd apikey jwt credential credentials authorization assertion'.split(
    ' ',
  ),
)
/** Secret in a query, and a word like any other in a body. */
const queryWords: ReadonlySet<string> = new Set('key auth signature sig code session sessionid sid'.split(' '))
const pagingWords: ReadonlySet<string> = new Set('page next previous continuation cursor sync'.split(' '))

function toWords(name: string): string[] {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
}

function isSecretName(name: string, { inQuery }: { readonly inQuery: boolean }): boolean {
  const words = toWords(name)
  if (words.some((word) => pagingWords.has(word))) return false
  if (words.some((word) => secretWords.has(word) || (inQuery && queryWords.has(word)))) return true
  return words.includes('key') && words.some((word) => /^(api|private|access|secret|signing)$/.test(word))
}

const isSecretHeader = (name: string): boolean =>
  /^(authorization|(set-)?cookie|proxy-.*|.*(api-?key|auth|secret|token|session|signature|password).*|(.+-)?key(-.+)?)$/i.test(
    name,
  ) && !/^idempotency-key$/i.test(name)

/** Members of queries and forms, also inside of other text: addresses stand in fields and bodies too. */
function scrubQuery(text: string): string {
  return text.replaceAll(/(^|[?&;])([\w.[\]%~-]+)=([^&#;"'<>\s\\]+)/g, (whole, before: string, name: string) =>
    isSecretName(decodeName(name), { inQuery: true }) ? `${before}${name}=${placeholder}` : whole,
  )
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

/** Shorter ones are words as Bearer and true. */
const shortestToken = 8

/** What is secret in a field: the values of cookies, and every word of the others. */
function toTokens(name: string, value: string): string[] {
  const pairs = /^set-cookie$/i.test(name) ? value.split(';').slice(0, 1) : value.split(';')
  const words = /cookie$/i.test(name)
    ? pairs.map((pair) => pair.slice(pair.indexOf('=') + 1).trim())
    : value.split(/\s+/)
  return words.filter((word) => word.length >= shortestToken)
}

function parseOrNone(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What JSON holds under names as `access_token` and `password`. */
function findSecretMembers(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) =>
    isSecretName(name, { inQuery: false }) ? [member] : findSecretMembers(member),
  )
}

/** A number that was a secret, without quotes in JSON: it becomes 0. */
function mendNumbers(text: string): string {
  return text.replaceAll(/([:[,]\s*)-?[\d.]*SCRUBBED[\d.]*(?=\s*[,}\]])/g, (_, before: string) => `${before}0`)
}
