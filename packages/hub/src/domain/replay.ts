import { HubError, type Replayed } from '@sluice/protocol'
import { noteDeed, type Caller } from './audit.ts'
import type { Context } from './context.ts'
import { requireEvent } from './event-address.ts'
import { requireInbox } from './inboxes.ts'

export type ReplayRequest = { readonly inbox: string; readonly ignore_filter?: boolean | undefined }

/**
 * Hands an event out again in an inbox that has seen it.
 *
 * @throws HubError `not-found`, `expired`, `erased`; `conflict` if the inbox's filter excludes it
 */
export async function replayEvent(
  context: Context,
  caller: Caller,
  eventId: string,
  request: ReplayRequest,
): Promise<Replayed> {
  const { workspace } = caller
  const { inbox, ignore_filter: ignoreFilter = false } = request
  const { position } = await requireEvent(context, workspace, eventId)
  await requireInbox(context, workspace, inbox)
  const status = await context.store.replayEvent(workspace.id, inbox, position, ignoreFilter)
  if (status === 'filtered') {
    throw new HubError(
      'conflict',
      `the filter of inbox "${inbox}" excludes event ${eventId}; send "ignore_filter": true to replay it all the same`,
    )
  }
  await noteDeed(context, caller, { verb: 'event.replay', target: eventId, details: { inbox, status } })
  return { event_id: eventId.toLowerCase(), inbox, status }
}
