import type {
  Accepted,
  BatchAccepted,
  Event,
  EventPage,
  NewBatchEvent,
  NewEvent,
  Replayed,
  TriedFilter,
  TryFilter,
  Verdict,
} from '@sluice/protocol'
import type { Settings } from '../options.ts'
import type { Request, RequestOptions } from '../request.ts'
import { tailEvents, type TailQuery, type Tailed } from '../tail.ts'
import type { PageQuery } from './page.ts'

export type SearchQuery = PageQuery & {
  /** glob */
  readonly event_type?: string | undefined
  readonly source?: string | undefined
  readonly subject?: string | undefined
  readonly channel?: string | undefined
  /** id, email, phone or external_id */
  readonly identity?: string | undefined
  /** `type:id` or an id */
  readonly entity?: string | undefined
  readonly after?: string | undefined
  readonly before?: string | undefined
  /** part of the payload */
  readonly text?: string | undefined
}

/** `searched_to` tells how far back a bounded scan came. */
export type SearchPage = EventPage & { readonly searched_to: string | null }
export type Explanation = { readonly event_id: string; readonly verdicts: Verdict[] }

type PublishOptions = RequestOptions & { readonly idempotencyKey?: string | undefined }

export function createEventRoutes(settings: Settings, request: Request) {
  const of = (eventId: string): string => `/v1/events/${encodeURIComponent(eventId)}`
  return {
    publishEvent: (event: NewEvent, { idempotencyKey, ...options }: PublishOptions = {}): Promise<Accepted> =>
      request(
        {
          method: 'POST',
          path: '/v1/events',
          body: event,
          idempotencyKey: idempotencyKey ?? settings.newId(),
          repeatable: true,
        },
        options,
      ),
    /** One request, at most 1,000 events and 5 MiB; tried again only if every event has an idempotency key. */
    publishBatch: (events: readonly NewBatchEvent[], options?: RequestOptions): Promise<BatchAccepted> => {
      const repeatable = events.every((event) => event.idempotency_key !== undefined)
      return request({ method: 'POST', path: '/v1/events/batch', body: { events }, repeatable }, options)
    },
    searchEvents: (query: SearchQuery = {}, options?: RequestOptions): Promise<SearchPage> =>
      request({ method: 'GET', path: '/v1/events', query, repeatable: true }, options),
    pollDefault: (query: PageQuery = {}, options?: RequestOptions): Promise<EventPage> =>
      request({ method: 'GET', path: '/v1/events/inbox', query, repeatable: true }, options),
    /** What is published from now on, for somebody who looks on; see `Tailed`. Ends with the connection: what came meanwhile is found by `searchEvents`. */
    tailEvents: (query: TailQuery, signal: AbortSignal): AsyncGenerator<Tailed, void, undefined> =>
      tailEvents(settings, query, signal),
    getEvent: (eventId: string, options?: RequestOptions): Promise<Event> =>
      request({ method: 'GET', path: of(eventId), repeatable: true }, options),
    acknowledgeEvent: (eventId: string, options?: RequestOptions): Promise<void> =>
      request({ method: 'DELETE', path: of(eventId), repeatable: true, answer: 'none' }, options),
    explainEvent: (eventId: string, options?: RequestOptions): Promise<Explanation> =>
      request({ method: 'GET', path: `${of(eventId)}/explain`, repeatable: true }, options),
    /** One step; send it again with `next_cursor` until it is done. */
    tryFilter: (body: TryFilter, options?: RequestOptions): Promise<TriedFilter> =>
      request({ method: 'POST', path: '/v1/filters/try', body, repeatable: true }, options),
    replayEvent: (
      eventId: string,
      body: { inbox: string; ignore_filter?: boolean | undefined },
      options?: RequestOptions,
    ): Promise<Replayed> =>
      request({ method: 'POST', path: `${of(eventId)}/replay`, body, repeatable: false }, options),
  }
}
