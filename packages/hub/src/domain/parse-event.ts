import {
  HubError,
  NewBatchEvent,
  NewEvent,
  escapePointer,
  limits,
  reservedPrefix,
  toFaults,
  toValidationError,
  type Fault,
  type Member,
} from '@sluice/protocol'
import { toDedup } from './dedup.ts'
import { duplicateFaults, isObject, membersOf } from './json-text.ts'
import type { Publishable } from './schedules/publish-later.ts'

/** An event in its text: `value` is what `JSON.parse` made of the text between `start` and `end`. */
export type EventText = { readonly text: string; readonly start: number; readonly end: number; readonly value: unknown }

export type ParseOptions = {
  /** an item of a batch may carry its own `idempotency_key` */
  readonly batch: boolean
  /** from the request's header */
  readonly idempotencyKey?: string
  /** the hub's own notes in JSON, or null */
  readonly notes: string | null
  /** of the request, for events without an idempotency key */
  readonly signature?: string | undefined
  /** what must be equal under a used key; the stored text unless given */
  readonly content?: string | undefined
}

const schemas = { single: NewEvent, batch: NewBatchEvent }
const known = { single: new Set(Object.keys(NewEvent.shape)), batch: new Set(Object.keys(NewBatchEvent.shape)) }

/**
 * Checks an event and turns it into what the store keeps: its own text, and the few members that inboxes look at.
 *
 * @throws HubError `validation-error` with every fault, `payload-too-large`
 */
export function parseEvent(
  event: EventText,
  { batch, idempotencyKey, notes, signature, content }: ParseOptions,
): Publishable {
  const { text, start, value } = event
  const kind = batch ? 'batch' : 'single'
  if (!isObject(value)) throw toValidationError([{ pointer: '', detail: 'must be a JSON object' }])
  const members = membersOf(text, start)
  if (!isPlainEvent(value, members)) refuseFaults(value, members, kind)
  refuseLarge(event, members)
  const checked = value as NewBatchEvent // the schema has just said so
  const body = toStoredText(event, members)
  return {
    eventType: checked.event_type,
    source: checked.source ?? null,
    subject: checked.subject ?? null,
    body,
    notes,
    ...(checked.deliver_at !== undefined && { deliverAtMs: Date.parse(checked.deliver_at) }),
    dedup: toDedup({
      idempotencyKey: idempotencyKey ?? checked.idempotency_key,
      source: checked.source,
      externalEventId: checked.external_event_id,
      content: content ?? body,
      signature,
    }),
  }
}

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const plainText = /^[^\u0000-\u001f\u007f\ud800-\udfff]{1,255}$/
const isPlainText = (value: unknown): boolean => typeof value === 'string' && plainText.test(value)

/**
 * Most events have a type, a payload and a few short texts, each once. Saying so takes a tenth of the time that the schema
 * takes. What this does not know is for the schema to judge: it may be right all the same.
 */
function isPlainEvent(value: Record<string, unknown>, members: readonly Member[]): boolean {
  let seen = 0
  for (const { name } of members) {
    const index = plainMembers.indexOf(name)
    if (index < 0 || (seen & (1 << index)) !== 0) return false
    seen |= 1 << index
    if (name !== 'payload' && !isPlainText(value[name])) return false
  }
  const { event_type: type, payload } = value
  return typeof type === 'string' && !type.startsWith(reservedPrefix) && isObject(payload)
}

const plainMembers = ['event_type', 'payload', 'source', 'subject', 'correlation_id', 'external_event_id', 'channel']

/** @throws HubError `validation-error` with every fault */
function refuseFaults(value: Record<string, unknown>, members: readonly Member[], kind: 'single' | 'batch'): void {
  const faults = [...nameFaults(members, known[kind]), ...valueFaults(value, kind)]
  if (faults.length > 0) throw toValidationError(faults)
}

function nameFaults(members: readonly Member[], names: ReadonlySet<string>): Fault[] {
  if (members.every(({ name }) => names.has(name)) && members.length === countNames(members)) return []
  const strangers = new Set(members.map(({ name }) => name).filter((name) => !names.has(name)))
  return [
    ...duplicateFaults(members),
    ...[...strangers].map((name) => ({ pointer: `/${escapePointer(name)}`, detail: 'unknown member' })),
  ]
}

function countNames(members: readonly Member[]): number {
  return members.reduce(
    (count, { name }, index) => (members.findIndex((other) => other.name === name) === index ? count + 1 : count),
    0,
  )
}

/** Faults of the values; those of top-level names are found in the text, where a duplicate and `__proto__` still stand. */
function valueFaults(value: Record<string, unknown>, kind: 'single' | 'batch'): Fault[] {
  const result = schemas[kind].safeParse(value)
  if (result.success) return []
  const issues = result.error.issues.filter((issue) => issue.code !== 'unrecognized_keys' || issue.path.length > 0)
  return toFaults({ issues } as typeof result.error)
}

function refuseLarge({ text, start, end }: EventText, members: readonly Member[]): void {
  const payload = members.find(({ name }) => name === 'payload')
  if (payload && isLonger(text, payload.valueStart, payload.end, limits.payloadBytes)) {
    throw new HubError('payload-too-large', `the payload has more than ${limits.payloadBytes} bytes`)
  }
  if (isLonger(text, start, end, limits.bodyBytes)) {
    throw new HubError('payload-too-large', `the event has more than ${limits.bodyBytes} bytes`)
  }
}

/** A UTF-16 unit takes 1 to 3 bytes in UTF-8: most texts need no counting. */
function isLonger(text: string, start: number, end: number, maxBytes: number): boolean {
  if (end - start > maxBytes) return true
  return (end - start) * 3 > maxBytes && Buffer.byteLength(text.slice(start, end)) > maxBytes
}

/** The text as received, but in one line: raw line breaks can only stand between tokens. */
function toStoredText({ text, start, end }: EventText, members: readonly Member[]): string {
  const index = members.findIndex(({ name }) => name === 'idempotency_key')
  const stored = index < 0 ? text.slice(start, end) : cutMember(text, { start, end, members, index })
  return stored.includes('\n') || stored.includes('\r') ? stored.replaceAll(/[\r\n]/g, ' ') : stored
}

type Cut = { readonly start: number; readonly end: number; readonly members: readonly Member[]; readonly index: number }

function cutMember(text: string, { start, end, members, index }: Cut): string {
  const [before, member, after] = [members[index - 1], members[index], members[index + 1]]
  if (!member) return text.slice(start, end)
  if (after) return text.slice(start, member.start) + text.slice(after.start, end)
  return text.slice(start, before?.end ?? member.start) + text.slice(member.end, end)
}
