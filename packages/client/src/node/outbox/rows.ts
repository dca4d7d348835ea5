import type { NewBatchEvent } from '@sluice/protocol'

/** An event as it is stored. `text` is sent as it stands: under one idempotency key the hub takes one text only. */
export type NewRow = { readonly key: string; readonly subject: string | null; readonly text: string }

export type RowDefaults = { readonly source: string | undefined; readonly newId: () => string }

/** As the hub counts it. */
const payloadBytesMax = 262_144
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const controlCharacters = /[\u0000-\u001f\u007f]/

/**
 * Events as rows, each with an idempotency key. What the hub would refuse in any case is found here, where the stack shows
 * the culprit and the transaction can still be given up.
 *
 * @throws TypeError that names every fault of every event; nothing is stored then
 */
export function toRows(events: readonly NewBatchEvent[], defaults: RowDefaults): NewRow[] {
  const faults: string[] = []
  const rows = events.map((event, index) => {
    const complete = complement(event, defaults)
    const found = findFaults(complete)
    const text = found.length === 0 ? toText(complete, found) : ''
    faults.push(...found.map((fault) => `events[${index}] ${fault}`))
    return { key: complete.idempotency_key, subject: complete.subject ?? null, text }
  })
  if (faults.length > 0) throw new TypeError(`nothing was written to the outbox: ${faults.join('; ')}`)
  return rows
}

type CompleteEvent = NewBatchEvent & { readonly idempotency_key: string }

function complement(event: NewBatchEvent, { source, newId }: RowDefaults): CompleteEvent {
  const complete = { ...event, idempotency_key: event.idempotency_key ?? newId() }
  if (source !== undefined) complete.source ??= source
  return complete
}

function findFaults(event: CompleteEvent): string[] {
  const faults: string[] = []
  if (!isShortText(event.event_type)) faults.push(`event_type ${shortTextRule}`)
  if (!isObject(event.payload)) faults.push('payload must be a JSON object')
  if (event.subject !== undefined && !isShortText(event.subject)) faults.push(`subject ${shortTextRule}`)
  if (!isShortText(event.idempotency_key)) faults.push(`idempotency_key ${shortTextRule}`)
  return faults
}

const shortTextRule = 'must be a text of 1 to 255 characters without control characters'

function isShortText(value: unknown): boolean {
  if (typeof value !== 'string' || value.length === 0 || value.length > 255) return false
  return !controlCharacters.test(value) && value.isWellFormed()
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function toText(event: CompleteEvent, faults: string[]): string {
  try {
    const bytes = Buffer.byteLength(JSON.stringify(event.payload))
    if (bytes > payloadBytesMax) faults.push(`payload has ${bytes} bytes; it may have ${payloadBytesMax}`)
    return JSON.stringify(event)
  } catch (error) {
    // Circular, or holding a BigInt; for circles there follows a drawing.
    const [reason] = String(error).split('\n')
    faults.push(`cannot be written as JSON: ${reason}`)
    return ''
  }
}
