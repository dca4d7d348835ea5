import type { NewEvent } from '@sluice/protocol'
import { wallTime } from './clock.ts'
import { ApiError } from './error.ts'
import { consoleLogger, createRedactingLogger } from './logger.ts'
import type { Settings } from './options.ts'
import type { Tries } from './request.ts'

/** An event that could not be published, with all it takes to send it again. One line of a dead-letter file. */
export type DeadLetterRecord = {
  readonly dead_letter_id: string
  /** when it was given up, ISO 8601 UTC */
  readonly at: string
  /** where it was to go; no key stands in it */
  readonly url: string
  /** as it was sent, or would have been */
  readonly event: NewEvent
  /** send it again under the same, and nothing is stored twice */
  readonly idempotency_key: string
  /** requests that carried it; 0 when it was not tried, because the call was aborted or an earlier part of the batch failed */
  readonly attempts: number
  /** of the last answer; null if there was none */
  readonly status: number | null
  /** `code` is the hub's error code, `http-502` and the like, `no-answer`, `not-sent` or `aborted` */
  readonly error: { readonly code?: string; readonly message: string }
}

/** Where dead letters go. What it returns is waited for; what it throws is logged and hides nothing. */
export type DeadLetterSink =
  | ((record: DeadLetterRecord) => unknown)
  | { readonly write: (record: DeadLetterRecord) => unknown }

/** One event that was given up. */
export type GivenUp = {
  readonly event: NewEvent
  readonly idempotencyKey: string
  readonly tries: Tries
  readonly error: DeadLetterRecord['error']
}

/** Hands events to the sink, each once. Never rejects. */
export async function buryEvents(settings: Settings, events: readonly GivenUp[]): Promise<void> {
  const { deadLetter: sink } = settings
  if (!sink) return
  const bury = async (given: GivenUp): Promise<void> => {
    const record = toRecord(settings, given)
    try {
      await (typeof sink === 'function' ? sink(record) : sink.write(record))
    } catch (error) {
      tellLost(settings, record, error)
    }
  }
  // All at once, so that a sink can write many with one fsync.
  await Promise.all(events.map(bury))
}

/** What an error that ended a call looks like in a record. */
export function toRecordError(error: unknown): DeadLetterRecord['error'] {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof ApiError) return { code: error.errorCode ?? `http-${error.status}`, message }
  return { code: error instanceof Error && error.name === 'TransportError' ? 'no-answer' : 'aborted', message }
}

function toRecord(settings: Settings, { event, idempotencyKey, tries, error }: GivenUp): DeadLetterRecord {
  return {
    dead_letter_id: settings.newId(),
    at: new Date(wallTime(settings.clock)).toISOString(),
    url: settings.baseUrl + settings.eventsEndpoint,
    event,
    idempotency_key: idempotencyKey,
    attempts: tries.attempts,
    status: tries.status,
    error,
  }
}

/** Said on the console if there is no logger: nobody else knows of the event any more. */
function tellLost(settings: Settings, record: DeadLetterRecord, error: unknown): void {
  const logger = settings.logger ?? createRedactingLogger(consoleLogger, settings.secrets)
  const { dead_letter_id, idempotency_key, event } = record
  logger.warn(
    { dead_letter_id, idempotency_key, event_type: event.event_type, reason: String(error) },
    'a dead letter could not be kept',
  )
}
