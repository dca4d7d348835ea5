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

/** What common libraries and frameworks make of a body, one after the other: all of them together are large. */
export function* toBodyVariants(body: Uint8Array): Generator<BodyVariant> {
  const text = new TextDecoder().decode(body)
  for (const { how, changed } of toPrinted(text)) {
    if (changed !== text) yield { cause: 'body-reserialised', how, body: utf8(changed) }
    yield { cause: 'body-reserialised', how: `${how}, with a line break behind`, body: utf8(`${changed}\n`) }
  }
  for (const [how, changed] of toChanged(text))
    if (changed !== text) yield { cause: 'body-recoded', how, body: utf8(changed) }
  yield* toRecoded(body, text)
}

const toChanged = (text: string): [how: string, changed: string][] => [
  ['with a line break behind', `${text}\n`],
  ['without the blanks around it', text.trim()],
  ['with line breaks of CR and LF', text.replaceAll(/\r?\n/g, '\r\n')],
  ['with line breaks of LF alone', text.replaceAll('\r\n', '\n')],
  ['with a byte order mark', `\ufeff${text}`],
]

function* toPrinted(text: string): Generator<{ how: string; changed: string }> {
  const value = parse(text)
  if (value === undefined) return
  for (const { how, print } of printings) {
    const printed = print(value)
    for (const { how: escaped, escape } of escapings) {
      const changed = escape(printed)
      // Where there is nothing to escape the text has been tried.
      if (escaped === '' || changed !== printed) yield { how: `${how}${escaped}`, changed }
    }
  }
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
