import type { BatchResult, NewBatchEvent } from '@sluice/protocol'

/** The hub takes this much in one request. */
const batchEventsMax = 1000
const batchBytesMax = 5 * 1024 * 1024

/** One event of a batch, serialised: a line of NDJSON. */
export type Line = {
  readonly index: number
  readonly idempotencyKey: string
  readonly text: string
  readonly bytes: number
}

/** What became of one event of a batch. Send what failed again under the same key, and nothing is stored twice. */
export type BatchItemResult = BatchResult & { readonly idempotency_key: string }

/** @throws RangeError for what no request can hold */
export function checkMaxEvents(maxEvents: number | undefined): void {
  if (maxEvents === undefined || (Number.isInteger(maxEvents) && maxEvents >= 1 && maxEvents <= batchEventsMax)) return
  throw new RangeError(`maxEvents must be 1 to ${batchEventsMax}, the most that one request takes; it is ${maxEvents}`)
}

/** @throws TypeError for what is no list of objects, say one event without a list around it */
export function checkEvents(events: readonly NewBatchEvent[]): void {
  if (!Array.isArray(events))
    throw new TypeError(`events must be a list, as [{ event_type, payload }]; it is ${kindOf(events)}`)
  const at = events.findIndex((event) => typeof event !== 'object' || event === null)
  if (at >= 0)
    throw new TypeError(`events[${at}] must be an object, as { event_type, payload }; it is ${kindOf(events[at])}`)
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value
}

const encoder = new TextEncoder()

/**
 * Events as lines; those that cannot be sent come out as failed. `source` is for events without one.
 *
 * @param newId makes the key of an event that has none
 */
export function toLines(
  events: readonly NewBatchEvent[],
  defaults: { readonly source: string | undefined; readonly newId: () => string },
): { lines: Line[]; failed: BatchItemResult[] } {
  const lines: Line[] = []
  const failed: BatchItemResult[] = []
  for (const [index, event] of events.entries()) {
    const idempotencyKey = event.idempotency_key ?? defaults.newId()
    const source = event.source ?? defaults.source
    const line = toLine({ index, idempotencyKey }, { ...event, source, idempotency_key: idempotencyKey })
    if ('text' in line) lines.push(line)
    else failed.push(line)
  }
  return { lines, failed }
}

/** Cuts lines into requests that the hub takes, in order. */
export function toChunks(lines: readonly Line[], maxEvents = batchEventsMax, maxBytes = batchBytesMax): Line[][] {
  const chunks: Line[][] = []
  let chunk: Line[] = []
  let bytes = 0
  for (const line of lines) {
    if (chunk.length > 0 && (chunk.length >= maxEvents || bytes + line.bytes > maxBytes)) {
      chunks.push(chunk)
      chunk = []
      bytes = 0
    }
    chunk.push(line)
    bytes += line.bytes
  }
  if (chunk.length > 0) chunks.push(chunk)
  return chunks
}

export function toFailed(
  line: Pick<Line, 'index' | 'idempotencyKey'>,
  errorCode: string,
  message: string,
): BatchItemResult {
  return { index: line.index, idempotency_key: line.idempotencyKey, error: { error_code: errorCode, message } }
}

function toLine(place: Pick<Line, 'index' | 'idempotencyKey'>, event: NewBatchEvent): Line | BatchItemResult {
  try {
    const text = `${JSON.stringify(event)}\n`
    const bytes = encoder.encode(text).byteLength
    if (bytes <= batchBytesMax) return { ...place, text, bytes }
    return toFailed(place, 'payload-too-large', `the event has ${bytes} bytes; a payload may hold 262,144`)
  } catch (error) {
    // Circular, or holding a BigInt.
    return toFailed(place, 'validation-error', `the event cannot be written as JSON: ${String(error)}`)
  }
}
