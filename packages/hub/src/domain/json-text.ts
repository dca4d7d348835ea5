import { isAscii, isUtf8 } from 'node:buffer'
import {
  DepthError,
  escapePointer,
  limits,
  scanMembers,
  startOfJson,
  toValidationError,
  type Fault,
  type Member,
} from '@sluice/protocol'

/** @throws HubError `validation-error` if the bytes are no UTF-8 */
export function toText(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString('latin1')
  if (isUtf8(bytes)) return bytes.toString()
  throw toValidationError([{ pointer: '', detail: 'must be UTF-8' }])
}

/** @throws HubError `validation-error` */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw toValidationError([{ pointer: '', detail: `malformed JSON: ${reason}` }])
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The members of the object that begins at `at` in text that `JSON.parse` took.
 *
 * @param depth levels of nesting allowed inside the object
 * @throws HubError `validation-error` beyond them
 */
export function membersOf(text: string, at: number, depth: number = limits.depth - 1): Member[] {
  try {
    return scanMembers(text, at, depth)
  } catch (error) {
    if (!(error instanceof DepthError)) throw error
    throw toValidationError([{ pointer: '', detail: `must not be nested deeper than ${limits.depth} levels` }])
  }
}

/** `JSON.parse` keeps the last of two members with one name; another reader may keep the first. So both are refused. */
export function duplicateFaults(members: readonly Member[]): Fault[] {
  const seen = new Set<string>()
  const faults: Fault[] = []
  for (const { name } of members) {
    if (seen.has(name)) faults.push({ pointer: `/${escapePointer(name)}`, detail: 'duplicate member' })
    seen.add(name)
  }
  return faults
}

/**
 * A request body other than an event: one object, with no member given twice.
 *
 * @throws HubError `validation-error`
 */
export function parseObject(bytes: Buffer): Record<string, unknown> {
  const text = toText(bytes)
  const value = parseJson(text)
  if (!isObject(value)) throw toValidationError([{ pointer: '', detail: 'must be a JSON object' }])
  membersOnce(text, startOfJson(text))
  return value
}

/**
 * The members of the object that begins at `at`, each once.
 *
 * @throws HubError `validation-error`
 */
export function membersOnce(text: string, at: number): Member[] {
  const members = membersOf(text, at)
  const faults = duplicateFaults(members)
  // zod passes over this name without a word.
  if (members.some(({ name }) => name === '__proto__')) faults.push({ pointer: '/__proto__', detail: 'unknown member' })
  if (faults.length > 0) throw toValidationError(faults)
  return members
}
