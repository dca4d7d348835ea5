import type { Fault, NewEvent } from '@sluice/protocol'
import { EventValidationError } from './error.ts'
import { checkMembers, eventRules } from './event/rules.ts'

export { EventValidationError } from './error.ts'

/** Members of an event beside its type and payload, as they stand on the wire. */
export type BuildOptions = Omit<NewEvent, 'event_type' | 'payload'> & {
  /** fills `occurred_at` where that is left out; default: now */
  readonly now?: Date | undefined
}

/** Payloads may have so many bytes as JSON, and nest so deep. The hub counts the same. */
const payloadBytes = 262_144
const deepest = 128

/**
 * An event, ready for `sendBatch` or a file, checked as the hub will check it. `occurred_at` is now where it is left out.
 *
 * @param eventType 1 to 255 characters, as `order.created`
 * @param payload an object of at most 262,144 bytes as JSON
 * @throws EventValidationError with every fault in `errors`
 * @example buildEvent('order.created', { total: 42 }, { source: 'shop', identity: { email: 'jane@example.com' } })
 */
export function buildEvent(eventType: string, payload: NewEvent['payload'], options: BuildOptions = {}): NewEvent {
  const { now, ...members } = options
  const occurredAt = members.occurred_at ?? (now ?? new Date()).toISOString()
  return validateEvent({ event_type: eventType, payload, ...members, occurred_at: occurredAt })
}

/**
 * Holds an event against the rules of the hub, before anything is sent. What the hub alone knows (schemas of event types,
 * rights of keys) is not looked at.
 *
 * @returns the event itself
 * @throws EventValidationError whose `errors` hold every fault with a JSON Pointer, and whose `status` is 0
 * @example validateEvent(JSON.parse(line))
 */
export function validateEvent(event: unknown): NewEvent {
  const errors = findFaults(event)
  if (errors.length > 0) throw new EventValidationError({ status: 0, operation: 'not a valid event', errors })
  // Every member has been looked at.
  return event as NewEvent
}

/** Every fault of an event, with a JSON Pointer; none if the hub would take it. */
export function findFaults(event: unknown): Fault[] {
  const faults = checkMembers(event, eventRules, '')
  const { payload, metadata } = Object(event) as Partial<NewEvent>
  const tooLarge = checkSize(payload)
  if (tooLarge) faults.push({ pointer: '/payload', detail: tooLarge })
  if (isDeeper(metadata, deepest)) faults.push({ pointer: '/metadata', detail: `nests deeper than ${deepest} levels` })
  return faults
}

function checkSize(payload: unknown): string | undefined {
  try {
    const bytes = new TextEncoder().encode(JSON.stringify(payload) ?? '').byteLength
    if (bytes > payloadBytes) return `has ${bytes} bytes as JSON; it may have ${payloadBytes}`
  } catch {
    return 'cannot be written as JSON: it holds itself, or a BigInt'
  }
  return isDeeper(payload, deepest) ? `nests deeper than ${deepest} levels` : undefined
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((item) => isDeeper(item, levels - 1))
}
