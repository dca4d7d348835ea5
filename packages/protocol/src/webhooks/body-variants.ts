import { utf8, type Bytes } from './bytes.ts'

/** A body as the sender may have signed it, and what must have happened to it since. */
export type BodyVariant = {
  readonly cause: 'body-reserialised' | 'body-recoded'
  readonly how: string
  readonly body: Bytes
}

type Printing = { readonly how: string; readonly print: (value: unknown) => string }

const indented = (indent: number | string): Printing => ({
  how: `indented by ${indent === '\t' ? 'a tab' : `${indent} blanks`}`,
  print: (value) => JSON.stringify(value, null, indent),
})

const printings: readonly Printing[] = [
  { how: 'without blanks, as JSON.stringify does', print: (value) => JSON.stringify(value) },
  { how: 'with blanks after commas and colons, as json.dumps does', print: (value) => printSpaced(value) },
  indented(2),
  indented(4),
  indented('\t'),
  { how: 'without blanks and with its names sorted', print: (value) => JSON.stringify(sortNames(value)) },
  { how: 'with blanks and with its names sorted', print: (value) => printSpaced(sortNames(value)) },
]

const escapings: readonly { readonly how: string; readonly escape: (text: string) => string }[] = [
  { how: '', escape: (text) => text },
  { how: ', characters beyond ASCII as \\u', escape: (text) => text.replaceAll(/[\u0080-\uffff]/g, toUnicodeEscape) },
  { how: ', slashes as \\/', escape: (text) => text.replaceAll('/', '\\/') },
  {
    how: ', slashes as \\/ and characters beyond ASCII as \\u',
    escape: (text) => text.replaceAll('/', '\\/').replaceAll(/[\u0080-\uffff]/g, toUnicodeEscape),
  },
]

const toUnicodeEscape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`

/** What common libraries and frameworks make of a body, each once. */
export function toBodyVariants(body: Uint8Array): BodyVariant[] {
  const text = new TextDecoder().decode(body)
  const seen = new Set([text])
  const variants: BodyVariant[] = []
  const add = (cause: BodyVariant['cause'], how: string, changed: string): void => {
    if (!seen.has(changed)) variants.push({ cause, how, body: utf8(changed) })
    seen.add(changed)
  }
  for (const { how, changed } of toPrinted(text)) {
    add('body-reserialised', how, changed)
    add('body-reserialised', `${how}, with a line break behind`, `${changed}\n`)
  }
  add('body-recoded', 'with a line break behind', `${text}\n`)
  add('body-recoded', 'without the blanks around it', text.trim())
  add('body-recoded', 'with line breaks of CR and LF', text.replaceAll(/\r?\n/g, '\r\n'))
  add('body-recoded', 'with line breaks of LF alone', text.replaceAll('\r\n', '\n'))
  add('body-recoded', 'with a byte order mark', `\ufeff${text}`)
  return [...variants, ...toRecoded(body, text)]
}

function toPrinted(text: string): { how: string; changed: string }[] {
  const value = parse(text)
  if (value === undefined) return []
  return printings.flatMap(({ how, print }) => {
    const printed = print(value)
    return escapings.map(({ how: escaped, escape }) => ({ how: `${how}${escaped}`, changed: escape(printed) }))
  })
}

/** Bytes that went through a text of another encoding. */
function toRecoded(body: Uint8Array, text: string): BodyVariant[] {
  const how = 'in ISO 8859-1 where it is UTF-8 now'
  const isWide = /[\u0100-\uffff]/.test(text)
  const isPlain = body.length === text.length
  if (isWide || isPlain) return []
  return [{ cause: 'body-recoded', how, body: Uint8Array.from(text, (character) => character.charCodeAt(0)) }]
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function printSpaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(printSpaced).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}: ${printSpaced(member)}`)
    .join(', ')}}`
}

function sortNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortNames)
  if (typeof value !== 'object' || value === null) return value
  const sorted = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1))
  return Object.fromEntries(sorted.map(([name, member]) => [name, sortNames(member)]))
}
