import type { RequestOptions } from '@sluice/client'
import type { Request } from '@sluice/client/rest'
import { toEnvelope, type Envelope, type EventOptions } from './envelope.ts'
import { isRecord } from './php-json.ts'

export type SendOptions = EventOptions &
  RequestOptions & {
    /** one is made when left out; every attempt carries the same */
    readonly idempotencyKey?: string | undefined
    /** one is made when left out; eSauti's logs have it */
    readonly requestId?: string | undefined
  }

/** What eSauti said to an event. */
export type Receipt = {
  readonly received: boolean
  /** where the answer names one */
  readonly event_id?: string
  /** of the answer */
  readonly status: number
  /** the body of the answer, as it came; an object if it was JSON */
  readonly raw: unknown
}

export type Events = {
  /**
   * Injects one event. It is tried again under the same idempotency key, and, with `hmacSecret`, signed anew each time.
   *
   * @param type an entity, a dot and what happened, as `order.created`
   * @throws EventValidationError before anything is sent; RateLimitError; ApiError; TransportError, after the last attempt
   * @example await esauti.events.send('order.created', { identity: { id: 'cus_456' }, data: { value: 99.99 } })
   */
  send(type: string, options?: SendOptions): Promise<Receipt>
  /** The envelope that `send` would send. */
  build(type: string, options?: EventOptions): Envelope
}

type EventSettings = {
  readonly path: string
  readonly source: string
  readonly nowMs: () => number
  readonly newId: () => string
}

export function createEvents(settings: EventSettings, request: Request): Events {
  const { path, source, nowMs, newId } = settings
  const build = (type: string, options: EventOptions = {}): Envelope =>
    toEnvelope(type, options, { source, nowMs: nowMs() })
  return {
    build,
    send: async (type, options = {}) => {
      const { idempotencyKey = newId(), requestId = newId(), signal, timeoutMs, maxRetries, totalTimeoutMs } = options
      const envelope = build(type, options)
      const headers = { 'x-request-id': requestId, 'x-esauti-source': envelope.source }
      const body = envelope
      const call = { method: 'POST', path, body, idempotencyKey, headers, repeatable: true, answer: 'text' } as const
      let status = 0
      const onAnswer: RequestOptions['onAnswer'] = (answer) => {
        status = answer.status
        options.onAnswer?.(answer)
      }
      const text = await request<string>(call, { signal, timeoutMs, maxRetries, totalTimeoutMs, onAnswer })
      return toReceipt(status, text)
    },
  }
}

/** What a success looks like is nowhere written: any 2xx is one, with an id where there is one. */
function toReceipt(status: number, text: string): Receipt {
  const raw = parseLeniently(text)
  const eventId = isRecord(raw) ? (raw['event_id'] ?? raw['id']) : undefined
  const known = typeof eventId === 'string' || typeof eventId === 'number' ? { event_id: String(eventId) } : {}
  return { received: !(isRecord(raw) && raw['received'] === false), ...known, status, raw }
}

function parseLeniently(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
