import type { Context, Workspace } from './context.ts'
import { requireEvent } from './event-address.ts'
import { toEventText } from './to-wire.ts'

/** The event as JSON text, acknowledged or not. @throws HubError `not-found`, `expired`, `erased` */
export async function getEvent(context: Context, workspace: Workspace, eventId: string): Promise<string> {
  return toEventText(workspace, await requireEvent(context, workspace, eventId))
}
