import type { Accepted, BatchAccepted, Event, NewBatchEvent, NewEvent } from '@sluice/protocol'
import { toChunks, toFailed, toLines, type BatchItemResult, type Line } from './batch.ts'
import { ApiError } from './error.ts'
import type { Settings } from './options.ts'
import type { Request, RequestOptions } from './request.ts'

/** Members of the event beside type and payload, as they stand on the wire, and how to send it. */
export type SendOptions = Omit<NewEvent, 'event_type' | 'payload'> &
  RequestOptions & {
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

export type BatchOptions = RequestOptions & {
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
   * Publishes one event. It is on disk when this resolves; `status` is `duplicate` when its idempotency key was known.
   *
   * @param eventType 1 to 255 characters, as `order.created`
   * @param payload an object of at most 256 KB as JSON
   * @throws EventValidationError with every fault; RateLimitError; ApiError; TransportError, after the last attempt
   * @example await sluice.events.send('order.created', { total: 42 }, { subject: 'order-7', idempotencyKey: 'order-7' })
   */
  send(eventType: string, payload: NewEvent['payload'], options?: SendOptions): Promise<Accepted>
  /**
   * Publishes any number of events, in requests of at most 1,000 events and 5 MiB, one after the other. Each event has an
   * idempotency key, its own or a made one, so that what is tried again is stored once. What the hub refused or could not
   * be reached for stands in the results.
   *
   * @throws ApiError or TransportError if not one event was accepted and a whole request failed
   * @example const { failed, results } = await sluice.events.sendBatch([{ event_type: 'a', payload: {} }])
   */
  sendBatch(events: readonly NewBatchEvent[], options?: BatchOptions): Promise<BatchOutcome>
  /** One event, acknowledged or not. Rejects with ApiError 404 for an unknown id, 410 for one that expired. */
  get(eventId: string, options?: RequestOptions): Promise<Event>
}

export function createEvents(settings: Settings, request: Request): Events {
  return {
    send: (eventType, payload, options = {}) => {
      const { idempotencyKey, signal, timeoutMs, maxRetries, totalTimeoutMs, onAnswer, ...members } = options
      const body: NewEvent = { event_type: eventType, payload, ...members }
      if (settings.source !== undefined) body.source ??= settings.source
      return request<Accepted>(
        {
          method: 'POST',
          path: settings.eventsEndpoint,
          body,
          idempotencyKey: idempotencyKey ?? settings.newId(),
          repeatable: true,
        },
        { signal, timeoutMs, maxRetries, totalTimeoutMs, onAnswer },
      )
    },
    sendBatch: (events, options = {}) => sendBatch({ settings, request }, events, options),
    get: (eventId, options) =>
      request<Event>(
        { method: 'GET', path: `${settings.eventsEndpoint}/${encodeURIComponent(eventId)}`, repeatable: true },
        options,
      ),
  }
}

type Sender = { readonly settings: Settings; readonly request: Request }

async function sendBatch(
  sender: Sender,
  events: readonly NewBatchEvent[],
  options: BatchOptions,
): Promise<BatchOutcome> {
  const { onProgress, ...requestOptions } = options
  const { lines, failed } = toLines(events, sender.settings)
  const results: BatchItemResult[] = [...failed]
  const chunks = toChunks(lines)
  for (const [at, chunk] of chunks.entries()) {
    try {
      results.push(...(await sendChunk(sender, chunk, requestOptions)))
    } catch (error) {
      if (results.every((result) => 'error' in result)) throw error
      // The rest would most likely meet the same; the caller decides whether to go on with it.
      results.push(
        ...chunks.slice(at).flatMap((unsent, more) => unsent.map((line) => toUnsent(line, error, more === 0))),
      )
      break
    } finally {
      onProgress?.(toProgress(events.length, results))
    }
  }
  const accepted = countAccepted(results)
  return {
    accepted,
    failed: results.length - accepted,
    results: results.toSorted((left, right) => left.index - right.index),
  }
}

async function sendChunk(sender: Sender, chunk: readonly Line[], options: RequestOptions): Promise<BatchItemResult[]> {
  const content = { type: 'application/x-ndjson', text: chunk.map((line) => line.text).join('') }
  const path = `${sender.settings.eventsEndpoint}/batch`
  const answer = await sender.request<BatchAccepted>({ method: 'POST', path, content, repeatable: true }, options)
  const byIndex = new Map(answer.results.map((result) => [result.index, result]))
  return chunk.map((line, index) => {
    const result = byIndex.get(index)
    if (!result) return toFailed(line, 'no-result', 'the hub answered the batch without a result for this event')
    return { ...result, index: line.index, idempotency_key: line.idempotencyKey }
  })
}

function toUnsent(line: Line, error: unknown, tried: boolean): BatchItemResult {
  const code = error instanceof ApiError ? (error.errorCode ?? `http-${error.status}`) : 'no-answer'
  const message = error instanceof Error ? error.message : String(error)
  return toFailed(line, tried ? code : 'not-sent', tried ? message : `an earlier part of the batch failed: ${message}`)
}

function toProgress(total: number, results: readonly BatchItemResult[]): BatchProgress {
  const accepted = countAccepted(results)
  return { total, done: results.length, accepted, failed: results.length - accepted }
}

function countAccepted(results: readonly BatchItemResult[]): number {
  return results.reduce((count, result) => ('error' in result ? count : count + 1), 0)
}
