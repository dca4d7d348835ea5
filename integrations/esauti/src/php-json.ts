/** No key of theirs begins with it. */
const mark = '\u0000'

/**
 * JSON of a PHP service. There a list is often an object by id (`{"47": …, "12": …}`) whose order means something, and
 * JavaScript would sort such keys by number; so they get a mark, which `unmark` takes off when the order is safe.
 *
 * @throws SyntaxError that shows how the text begins, when it is no JSON: a login page, say
 */
export function parseMarked(text: string): unknown {
  // Within a text each quote has a backslash before it, and no closing quote has a digit behind it: these begin a key.
  const marked = text.replaceAll(/(?<=[{,\s])"(?=\d+"\s*:)/g, '"\\u0000')
  try {
    return JSON.parse(marked)
  } catch {
    const start = JSON.stringify(text.trimStart().slice(0, 40))
    throw new SyntaxError(`the answer is not JSON, it begins ${start}; is baseUrl that of the instance?`)
  }
}

/** The same with the keys as they were sent. */
export function unmark(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unmark)
  return isRecord(value) ? Object.fromEntries(Object.entries(value).map(unmarkEntry)) : value
}

function unmarkEntry([key, member]: [string, unknown]): [string, unknown] {
  return [unmarkKey(key), unmark(member)]
}

function unmarkKey(key: string): string {
  return key.startsWith(mark) ? key.slice(1) : key
}

/** An array, an object by id, or the `[]` that PHP makes of an empty one: all become an array, in the order that was sent. */
export function toItems(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.map(toItem)
  return isRecord(value) ? Object.values(value).map(toItem) : []
}

/** By the keys that were sent: what was sent without any has its index for one. */
export function toEntries(value: unknown): [key: string, value: unknown][] {
  if (Array.isArray(value)) return value.map((member, index) => [String(index), toItem(member)])
  if (!isRecord(value)) return []
  return Object.entries(value).map(([key, member]) => [unmarkKey(key), toItem(member)])
}

/** With its `id` as a number, where it is one. */
export function toItem(value: unknown): unknown {
  const item = unmark(value)
  return isRecord(item) && typeof item['id'] === 'string' && /^\d+$/.test(item['id'])
    ? { ...item, id: Number(item['id']) }
    : item
}

/** An object that came as `[]` because it was empty. */
export function toRecord(value: unknown): Record<string, unknown> {
  const record = unmark(value)
  return isRecord(record) ? record : {}
}

/** Sent as `"12"` or 12; undefined if it is neither. */
export function toCount(value: unknown): number | undefined {
  const text = typeof value === 'number' ? String(value) : value
  return typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : undefined
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
