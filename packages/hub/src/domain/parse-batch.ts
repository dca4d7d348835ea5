import { isUtf8 } from 'node:buffer'
import { HubError, limits, scanElements, startOfJson, toValidationError } from '@sluice/protocol'
import { duplicateFaults, isObject, membersOf, parseJson, toText } from './json-text.ts'
import type { EventText } from './parse-event.ts'

/** An item that is no event at all keeps its place in the answer. */
export type BatchItem = EventText | HubError

/**
 * The items of a batch in their order: `{"events":[…]}`, a JSON array, or NDJSON, where a malformed line is that item's error.
 *
 * @throws HubError `validation-error` if the batch as a whole cannot be read or is empty, `payload-too-large` beyond 1,000 events
 */
export function parseBatch(bytes: Buffer, form: 'json' | 'ndjson'): BatchItem[] {
  const items = form === 'ndjson' ? parseLines(bytes) : parseArray(toText(bytes))
  if (items.length === 0) throw toValidationError([{ pointer: '', detail: 'the batch holds no events' }])
  if (items.length > limits.batchEvents) {
    throw new HubError(
      'payload-too-large',
      `the batch holds ${items.length} events; at most ${limits.batchEvents} are allowed`,
    )
  }
  return items
}

function parseArray(text: string): BatchItem[] {
  const whole = parseJson(text)
  const at = startOfJson(text)
  if (Array.isArray(whole)) return elementsOf(text, at, whole)
  if (!isObject(whole))
    throw toValidationError([{ pointer: '', detail: 'must be an array of events or {"events":[…]}' }])
  // Depth is each item's own affair: an item that is nested too deep is not to take the others with it.
  const members = membersOf(text, at, Infinity)
  const faults = duplicateFaults(members)
  for (const { name } of members)
    if (name !== 'events') faults.push({ pointer: `/${name.slice(0, 100)}`, detail: 'unknown member' })
  const { events } = whole
  if (!Array.isArray(events)) faults.push({ pointer: '/events', detail: 'must be an array of events' })
  if (faults.length > 0) throw toValidationError(faults)
  return elementsOf(text, members[0]?.valueStart ?? at, events as unknown[]) // an array, checked above
}

function elementsOf(text: string, at: number, values: readonly unknown[]): BatchItem[] {
  return scanElements(text, at, Infinity).map(({ start, end }, index) => ({ text, start, end, value: values[index] }))
}

function parseLines(bytes: Buffer): BatchItem[] {
  const lines = isUtf8(bytes) ? bytes.toString().split('\n') : splitLines(bytes)
  return lines.filter((line) => typeof line !== 'string' || line.trim() !== '').map(parseLine)
}

/** Only for bodies that are no UTF-8: the lines that are have a right to be stored. */
function splitLines(bytes: Buffer): (string | HubError)[] {
  const lines: (string | HubError)[] = []
  for (let at = 0; at <= bytes.length;) {
    const found = bytes.indexOf(10, at)
    const end = found < 0 ? bytes.length : found
    lines.push(toLine(bytes.subarray(at, end)))
    at = end + 1
  }
  return lines
}

function toLine(bytes: Buffer): string | HubError {
  return isUtf8(bytes) ? bytes.toString() : toValidationError([{ pointer: '', detail: 'must be UTF-8' }])
}

function parseLine(line: string | HubError): BatchItem {
  if (typeof line !== 'string') return line
  try {
    const text = line.trim()
    return { text, start: 0, end: text.length, value: parseJson(text) }
  } catch (error) {
    if (error instanceof HubError) return error
    throw error
  }
}
