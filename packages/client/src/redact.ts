/** Names of fields, in lower case and without punctuation, whose values are nobody's business. */
const secretName =
  /mail|phone|mobile|msisdn|^tel$|^fax$|token|secret|pass(w|phrase)|^p(wd|in)$|^otp$|jwt|signature|^sig$|hmac|authori[sz]|^auth$|bearer|credential|cookie|keys?$/
/** These tell one send from another, and open nothing. */
const harmlessName = /^(idempotency|public)key$/

const mask = '[redacted]'
/** What logs need of a long text is its beginning. */
const longestText = 10_000
const deepest = 16
/** Values looked at in one go: what refers to itself many times over would never end. */
const mostValues = 10_000

export type RedactOptions = {
  /** texts to mask wherever they stand, as a secret that no pattern knows */
  readonly secrets?: readonly string[] | undefined
}

/**
 * A copy for logs, in which e-mail addresses, phone numbers, tokens, signatures, keys, passwords and authorization fields
 * are masked: by the name of the field, however it is written, and by how they look, in every text. Objects, arrays, Maps,
 * Sets, Headers, URLs, and Errors with their causes are gone through, to 16 levels and 10,000 values; of a text, the first
 * 10,000 characters are kept. What is given stays as it is.
 *
 * @example redact({ user: { eMail: 'jane@example.com' }, note: 'call +1 415 555 2671' })
 */
export function redact(value: unknown, { secrets = [] }: RedactOptions = {}): unknown {
  return copy({ secrets, above: new Set(), left: mostValues }, value)
}

/**
 * The same for one text: addresses, numbers, tokens and `name=value` where the name says that the value is secret.
 *
 * @example redactText('Authorization: Bearer slk_1') // 'Authorization: [redacted]'
 */
export function redactText(text: string, { secrets = [] }: RedactOptions = {}): string {
  let safe = text.length > longestText ? `${text.slice(0, longestText)}… (${text.length} characters)` : text
  for (const secret of secrets) if (secret) safe = safe.replaceAll(secret, mask)
  return patterns.reduce((masked, [pattern, replace]) => masked.replace(pattern, replace), maskNamed(safe))
}

function isSecretName(name: string): boolean {
  const plain = name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '')
  return secretName.test(plain) && !harmlessName.test(plain)
}

type Replace = (match: string, before: string) => string

const behind: Replace = (_, before) => before + mask
const whole: Replace = () => mask
const ifMixed: Replace = (match) => (/\d/.test(match) && /[a-z]/i.test(match) ? mask : match)
const ifPhone: Replace = (match) => {
  // A date or an IP address may stand before it, or alone.
  const rest = match.replace(/^(\d{4}-\d\d-\d\d(?!\d)|\d{1,3}(\.\d{1,3}){3}(?![\d.]))/, '')
  const least = /^[+%]/.test(rest) ? 6 : /\D/.test(rest.trim()) ? 8 : 10
  return rest.replaceAll(/\D/g, '').length < least ? match : mask
}

/** Each takes time in proportion to the text: repetitions are bounded, or begin where a word does. */
const patterns: readonly (readonly [RegExp, Replace])[] = [
  // Fields of HTTP have a value to the end of the line.
  [/\b((?:authorization|cookie)["']?\s*[:=]\s*)[^\r\n]+/gi, behind],
  [/\b((?:bearer|basic|digest)\s+)[^\s,;"']+/gi, behind],
  [/(:\/\/)[^\s/?#@]{1,1000}(?=@)/g, behind],
  [/(?<![^\s@<>"'`,;:=&?/()[\]{}])[^\s@<>"'`,;:=&?/()[\]{}]+(?:@|%40)[^\s@<>"'`,;:=&?/()[\]{}]+/gi, whole],
  [/\b(?:(?:sl[ks]|whsec)_|eyJ|sha(?:1|256|512)=)[\w.+/=-]+/gi, whole],
  [/\b(?:[spr]k|gh[a-z]|xox[a-z]|AKIA)[_-]?[\w.+/=-]{8,}/g, ifMixed],
  // UUIDs name things in every log, and open none.
  [/(?<![\w-])(?![\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}(?![\w-]))[\w-]{32,}/gi, ifMixed],
  [/(?<![\w-]|\d\.)(?:\+|%2B)?\(?\d[\d\s().-]{4,24}\d(?![\w-])/gi, ifPhone],
]

/** `name=value`, `name: value`, `"name":"value"`, also within JSON that is quoted itself. */
const named = /(?<![\w.-])([\w.-]+)[\\"']{0,8}\s{0,8}[:=]\s{0,8}/g
const namedValue = /(\\*["'])(?:\\.|[^\\])*?(?:\1|$)|[^\s&;,"'}\])]+/y

function maskNamed(text: string): string {
  let safe = ''
  let at = 0
  for (const match of text.matchAll(named)) {
    const start = match.index + match[0].length
    if (match.index < at || !isSecretName(match[1] ?? '')) continue
    namedValue.lastIndex = start
    const [value = ''] = namedValue.exec(text) ?? []
    safe += text.slice(at, start) + (value && mask)
    at = start + value.length
  }
  return safe + text.slice(at)
}

type Walk = { readonly secrets: readonly string[]; readonly above: Set<object>; left: number }

function copy(walk: Walk, value: unknown): unknown {
  if (typeof value === 'string') return redactText(value, walk)
  if (typeof value === 'function' || typeof value === 'symbol') return `[${typeof value}]`
  if (typeof value !== 'object' || value === null) return value
  if (walk.above.has(value)) return '[circular]'
  if (walk.above.size >= deepest || walk.left < 0) return '[more]'
  walk.above.add(value)
  try {
    return copyObject(walk, value)
  } catch {
    // A getter or a proxy that throws.
    return '[unreadable]'
  } finally {
    walk.above.delete(value)
  }
}

function copyObject(walk: Walk, value: object): unknown {
  const toEntry = ([name, item]: readonly [unknown, unknown]): [unknown, unknown] => [
    copy(walk, name),
    isSecretName(String(name)) && item !== null && item !== undefined && typeof item !== 'boolean'
      ? mask
      : copy(walk, item),
  ]
  const toObject = (entries: Iterable<readonly [string, unknown]>): object =>
    Object.fromEntries(take(walk, entries).map(toEntry))
  if (Array.isArray(value)) return take(walk, value).map((item) => copy(walk, item))
  if (value instanceof Set) return new Set(take(walk, value).map((item) => copy(walk, item)))
  if (value instanceof Map) return new Map(take(walk, value).map(toEntry))
  if (value instanceof Date) return new Date(value)
  if (value instanceof URL) return redactText(value.href, walk)
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`
  if (value instanceof Headers) return toObject(value)
  if (!(value instanceof Error)) return toObject(Object.entries(value))
  // Not an Error: loggers would look for texts in it that are not masked.
  const own = Object.getOwnPropertyNames(value).map((name): [string, unknown] => [name, Reflect.get(value, name)])
  return toObject([['name', value.name], ...own])
}

function take<Item>(walk: Walk, items: Iterable<Item>): Item[] {
  const taken: Item[] = []
  for (const item of items) {
    if ((walk.left -= 1) < 0) break
    taken.push(item)
  }
  return taken
}
