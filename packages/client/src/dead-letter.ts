import type { CloudEvent, NewEvent } from '@sluice/protocol'
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
  /** send it again under the same, and nothing is stored twice; of a CloudEvent its id, which does that together with its source */
  readonly idempotency_key: string
  /** requests that carried it; 0 when it was not tried, because the call was aborted or an earlier part of the batch failed */
  readonly attempts: number
  /** of the last answer; null if there was none */
  readonly status: number | null
  /** `code` is the hub's error code, `http-502` and the like, `no-answer`, `not-sent` or `aborted` */
  readonly error: { readonly code?: string; readonly message: string }
} & SentEvent

/** As it was sent, or would have been. */
type SentEvent =
  | { readonly event: NewEvent; readonly content_type?: undefined }
  /** what `sendCloudEvent` was given */
  | { readonly event: CloudEvent; readonly content_type: typeof cloudEventType }

export const cloudEventType = 'application/cloudevents+json'

/** Where dead letters go. What it returns is waited for; what it throws is logged and hides nothing. */
export type DeadLetterSink =
  | ((record: DeadLetterRecord) => unknown)
  | { readonly write: (record: DeadLetterRecord) => unknown }

/** One event that was given up. */
export type GivenUp = SentEvent & {
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

function toRecord(settings: Settings, { idempotencyKey, tries, error, ...sent }: GivenUp): DeadLetterRecord {
  return {
    dead_letter_id: settings.newId(),
    at: new Date(wallTime(settings.clock)).toISOString(),
    url: settings.baseUrl + settings.eventsEndpoint,
    ...sent,
    idempotency_key: idempotencyKey,
    attempts: tries.attempts,
    status: tries.status,
    error,
  }
}

/** Said on the console if there is no logger: nobody else knows of the event any more. */
function tellLost(settings: Settings, record: DeadLetterRecord, error: unknown): void {
  const logger = settings.logger ?? createRedactingLogger(consoleLogger, settings.secrets)
  const { dead_letter_id, idempotency_key } = record
  const event_type = record.content_type ? record.event.type : record.event.event_type
  logger.warn({ dead_letter_id, idempotency_key, event_type, reason: String(error) }, 'a dead letter could not be kept')
}
