import type { Verdict } from '@sluice/protocol'
import type { Context, Workspace } from './context.ts'
import { locateEvent } from './event-address.ts'
import { toWireVerdict } from './to-wire.ts'

/** What became of an event in each inbox; also of one that has expired or was erased. @throws HubError `not-found` */
export async function explainEvent(context: Context, workspace: Workspace, eventId: string): Promise<Verdict[]> {
  const { position } = await locateEvent(context, workspace, eventId)
  const verdicts = await context.store.explainEvent(workspace.id, position)
  return verdicts.map((verdict) => toWireVerdict(workspace, verdict))
}
