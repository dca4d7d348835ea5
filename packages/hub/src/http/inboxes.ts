import { ackEvents, releaseEvents } from '../domain/acknowledge.ts'
import type { Context } from '../domain/context.ts'
import {
  deleteInbox,
  ensureInbox,
  listInboxes,
  patchInbox,
  pauseInbox,
  requireInbox,
  resumeInbox,
  seekInbox,
  showInbox,
} from '../domain/inboxes.ts'
import { rotatePushSecret, testPush } from '../domain/deliver/doors.ts'
import { extendLease, leaseEvents, type Leased } from '../domain/lease.ts'
import { peekInbox } from '../domain/peek.ts'
import { replayRange } from '../domain/replay-range.ts'
import { toEventText, toIso } from '../domain/to-wire.ts'
import { eventPageResponse, leaseResponse, type LeaseFacts } from './cloudevents-out.ts'
import { json, noContent } from './exchange.ts'
import type { Handlers } from './call.ts'
import { pageResponse } from './page.ts'

type InboxRoute =
  | 'listInboxes'
  | 'getInbox'
  | 'putInbox'
  | 'patchInbox'
  | 'deleteInbox'
  | 'pauseInbox'
  | 'resumeInbox'
  | 'testPush'
  | 'rotatePushSecret'
  | 'seekInbox'
  | 'replayRange'
  | 'leaseEvents'
  | 'ackEvents'
  | 'releaseEvents'
  | 'extendLease'
  | 'peekInbox'

export function inboxHandlers(context: Context): Pick<Handlers, InboxRoute> {
  return {
    listInboxes: async ({ principal, query }) =>
      pageResponse('inboxes', await listInboxes(context, principal.workspace, query)),
    getInbox: async ({ principal, params }) => json(200, await showInbox(context, principal.workspace, params.inbox)),
    putInbox: async ({ principal, params, body }) => {
      const { inbox, created } = await ensureInbox(context, principal, params.inbox, body)
      return json(created ? 201 : 200, inbox)
    },
    patchInbox: async ({ principal, params, body }) =>
      json(200, await patchInbox(context, principal, params.inbox, body)),
    deleteInbox: async ({ principal, params }) => {
      await deleteInbox(context, principal, params.inbox)
      return noContent()
    },
    pauseInbox: async ({ principal, params }) =>
      json(200, await pauseInbox(context, principal.workspace, params.inbox)),
    resumeInbox: async ({ principal, params }) =>
      json(200, await resumeInbox(context, principal.workspace, params.inbox)),
    testPush: async ({ principal: { workspace }, params }) =>
      json(200, await testPush(context, { workspace, inbox: await requireInbox(context, workspace, params.inbox) })),
    rotatePushSecret: async ({ principal, params, body }) => {
      const inbox = await requireInbox(context, principal.workspace, params.inbox)
      return json(200, await rotatePushSecret(context, principal, inbox, body))
    },
    seekInbox: async ({ principal, params, body }) =>
      json(200, await seekInbox(context, principal, params.inbox, body)),
    replayRange: async ({ principal, params, body }) =>
      json(200, await replayRange(context, principal, params.inbox, body)),
    leaseEvents: async (call) => {
      const { params, body, request, confirm } = call
      const { workspace } = call.principal
      const order = { ...body, signal: request.signal, confirm: () => confirm('inbox') }
      const leased = await leaseEvents(context, workspace, params.inbox, order)
      const items = leased.events.map((event) => toEventText(workspace, event, event.attempt))
      return leaseResponse(call, toLeaseFacts(leased), items)
    },
    ackEvents: async ({ principal, params, body }) =>
      json(200, await ackEvents(context, principal.workspace, params.inbox, body)),
    releaseEvents: async ({ principal, params, body }) =>
      json(200, await releaseEvents(context, principal.workspace, params.inbox, body)),
    extendLease: async ({ principal, params, body }) => {
      const { untilMs } = await extendLease(context, principal.workspace, params.inbox, body)
      return json(200, { lease_id: body.lease_id, leased_until: toIso(untilMs) })
    },
    peekInbox: async (call) =>
      eventPageResponse(call, await peekInbox(context, call.principal.workspace, call.params.inbox, call.query)),
  }
}

function toLeaseFacts({ leaseId, untilMs, inboxStatus }: Leased): LeaseFacts {
  return { lease_id: leaseId, leased_until: untilMs === null ? null : toIso(untilMs), inbox_status: inboxStatus }
}
