/**
 * Finds where things stand in JSON text that `JSON.parse` has already accepted, so that the bytes of a publisher can be
 * stored as they came. It relies on the text being valid and checks only what parsing forgets: duplicate members and depth.
 */
export type Member = {
  readonly name: string
  /** of the name's opening quote */
  readonly start: number
  readonly valueStart: number
  /** after the value's last character */
  readonly end: number
}

const quote = 34
const backslash = 92

/** Position after the string whose opening quote is at `at`. */
function skipString(text: string, at: number): number {
  let close = text.indexOf('"', at + 1)
  while (close > 0) {
    let slashes = 0
    while (text.charCodeAt(close - 1 - slashes) === backslash) slashes += 1
    if (slashes % 2 === 0) return close + 1
    close = text.indexOf('"', close + 1)
  }
  throw new SyntaxError('unterminated string')
}

function skipSpace(text: string, at: number): number {
  let position = at
  for (;;) {
    const code = text.charCodeAt(position)
    if (code !== 32 && code !== 9 && code !== 10 && code !== 13) return position
    position += 1
  }
}

/** Thrown when objects and arrays are nested deeper than allowed. */
export class DepthError extends Error {}

/** Position after the value that begins at `at`; `depth` levels may be opened within it. */
function skipValue(text: string, at: number, depth: number): number {
  const first = text.charCodeAt(at)
  if (first === quote) return skipString(text, at)
  if (first !== 123 && first !== 91) {
    let position = at
    for (;;) {
      const code = text.charCodeAt(position)
      if (code === 44 || code === 125 || code === 93 || code <= 32 || Number.isNaN(code)) return position
      position += 1
    }
  }
  let open = 0
  let position = at
  while (position < text.length) {
    const code = text.charCodeAt(position)
    if (code === quote) {
      position = skipString(text, position)
      continue
    }
    if (code === 123 || code === 91) {
      open += 1
      if (open > depth) throw new DepthError()
    } else if (code === 125 || code === 93) {
      open -= 1
      if (open === 0) return position + 1
    }
    position += 1
  }
  throw new SyntaxError('unterminated value')
}

/**
 * The members of the object that begins at `at`, in order, duplicates included.
 *
 * @param text valid JSON
 * @param depth levels of nesting allowed inside the object; deeper throws `DepthError`
 * @example scanMembers('{"a":1}', 0, 10) // [{ name: 'a', start: 1, valueStart: 5, end: 6 }]
 */
export function scanMembers(text: string, at: number, depth: number): Member[] {
  const members: Member[] = []
  let position = skipSpace(text, at + 1)
  while (text.charCodeAt(position) === quote) {
    const start = position
    position = skipString(text, position)
    const raw = text.slice(start + 1, position - 1)
    const name = raw.includes('\\') ? String(JSON.parse(`"${raw}"`)) : raw
    const valueStart = skipSpace(text, skipSpace(text, position) + 1)
    const end = skipValue(text, valueStart, depth)
    members.push({ name, start, valueStart, end })
    position = skipSpace(text, end)
    if (text.charCodeAt(position) === 44) position = skipSpace(text, position + 1)
  }
  return members
}

/** The spans of the elements of the array that begins at `at`. */
export function scanElements(text: string, at: number, depth: number): { start: number; end: number }[] {
  const elements: { start: number; end: number }[] = []
  let position = skipSpace(text, at + 1)
  while (position < text.length && text.charCodeAt(position) !== 93) {
    const end = skipValue(text, position, depth)
    elements.push({ start: position, end })
    position = skipSpace(text, end)
    if (text.charCodeAt(position) === 44) position = skipSpace(text, position + 1)
  }
  return elements
}

/** The first character that is no white space. */
export function startOfJson(text: string): number {
  return skipSpace(text, 0)
}
