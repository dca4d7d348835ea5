import { setImmediate as nextTurn } from 'node:timers/promises'
import type { InboxRow } from '../store/store.ts'
import type { Context, Workspace } from './context.ts'
import { inboxScope, openPosition } from './cursors.ts'
import { requireInbox } from './inboxes.ts'
import { toEventText } from './to-wire.ts'

/** One thing to send (without text: only the place where the stream begins), or `idle` about once a second while there is none. */
export type StreamItem = { readonly cursor: string; readonly text: string } | 'idle'

export type FollowRequest = {
  readonly from?: 'latest' | 'earliest' | undefined
  readonly cursor?: string | undefined
  readonly signal: AbortSignal
  /** asked about once a second: a stream ends when its key does */
  readonly isAllowed: () => Promise<boolean>
}

export const tickMs = 1000
const eventsAtATime = 100
/** Rows that one look may cost: it happens on the thread that serves requests. */
const rowBudget = 1000

/**
 * The events that an inbox wants, from where it stands (or from a cursor, or an end of the log) on and as they come. Takes no
 * lease and makes no progress.
 */
export async function followInbox(
  context: Context,
  workspace: Workspace,
  key: string,
  request: FollowRequest,
): Promise<AsyncGenerator<StreamItem>> {
  const inbox = await requireInbox(context, workspace, key)
  const after = await placeOf(context, workspace, inbox, request)
  return follow({ context, workspace, inbox, after, request })
}

async function placeOf(
  { store, cursors }: Context,
  workspace: Workspace,
  inbox: InboxRow,
  request: FollowRequest,
): Promise<number> {
  if (request.cursor !== undefined) return openPosition(cursors, inboxScope(workspace, inbox.key), request.cursor, 0)
  if (request.from === undefined) return inbox.next - 1
  const { head, trimmedTo } = await store.readHead(workspace.id)
  return request.from === 'latest' ? head : trimmedTo
}

type Following = {
  readonly context: Context
  readonly workspace: Workspace
  readonly inbox: InboxRow
  readonly after: number
  readonly request: FollowRequest
}

async function* follow(following: Following): AsyncGenerator<StreamItem> {
  const { context, workspace, request } = following
  const { store, notifier, cursors } = context
  const scope = inboxScope(workspace, following.inbox.key)
  let { after, inbox } = following
  let checkedMs = performance.now()
  let follower = notifier.follow(workspace.id, inbox.settings.filter)
  try {
    // A reader that is cut off before the first event comes back to here, not to a later end of the log.
    yield { cursor: cursors.seal(scope, String(after)), text: '' }
    while (!request.signal.aborted && !notifier.isClosed()) {
      follower.begin()
      const scan = { after, filter: inbox.settings.filter, limit: eventsAtATime, rowBudget }
      const { events, scannedTo } = await store.scanEvents(workspace.id, scan)
      for (const event of events)
        yield { cursor: cursors.seal(scope, String(event.position)), text: toEventText(workspace, event) }
      if (scannedTo > after) {
        after = scannedTo
        await nextTurn()
      } else {
        await follower.wait(tickMs, request.signal)
        yield 'idle'
      }
      if (performance.now() - checkedMs < tickMs) continue
      checkedMs = performance.now()
      const fresh = (await request.isAllowed()) ? await store.findInbox(workspace.id, inbox.key) : undefined
      if (!fresh) return
      if (fresh.revision !== inbox.revision) {
        follower.leave()
        follower = notifier.follow(workspace.id, fresh.settings.filter)
      }
      inbox = fresh
    }
  } finally {
    follower.leave()
  }
}
