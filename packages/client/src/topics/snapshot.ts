import type { Fault, JsonObject } from '@sluice/protocol'

/** The hub takes payloads of at most so many bytes, and so deep. */
const payloadBytesMax = 262_144
const depthMax = 128

type Keys = readonly (string | number)[]
/** `at` is where the visit is, `bytes` what there has been until here, counted high. */
type Visit = { readonly faults: Fault[]; readonly at: (string | number)[]; bytes: number }

/**
 * Data as JSON will carry it, copied: what the caller does to it later changes nothing. `toJSON` is honoured, members that
 * are undefined are left out, as by JSON.stringify; what that would change or lose on the quiet is a fault.
 *
 * @example toSnapshot({ at: new Date(0), note: undefined }) // { at: '1970-01-01T00:00:00.000Z' }
 */
export function toSnapshot(data: unknown): { readonly copy: JsonObject; readonly faults: readonly Fault[] } {
  if (data === undefined) return { copy: {}, faults: [{ pointer: '', detail: 'must be an object; nothing was given' }] }
  const visit: Visit = { faults: [], at: [], bytes: 0 }
  const copy = toPlain(data, visit)
  if (visit.faults.length === 0 && (typeof copy !== 'object' || copy === null || Array.isArray(copy))) {
    visit.faults.push({ pointer: '', detail: 'must be an object' })
  }
  if (visit.faults.length === 0) checkSize(copy, visit)
  return { copy: copy as JsonObject, faults: visit.faults } // used only without faults
}

/** The bytes are counted high on the way, and exactly only where that is too much. */
function checkSize(copy: unknown, visit: Visit): void {
  if (visit.bytes <= payloadBytesMax) return
  const bytes = new TextEncoder().encode(JSON.stringify(copy)).byteLength
  if (bytes > payloadBytesMax) {
    visit.faults.push({ pointer: '', detail: `has ${bytes} bytes as JSON; a payload may hold 262,144` })
  }
}

function toPlain(given: unknown, visit: Visit): unknown {
  const value = hasToJson(given) ? given.toJSON(String(visit.at.at(-1) ?? '')) : given
  if (typeof value === 'string') {
    // Six bytes for a control character, as \u0000.
    visit.bytes += 6 * value.length + 3
    return value
  }
  visit.bytes += 25
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : refuse(visit, `is ${value}`)
  if (typeof value !== 'object') return refuse(visit, `is a ${typeof value}`)
  if (value instanceof Map || value instanceof Set) return refuse(visit, 'is a Map or Set')
  if (visit.at.length >= depthMax) {
    visit.faults.push({ pointer: '', detail: `is nested deeper than ${depthMax}, or holds itself` })
    return undefined
  }
  return Array.isArray(value) ? toPlainArray(value, visit) : toPlainObject(value, visit)
}

function hasToJson(value: unknown): value is { toJSON(key: string): unknown } {
  return typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function'
}

function refuse({ faults, at }: Visit, what: string): undefined {
  faults.push({ pointer: toPointer(at), detail: `${what}, which JSON cannot carry` })
}

function toPlainArray(value: readonly unknown[], visit: Visit): unknown[] {
  return value.map((item, index) => {
    visit.at.push(index)
    const plain = toPlain(item ?? null, visit)
    visit.at.pop()
    return plain
  })
}

function toPlainObject(value: object, visit: Visit): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue
    visit.bytes += 6 * key.length + 4
    visit.at.push(key)
    const plain = toPlain(member, visit)
    visit.at.pop()
    // Assigned, it would become the prototype.
    if (key === '__proto__') Object.defineProperty(copy, key, { value: plain, enumerable: true, configurable: true })
    else copy[key] = plain
  }
  return copy
}

/** @example toPointer(['lines', 0, 'a/b']) // '/lines/0/a~1b' */
export function toPointer(keys: Keys): string {
  return keys.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
