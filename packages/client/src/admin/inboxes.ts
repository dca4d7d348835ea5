import type {
  AckRequest,
  DeadLetterSelection,
  EventPage,
  ExtendRequest,
  Extended,
  Inbox,
  Lease,
  LeaseRequest,
  PatchInbox,
  PutInbox,
  ReleaseRequest,
  SeekRequest,
  Settled,
} from '@sluice/protocol'
import type { Settings } from '../options.ts'
import type { Call, Query, Request, RequestOptions } from '../request.ts'
import { streamInbox, type StreamedEvent, type StreamOptions } from '../stream.ts'
import type { AttemptPage, DeadLetterCount, DeadLetterPage, InboxPage, PageQuery } from './page.ts'

export type Ticket = { readonly ticket: string; readonly expires_at: string }

export function createInboxRoutes(settings: Settings, request: Request) {
  const to = (method: Call['method'], inbox: string, verb = ''): Pick<Call, 'method' | 'path'> => ({
    method,
    path: `/v1/inboxes/${encodeURIComponent(inbox)}${verb}`,
  })
  const get = <Answer>(inbox: string, verb: string, query: Query, options?: RequestOptions): Promise<Answer> =>
    request({ ...to('GET', inbox, verb), query, repeatable: true }, options)
  /** What leaves the same when it is done twice. */
  const repeat = <Answer>(inbox: string, verb: string, body: object, options?: RequestOptions): Promise<Answer> =>
    request({ ...to('POST', inbox, verb), body, repeatable: true }, options)
  const once = <Answer>(inbox: string, verb: string, body: object, options?: RequestOptions): Promise<Answer> =>
    request({ ...to('POST', inbox, verb), body, repeatable: false }, options)
  return {
    listInboxes: (query: PageQuery = {}, options?: RequestOptions): Promise<InboxPage> =>
      request({ method: 'GET', path: '/v1/inboxes', query, repeatable: true }, options),
    getInbox: (inbox: string, options?: RequestOptions): Promise<Inbox> => get(inbox, '', {}, options),
    /** Ensures the inbox; ApiError `inbox-differs` if it is there with other settings. */
    putInbox: (inbox: string, settings: PutInbox = {}, options?: RequestOptions): Promise<Inbox> =>
      request({ ...to('PUT', inbox), body: settings, repeatable: true }, options),
    patchInbox: (inbox: string, changes: PatchInbox, options?: RequestOptions): Promise<Inbox> =>
      request({ ...to('PATCH', inbox), body: changes, repeatable: true }, options),
    deleteInbox: (inbox: string, options?: RequestOptions): Promise<void> =>
      request({ ...to('DELETE', inbox), repeatable: false, answer: 'none' }, options),
    pauseInbox: (inbox: string, options?: RequestOptions): Promise<Inbox> =>
      request({ ...to('POST', inbox, '/pause'), repeatable: true }, options),
    resumeInbox: (inbox: string, options?: RequestOptions): Promise<Inbox> =>
      request({ ...to('POST', inbox, '/resume'), repeatable: true }, options),
    seekInbox: (inbox: string, body: SeekRequest, options?: RequestOptions): Promise<Inbox> =>
      once(inbox, '/seek', body, options),
    leaseEvents: (inbox: string, body: LeaseRequest = {}, options?: RequestOptions): Promise<Lease> => {
      const order = { ...body, lease_id: body.lease_id ?? settings.newId() }
      return request(
        { ...to('POST', inbox, '/lease'), body: order, repeatable: true, waitMs: (body.wait_seconds ?? 0) * 1000 },
        options,
      )
    },
    ackEvents: (inbox: string, body: AckRequest, options?: RequestOptions): Promise<Settled> =>
      repeat(inbox, '/ack', body, options),
    releaseEvents: (inbox: string, body: ReleaseRequest, options?: RequestOptions): Promise<Settled> =>
      repeat(inbox, '/release', body, options),
    extendLease: (inbox: string, body: ExtendRequest, options?: RequestOptions): Promise<Extended> =>
      repeat(inbox, '/extend', body, options),
    peekInbox: (inbox: string, query: PageQuery = {}, options?: RequestOptions): Promise<EventPage> =>
      get(inbox, '/events', query, options),
    streamInbox: (inbox: string, options: StreamOptions = {}): AsyncGenerator<StreamedEvent, void, undefined> =>
      streamInbox(settings, inbox, options),
    createTicket: (inbox: string, options?: RequestOptions): Promise<Ticket> =>
      request({ ...to('POST', inbox, '/stream/ticket'), repeatable: true }, options),
    listDeadLetters: (inbox: string, query: PageQuery = {}, options?: RequestOptions): Promise<DeadLetterPage> =>
      get(inbox, '/dead-letters', query, options),
    replayDeadLetters: (
      inbox: string,
      selection: DeadLetterSelection,
      options?: RequestOptions,
    ): Promise<DeadLetterCount> => once(inbox, '/dead-letters/replay', selection, options),
    discardDeadLetters: (
      inbox: string,
      selection: DeadLetterSelection,
      options?: RequestOptions,
    ): Promise<DeadLetterCount> => once(inbox, '/dead-letters/discard', selection, options),
    listAttempts: (inbox: string, query: PageQuery = {}, options?: RequestOptions): Promise<AttemptPage> =>
      get(inbox, '/attempts', query, options),
  }
}
