import type { Accepted, Event, NewBatchEvent, NewEvent } from '@sluice/protocol'
import type { BatchItemResult } from './batch.ts'
import { sendCloudEvent, type SendableCloudEvent } from './cloudevent.ts'
import { buryEvents, toRecordError } from './dead-letter.ts'
import type { Settings } from './options.ts'
import type { Request, RequestOptions, Tries } from './request.ts'
import { sendBatch, type Sender } from './send-batch.ts'

export type PublishOptions = RequestOptions & {
  /** false: what fails does not go to the dead-letter sink, because the caller keeps it; default true */
  readonly deadLetter?: boolean | undefined
}

/** Members of the event beside type and payload, as they stand on the wire, and how to send it. */
export type SendOptions = Omit<NewEvent, 'event_type' | 'payload'> &
  PublishOptions & {
    /** one is made when left out; every attempt carries the same. Give your own to make a repeated call safe, too */
    readonly idempotencyKey?: string | undefined
  }

export type BatchProgress = {
  readonly total: number
  /** with a result, good or bad */
  readonly done: number
  readonly accepted: number
  readonly failed: number
}

export type BatchOptions = PublishOptions & {
  /** in one request, 1 to 1,000; default 1,000 */
  readonly maxEvents?: number | undefined
  /** after each request */
  readonly onProgress?: ((progress: BatchProgress) => void) | undefined
}

/** In the order of the events; `accepted` counts duplicates too. */
export type BatchOutcome = {
  readonly accepted: number
  readonly failed: number
  readonly results: readonly BatchItemResult[]
}

export type Events = {
  /**
   * Publishes one event. It is on disk when this resolves; `status` is `duplicate` when its idempotency key was known, and
   * `quarantined` when its schema keeps it back; `warnings` say what else is wrong with it. When it rejects after trying or because the signal aborted, the event has gone to the dead-letter sink, if there is one.
   *
   * @param eventType 1 to 255 characters, as `order.created`
   * @param payload an object of at most 256 KB as JSON
   * @throws TypeError for what cannot be sent at all, as a payload that is no JSON; EventValidationError with every fault; RateLimitError; ApiError; TransportError, after the last attempt
   * @example await sluice.events.send('order.created', { total: 42 }, { subject: 'order-7', idempotencyKey: 'order-7' })
   */
  send(eventType: string, payload: NewEvent['payload'], options?: SendOptions): Promise<Accepted>
  /**
   * Publishes any number of events, in requests of at most 1,000 events and 5 MiB, one after the other. Each event has an
   * idempotency key, its own or a made one, so that what is tried again is stored once. What the hub refused or could not
   * be reached for stands in the results, and each of these has gone to the dead-letter sink, if there is one.
   *
   * @throws TypeError for what is no list; RangeError for `maxEvents`; ApiError or TransportError if not one event was accepted and a whole request failed
   * @example const { failed, results } = await sluice.events.sendBatch([{ event_type: 'a', payload: {} }])
   */
  sendBatch(events: readonly NewBatchEvent[], options?: BatchOptions): Promise<BatchOutcome>
  /**
   * Publishes a CloudEvent 1.0. Sending it again is safe: source and id are one event. When it rejects after trying, it has
   * gone to the dead-letter sink, if there is one, with `content_type` beside it.
   *
   * @param event as JSON: bytes belong into `data_base64`. An event of the `cloudevents` package will do
   * @throws EventValidationError with every fault, by attribute; RateLimitError; ApiError; TransportError
   * @example await sluice.events.sendCloudEvent({ specversion: '1.0', id: '7', source: '/shop', type: 'order.created' })
   */
  sendCloudEvent(event: SendableCloudEvent, options?: PublishOptions): Promise<Accepted>
  /** One event, acknowledged or not. Rejects with ApiError 404 for an unknown id, 410 for one that expired. */
  get(eventId: string, options?: RequestOptions): Promise<Event>
}

export function createEvents(settings: Settings, request: Request): Events {
  return {
    send: (eventType, payload, options = {}) => sendOne({ settings, request }, { eventType, payload, options }),
    sendBatch: (events, options = {}) => sendBatch({ settings, request }, events, options),
    sendCloudEvent: (event, options) => sendCloudEvent({ settings, request }, event, options),
    get: (eventId, options) =>
      request<Event>(
        { method: 'GET', path: `${settings.eventsEndpoint}/${encodeURIComponent(eventId)}`, repeatable: true },
        options,
      ),
  }
}

type One = { readonly eventType: string; readonly payload: NewEvent['payload']; readonly options: SendOptions }

async function sendOne({ settings, request }: Sender, { eventType, payload, options }: One): Promise<Accepted> {
  const { idempotencyKey = settings.newId(), deadLetter = true, ...rest } = options
  const { signal, timeoutMs, maxRetries, totalTimeoutMs, onAnswer, ...members } = rest
  const event: NewEvent = { event_type: eventType, payload, ...members }
  if (settings.source !== undefined) event.source ??= settings.source
  const tries: Tries = { attempts: 0, status: null }
  try {
    const call = {
      method: 'POST',
      path: settings.eventsEndpoint,
      body: event,
      idempotencyKey,
      repeatable: true,
    } as const
    return await request<Accepted>({ ...call, tries }, { signal, timeoutMs, maxRetries, totalTimeoutMs, onAnswer })
  } catch (error) {
    // Otherwise it cannot be sent, now or later: the caller's code is at fault.
    const isSendable = tries.attempts > 0 || signal?.aborted
    if (deadLetter && isSendable)
      await buryEvents(settings, [{ event, idempotencyKey, tries, error: toRecordError(error) }])
    throw error
  }
}
