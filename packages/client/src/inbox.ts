import type { EventPage, Extended, Lease, Settled } from '@sluice/protocol'
import type { Settings } from './options.ts'
import type { Request, RequestOptions } from './request.ts'
import { streamInbox, type StreamedEvent, type StreamOptions } from './stream.ts'
import type { WorkResult } from './work/settle.ts'
import { drain, work, type DrainOptions, type WorkOptions } from './work/work.ts'
import type { Handler } from './work/worker.ts'

export type PollOptions = RequestOptions & {
  /** 1 to 200; default 50 */
  readonly limit?: number | undefined
  /** `next_cursor` of the page before */
  readonly cursor?: string | null | undefined
}

export type LeaseOptions = RequestOptions & {
  /** 1 to 1,000; default 10 */
  readonly limit?: number | undefined
  /** 1 to 3,600; default: the inbox's own */
  readonly leaseSeconds?: number | undefined
  /** 0 to 20: how long to wait for an event if there is none; default 0 */
  readonly waitSeconds?: number | undefined
  /** made when left out; asking again with the same one gives the same events while they are held */
  readonly leaseId?: string | undefined
}

export type ReleaseOptions = RequestOptions & {
  /** default: all that the lease holds */
  readonly eventIds?: readonly string[] | undefined
  /** default: the retry schedule of the inbox */
  readonly delaySeconds?: number | undefined
  /** at most 2,000 characters, shown with the attempts and in the dead letter */
  readonly reason?: string | undefined
  /** false: nobody touched the events, so the hand-out costs them no attempt */
  readonly count?: boolean | undefined
}

/** One inbox. All of these share its progress; see `work` for the one to start with. */
export type Inbox = {
  readonly key: string
  /** Looks at what waits, oldest first, and changes nothing. */
  poll(options?: PollOptions): Promise<EventPage>
  /** Acknowledges one event without a lease, also a second time. Only the inbox `default` can do this. */
  acknowledge(eventId: string, options?: RequestOptions): Promise<void>
  /** Takes events to work on: nobody else gets them until the lease ends. An inbox without events gives an empty lease. */
  lease(options?: LeaseOptions): Promise<Lease>
  /**
   * Done: `eventIds`, or all that the lease still holds. Repeatable.
   *
   * @throws ApiError `lease-lost` if some were given to another consumer meanwhile; `problem.details.results` says which
   */
  ack(leaseId: string, eventIds?: readonly string[], options?: RequestOptions): Promise<Settled>
  /** Gives back what could not be done. Repeatable; throws as `ack` does. */
  release(leaseId: string, options?: ReleaseOptions): Promise<Settled>
  /** Keeps a lease for so many seconds from now on. Rejects with ApiError `lease-lost` when it is not held any more. */
  extend(leaseId: string, leaseSeconds: number, options?: RequestOptions): Promise<Extended>
  /**
   * Events as they come, over one connection that is made anew when it breaks, going on where it was. Without
   * `leaseSeconds` it only follows; with it, it competes for work and each event carries the `lease_id` to acknowledge.
   * Ends when the signal aborts. However it is left, what was leased for it and not given to the caller goes back as if it
   * had never been handed out; the event given last stays the caller's.
   *
   * @example for await (const event of sluice.inbox('crm').stream({ signal })) console.log(event.event_type)
   */
  stream(options?: StreamOptions): AsyncGenerator<StreamedEvent, void, undefined>
  /**
   * Runs the handler over everything that waits, and resolves when a lease comes back empty and nothing is in work.
   *
   * @throws what the hub refused, or TransportError after the last attempt
   */
  drain(handler: Handler, options?: DrainOptions): Promise<WorkResult>
  /**
   * Runs the handler over events as they come, until the signal aborts. An event is acknowledged when its handler returns and
   * released when it throws (`retryAfter` on the error, in seconds, decides when it comes back; else the inbox's retry
   * schedule). Slow events are kept by extending their lease. When the signal aborts: what was not begun goes back at once,
   * what runs is finished. Hubs that are away are waited for.
   *
   * @throws ApiError 401, 403 or 404, and other refusals that waiting does not cure
   * @example await sluice.inbox('crm').work(async (event) => { await save(event.payload) }, { concurrency: 8, signal })
   */
  work(handler: Handler, options?: WorkOptions): Promise<WorkResult>
}

export function createInbox(settings: Settings, request: Request, key: string): Inbox {
  const path = `/v1/inboxes/${encodeURIComponent(key)}`
  const post = <Answer>(verb: string, body: object, options: RequestOptions | undefined, waitMs = 0): Promise<Answer> =>
    request<Answer>({ method: 'POST', path: `${path}/${verb}`, body, repeatable: true, waitMs }, options)
  const inbox: Inbox = {
    key,
    poll: ({ limit, cursor, ...options } = {}) =>
      request<EventPage>(
        { method: 'GET', path: `${path}/events`, query: { limit, cursor: cursor ?? undefined }, repeatable: true },
        options,
      ),
    acknowledge: async (eventId, options) => {
      if (key !== 'default')
        throw new TypeError(`only the inbox default acknowledges without a lease; lease events from ${key}, then ack`)
      const call = {
        method: 'DELETE',
        path: `${settings.eventsEndpoint}/${encodeURIComponent(eventId)}`,
        repeatable: true,
        answer: 'none',
      } as const
      await request<void>(call, options)
    },
    lease: ({ limit, leaseSeconds, waitSeconds, leaseId, ...options } = {}) => {
      // The id is made here: if the answer is lost, asking again gives the same events instead of others.
      const body = {
        limit,
        lease_seconds: leaseSeconds,
        wait_seconds: waitSeconds,
        lease_id: leaseId ?? settings.newId(),
      }
      return post<Lease>('lease', body, options, (waitSeconds ?? 0) * 1000)
    },
    ack: (leaseId, eventIds, options) => post<Settled>('ack', { lease_id: leaseId, event_ids: eventIds }, options),
    release: (leaseId, { eventIds, delaySeconds, reason, count, ...options } = {}) =>
      post<Settled>(
        'release',
        { lease_id: leaseId, event_ids: eventIds, delay_seconds: delaySeconds, reason, count },
        options,
      ),
    extend: (leaseId, leaseSeconds, options) =>
      post<Extended>('extend', { lease_id: leaseId, lease_seconds: leaseSeconds }, options),
    stream: (options = {}) => streamInbox({ settings, request }, key, options),
    drain: (handler, options = {}) => drain({ settings, request, inbox }, handler, options),
    work: (handler, options = {}) => work({ settings, request, inbox }, handler, options),
  }
  return inbox
}
