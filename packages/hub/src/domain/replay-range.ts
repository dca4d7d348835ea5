import { matchesFilter, type ReplayedRange, type ReplayRange } from '@sluice/protocol'
import { toFilterSubject } from '../store/inbox-rules/scan.ts'
import type { StoredEvent } from '../store/store.ts'
import { noteDeed, type Caller } from './audit.ts'
import type { Context, Workspace } from './context.ts'
import { openCursorOf } from './cursors.ts'
import { requireInbox } from './inboxes.ts'
import { lookBack, type Range } from './look-back.ts'

/** Events that are given back at once. */
const atOnce = 100

/**
 * Hands the events of a time out again that an inbox has had: one step. Repeating it hands out once more what was acknowledged
 * meanwhile, and leaves what still waits.
 *
 * @throws HubError `not-found`, `invalid-cursor`
 */
export async function replayRange(
  context: Context,
  caller: Caller,
  key: string,
  order: ReplayRange,
): Promise<ReplayedRange> {
  const { workspace } = caller
  const { filter = {}, ignore_filter: ignoreFilter = false, dry_run: dryRun = false } = order
  const inbox = await requireInbox(context, workspace, key)
  const range = await findRange(context, workspace, key, order)
  const isWanted = (event: StoredEvent): boolean =>
    matchesFilter(filter, toFilterSubject(event)) &&
    (ignoreFilter || matchesFilter(inbox.settings.filter, toFilterSubject(event)))
  const counts = { replayed: 0, left: 0 }
  let lookedTo = range.after
  for await (const part of lookBack(context, workspace, range)) {
    const positions = part.events.filter((event) => event.body !== null && isWanted(event)).map((one) => one.position)
    const replayed = dryRun ? positions.length : await replayAll(context, workspace, key, positions)
    counts.replayed += replayed
    counts.left += positions.length - replayed
    lookedTo = part.lookedTo
  }
  const done = lookedTo >= range.last
  if (!dryRun && counts.replayed > 0)
    await noteDeed(context, caller, { verb: 'inbox.replay', target: key, details: counts })
  const cursor = done ? null : context.cursors.seal(scopeOf(workspace, key), `${lookedTo} ${range.last}`)
  return { ...counts, dry_run: dryRun, looked_at: lookedTo - range.after, done, next_cursor: cursor }
}

const scopeOf = ({ id }: Workspace, inbox: string): string => `${id}/replay/${inbox}`

async function findRange(
  { store, cursors }: Context,
  workspace: Workspace,
  inbox: string,
  { after, before, cursor }: ReplayRange,
): Promise<Range> {
  if (cursor !== undefined) {
    const [from = 0, last = 0] = openCursorOf(cursors, scopeOf(workspace, inbox), cursor).split(' ').map(Number)
    return { after: from, last }
  }
  const { head, trimmedTo } = await store.readHead(workspace.id)
  const first = after === undefined ? 1 : await store.findPosition(workspace.id, Date.parse(after))
  const end = before === undefined ? head + 1 : await store.findPosition(workspace.id, Date.parse(before))
  return { after: Math.max(trimmedTo, first - 1), last: Math.min(head, end - 1) }
}

/** Answers how many were handed out again. What they match was looked at already. */
async function replayAll(
  { store }: Context,
  workspace: Workspace,
  inbox: string,
  positions: readonly number[],
): Promise<number> {
  let count = 0
  for (let at = 0; at < positions.length; at += atOnce) {
    const part = positions.slice(at, at + atOnce)
    const outcomes = await Promise.all(part.map((one) => store.replayEvent(workspace.id, inbox, one, true)))
    count += outcomes.filter((outcome) => outcome === 'replayed').length
  }
  return count
}
