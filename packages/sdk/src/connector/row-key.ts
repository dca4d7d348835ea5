import { createHash } from 'node:crypto'
import { printExact } from './exact-json.ts'
import type { Value } from './value.ts'

/** One text for one key, null and all: different keys have different texts. */
export function toKeyText(values: readonly Value[]): string {
  const [first] = values
  if (values.length === 1 && typeof first === 'string') return `s${first}`
  return values.map(toPart).join('\u0001')
}

function toPart(value: Value): string {
  if (value === null) return 'n'
  if (typeof value === 'string') return `s${value.length}:${value}`
  if (value instanceof Uint8Array) return `b${Buffer.from(value).toString('base64')}`
  return `${typeof value === 'boolean' ? 't' : 'd'}${String(value)}`
}

/**
 * The id of a row that has no key: the hash of all that it has. Null is as good as absent, and the order of members does not
 * matter, neither here nor in objects inside.
 */
export function toRowId(row: Readonly<Record<string, unknown>>): string {
  return createHash('sha256')
    .update(printExact(sorted(row)))
    .digest('base64url')
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  const members = Object.entries(value).filter(([, member]) => member !== null && member !== undefined)
  return Object.fromEntries(
    members.toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([name, member]) => [name, sorted(member)]),
  )
}
