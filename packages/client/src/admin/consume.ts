import type {
  AckRequest,
  EventPage,
  ExtendRequest,
  Extended,
  Lease,
  LeaseRequest,
  ReleaseRequest,
  Settled,
} from '@sluice/protocol'
import type { Settings } from '../options.ts'
import type { Request, RequestOptions } from '../request.ts'
import { streamInbox, type StreamedEvent, type StreamOptions } from '../stream.ts'
import type { PageQuery } from './page.ts'

export type Ticket = { readonly ticket: string; readonly expires_at: string }

export function createConsumeRoutes(settings: Settings, request: Request) {
  const post = <Answer>(
    inbox: string,
    verb: string,
    sent: { body?: object; waitMs?: number; options: RequestOptions | undefined },
  ): Promise<Answer> => {
    const { options, ...content } = sent
    return request(
      { method: 'POST', path: `/v1/inboxes/${encodeURIComponent(inbox)}/${verb}`, ...content, repeatable: true },
      options,
    )
  }
  return {
    peekInbox: (inbox: string, query: PageQuery = {}, options?: RequestOptions): Promise<EventPage> =>
      request(
        { method: 'GET', path: `/v1/inboxes/${encodeURIComponent(inbox)}/events`, query, repeatable: true },
        options,
      ),
    leaseEvents: (inbox: string, body: LeaseRequest = {}, options?: RequestOptions): Promise<Lease> => {
      const order = { ...body, lease_id: body.lease_id ?? settings.newId() }
      return post(inbox, 'lease', { body: order, waitMs: (body.wait_seconds ?? 0) * 1000, options })
    },
    ackEvents: (inbox: string, body: AckRequest, options?: RequestOptions): Promise<Settled> =>
      post(inbox, 'ack', { body, options }),
    releaseEvents: (inbox: string, body: ReleaseRequest, options?: RequestOptions): Promise<Settled> =>
      post(inbox, 'release', { body, options }),
    extendLease: (inbox: string, body: ExtendRequest, options?: RequestOptions): Promise<Extended> =>
      post(inbox, 'extend', { body, options }),
    streamInbox: (inbox: string, options: StreamOptions = {}): AsyncGenerator<StreamedEvent, void, undefined> =>
      streamInbox({ settings, request }, inbox, options),
    createTicket: (inbox: string, options?: RequestOptions): Promise<Ticket> =>
      post(inbox, 'stream/ticket', { options }),
  }
}
