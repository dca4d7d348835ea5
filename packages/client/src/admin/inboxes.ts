import type {
  Inbox,
  PatchInbox,
  PushTested,
  PutInbox,
  ReplayedRange,
  ReplayRange,
  RotateSecret,
  SeekRequest,
} from '@sluice/protocol'
import type { Request, RequestOptions } from '../request.ts'
import type { InboxPage, PageQuery } from './page.ts'

export function createInboxRoutes(request: Request) {
  const of = (inbox: string): string => `/v1/inboxes/${encodeURIComponent(inbox)}`
  return {
    listInboxes: (query: PageQuery = {}, options?: RequestOptions): Promise<InboxPage> =>
      request({ method: 'GET', path: '/v1/inboxes', query, repeatable: true }, options),
    getInbox: (inbox: string, options?: RequestOptions): Promise<Inbox> =>
      request({ method: 'GET', path: of(inbox), repeatable: true }, options),
    /** Ensures the inbox; ApiError `inbox-differs` if it is there with other settings. */
    putInbox: (inbox: string, settings: PutInbox = {}, options?: RequestOptions): Promise<Inbox> =>
      request({ method: 'PUT', path: of(inbox), body: settings, repeatable: true }, options),
    patchInbox: (inbox: string, changes: PatchInbox, options?: RequestOptions): Promise<Inbox> =>
      request({ method: 'PATCH', path: of(inbox), body: changes, repeatable: true }, options),
    deleteInbox: (inbox: string, options?: RequestOptions): Promise<void> =>
      request({ method: 'DELETE', path: of(inbox), repeatable: false, answer: 'none' }, options),
    pauseInbox: (inbox: string, options?: RequestOptions): Promise<Inbox> =>
      request({ method: 'POST', path: `${of(inbox)}/pause`, repeatable: true }, options),
    resumeInbox: (inbox: string, options?: RequestOptions): Promise<Inbox> =>
      request({ method: 'POST', path: `${of(inbox)}/resume`, repeatable: true }, options),
    /** One step; send it again with `next_cursor` until it is done. */
    replayRange: (inbox: string, body: ReplayRange, options?: RequestOptions): Promise<ReplayedRange> =>
      request({ method: 'POST', path: `${of(inbox)}/replay`, body, repeatable: false }, options),
    /** Sends an example event to where the inbox pushes. */
    testPush: (inbox: string, options?: RequestOptions): Promise<PushTested> =>
      request({ method: 'POST', path: `${of(inbox)}/test`, repeatable: false }, options),
    /** The new secret is shown once; the old one signs, too, for a while. */
    rotatePushSecret: (inbox: string, body: RotateSecret = {}, options?: RequestOptions): Promise<{ secret: string }> =>
      request({ method: 'POST', path: `${of(inbox)}/secret/rotate`, body, repeatable: false }, options),
    seekInbox: (inbox: string, body: SeekRequest, options?: RequestOptions): Promise<Inbox> =>
      request({ method: 'POST', path: `${of(inbox)}/seek`, body, repeatable: false }, options),
  }
}
