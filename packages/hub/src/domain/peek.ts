import type { Context, Workspace } from './context.ts'
import { inboxScope, openPosition } from './cursors.ts'
import { requireInbox } from './inboxes.ts'
import type { Page, PageRequest } from './page.ts'
import { toEventText } from './to-wire.ts'

/** What waits in an inbox, oldest first. Takes no lease and changes nothing. */
export async function peekInbox(
  context: Context,
  workspace: Workspace,
  key: string,
  { limit, cursor }: PageRequest,
): Promise<Page> {
  const { store, cursors } = context
  const scope = inboxScope(workspace, key)
  const after = openPosition(cursors, scope, cursor, 0)
  await requireInbox(context, workspace, key)
  const { events, more, scannedTo } = await store.peekEvents(workspace.id, key, { after, limit })
  return {
    items: events.map((event) => toEventText(workspace, event)),
    nextCursor: more ? cursors.seal(scope, String(scannedTo)) : null,
    hasMore: more,
  }
}
