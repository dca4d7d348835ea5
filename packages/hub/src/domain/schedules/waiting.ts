import { HubError, type ScheduledEvent } from '@sluice/protocol'
import type { DuePlace, ScheduledRow } from '../../store/scheduled.ts'
import { noteDeed, type Caller } from '../audit.ts'
import type { Context, Workspace } from '../context.ts'
import { openKey } from '../cursors.ts'
import { toPage, type Page, type PageRequest } from '../page.ts'
import { toIso } from '../to-wire.ts'

function toWire({ id, eventType, source, subject, dueMs, atMs }: ScheduledRow): ScheduledEvent {
  return {
    scheduled_id: id,
    event_type: eventType,
    source,
    subject,
    deliver_at: toIso(dueMs),
    accepted_at: toIso(atMs),
  }
}

/** In the order in which they are due. */
export async function listScheduledEvents(
  { store, cursors }: Context,
  workspace: Workspace,
  { limit, cursor }: PageRequest,
): Promise<Page> {
  const scope = `${workspace.id}/scheduled-events`
  const after = toPlace(openKey(cursors, scope, cursor))
  const rows = await store.scheduled.list(workspace.id, { after, limit: limit + 1 })
  return toPage({
    cursors,
    scope,
    limit,
    rows,
    placeOf: ({ dueMs, place }) => `${dueMs} ${place}`,
    print: (row) => JSON.stringify(toWire(row)),
  })
}

function toPlace(text: string): DuePlace {
  const [dueMs = 0, place = 0] = text.split(' ').map(Number)
  return { dueMs, place }
}

/** As JSON text: the event is the publisher's own text. @throws HubError `not-found` */
export async function showScheduledEvent({ store }: Context, workspace: Workspace, id: string): Promise<string> {
  const row = await store.scheduled.find(workspace.id, id.slice(0, 64))
  if (!row) throw noneThere(id)
  return `${JSON.stringify(toWire(row)).slice(0, -1)},"event":${row.body}}`
}

/** @throws HubError `not-found`, `conflict` when it is due and on its way into the log */
export async function cancelScheduledEvent(context: Context, caller: Caller, id: string): Promise<void> {
  const outcome = await context.store.scheduled.cancel(caller.workspace.id, id.slice(0, 64))
  if (outcome === 'unknown') throw noneThere(id)
  if (outcome === 'claimed')
    throw new HubError('conflict', `${id} is due and is being published just now; it cannot be cancelled any more`)
  await noteDeed(context, caller, { verb: 'scheduled-event.cancel', target: id })
}

const noneThere = (id: string): HubError =>
  new HubError('not-found', `no event ${id.slice(0, 64)} waits for its time; it may have been published or cancelled`)
