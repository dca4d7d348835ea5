import type { ReplayedRange, ReplayRange } from '@sluice/protocol'
import { noteDeed, type Caller } from './audit.ts'
import type { Context, Workspace } from './context.ts'
import { requireInbox } from './inboxes.ts'
import { lookBack, openStep, type Range } from './look-back.ts'

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
  const { filter = {}, ignore_filter: ignoreFilter = false, dry_run: dryRun = false, cursor } = order
  const inbox = await requireInbox(context, workspace, key)
  const scope = `${workspace.id}/replay/${key}`
  const step = await openStep(context, { scope, cursor, begin: () => findRange(context, workspace, order) })
  const filters = ignoreFilter ? [filter] : [filter, inbox.settings.filter]
  const { matched, ...looked } = await lookBack(context, workspace, step, filters)
  const positions = matched.filter(({ wantedBy }) => !wantedBy.includes(false)).map(({ position }) => position)
  const replayed = dryRun ? positions.length : await replayAll(context, workspace, key, positions)
  const counts = { replayed, left: positions.length - replayed }
  if (!dryRun && replayed > 0) await noteDeed(context, caller, { verb: 'inbox.replay', target: key, details: counts })
  return { ...counts, dry_run: dryRun, ...looked }
}

async function findRange({ store }: Context, workspace: Workspace, { after, before }: ReplayRange): Promise<Range> {
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
