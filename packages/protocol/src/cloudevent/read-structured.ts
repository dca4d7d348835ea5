import { limits } from '../event.ts'
import { DepthError, scanMembers, type Member } from '../json-scan.ts'
import { escapePointer, toValidationError, type Fault } from '../problem.ts'
import { findNameFault, type Attribute, type Data, type Reading } from './reading.ts'

/** A CloudEvent in its JSON text: `value` is what `JSON.parse` made of the text that begins at `start`. */
export type CloudEventText = { readonly text: string; readonly start: number; readonly value: unknown }

const pointerOf = (name: string): string => `/${escapePointer(name)}`

/** Structured mode, and each element of a batch. @throws HubError `validation-error` for what is no object, or too deep */
export function readStructured({ text, start, value }: CloudEventText): Reading {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw toValidationError([{ pointer: '', detail: 'must be a JSON object: one CloudEvent' }])
  const members = membersOf(text, start)
  const given = value as Record<string, unknown> // an object, as checked above
  const attributes = new Map<string, Attribute>()
  const faults: Fault[] = []
  const seen = new Set<string>()
  for (const { name, valueStart, end } of members) {
    const fault = seen.has(name) ? 'given twice' : findFault(name, given[name])
    seen.add(name)
    if (fault !== undefined) faults.push({ pointer: pointerOf(name), detail: fault })
    else if (isAttribute(name, given[name])) {
      attributes.set(name, { value: given[name] as Attribute['value'], text: text.slice(valueStart, end) }) // no fault: a scalar
    }
  }
  return { attributes, data: readData(text, { members, given, faults }), faults, pointerOf }
}

function membersOf(text: string, start: number): Member[] {
  try {
    return scanMembers(text, start, limits.depth - 1)
  } catch (error) {
    if (!(error instanceof DepthError)) throw error
    throw toValidationError([{ pointer: '', detail: `must not be nested deeper than ${limits.depth} levels` }])
  }
}

const isAttribute = (name: string, value: unknown): boolean =>
  value !== null && name !== 'data' && name !== 'data_base64'

function findFault(name: string, value: unknown): string | undefined {
  if (name === 'data' || name === 'data_base64') return undefined
  const isKnownType = value === null || typeof value === 'string' || typeof value === 'boolean' || isInteger(value)
  const detail = 'must be a string, a boolean or an integer of 32 bits'
  return findNameFault(name) ?? (isKnownType ? undefined : detail)
}

const isInteger = (value: unknown): boolean => typeof value === 'number' && (value | 0) === value

type Given = { readonly members: readonly Member[]; readonly given: Record<string, unknown>; readonly faults: Fault[] }

function readData(text: string, { members, given, faults }: Given): Data | undefined {
  const member = members.find(({ name }) => name === 'data')
  const { data, data_base64: base64 } = given
  if (base64 === undefined || base64 === null) {
    return member && { kind: 'json', text: text.slice(member.valueStart, member.end), value: data }
  }
  // A writer that prints every member it has prints the empty one as null.
  if (data !== undefined && data !== null) faults.push({ pointer: '/data', detail: 'stands beside data_base64' })
  if (isBase64(base64)) return { kind: 'bytes', base64 }
  faults.push({ pointer: '/data_base64', detail: 'must be base64 in one line, padded (RFC 4648 section 4)' })
  return undefined
}

function isBase64(value: unknown): value is string {
  return typeof value === 'string' && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value)
}
