import type { DeadLetterSelection } from '@sluice/protocol'
import type { DeadLetterChoice } from '../store/store.ts'
import { noteDeed, type Caller } from './audit.ts'
import type { Context, Workspace } from './context.ts'
import { openPosition } from './cursors.ts'
import { toPosition } from './event-address.ts'
import { requireInbox } from './inboxes.ts'
import { toPage, type Page, type PageRequest } from './page.ts'
import { toDeadLetterText, toWireAttempt } from './to-wire.ts'

/** Oldest event first. */
export async function listDeadLetters(
  context: Context,
  workspace: Workspace,
  key: string,
  { limit, cursor }: PageRequest,
): Promise<Page> {
  const { store, cursors } = context
  const scope = `${workspace.id}/dead-letters/${key}`
  const after = openPosition(cursors, scope, cursor, 0)
  await requireInbox(context, workspace, key)
  const rows = await store.listDeadLetters(workspace.id, key, { after, limit: limit + 1 })
  return toPage({
    cursors,
    scope,
    limit,
    rows,
    placeOf: ({ position }) => position,
    print: (letter) => toDeadLetterText(workspace, letter),
  })
}

/** Hands dead letters out anew, or gives them up; answers how many. With `dry_run` it only counts them. */
export async function settleDeadLetters(
  context: Context,
  caller: Caller,
  key: string,
  { action, selection }: { readonly action: 'replay' | 'discard'; readonly selection: DeadLetterSelection },
): Promise<number> {
  const { workspace } = caller
  await requireInbox(context, workspace, key)
  const choice = toChoice(workspace, selection)
  if (selection.dry_run) return context.store.settleDeadLetters(workspace.id, key, choice, 'count')
  const count = await context.store.settleDeadLetters(workspace.id, key, choice, action)
  await noteDeed(context, caller, { verb: `dead-letters.${action}`, target: key, details: { count } })
  return count
}

function toChoice(workspace: Workspace, { event_ids: eventIds, filter = {} }: DeadLetterSelection): DeadLetterChoice {
  if (eventIds)
    return { positions: eventIds.map((id) => toPosition(workspace, id)).filter((position) => position !== undefined) }
  return {
    ...(filter.event_type !== undefined && { eventType: filter.event_type }),
    ...(filter.after !== undefined && { afterMs: Date.parse(filter.after) }),
    ...(filter.before !== undefined && { beforeMs: Date.parse(filter.before) }),
  }
}

/** Hand-outs that did not end in an acknowledgement, newest first. */
export async function listAttempts(
  context: Context,
  workspace: Workspace,
  key: string,
  { limit, cursor }: PageRequest,
): Promise<Page> {
  const { store, cursors } = context
  const scope = `${workspace.id}/attempts/${key}`
  const before = openPosition(cursors, scope, cursor, Number.MAX_SAFE_INTEGER)
  await requireInbox(context, workspace, key)
  const rows = await store.listAttempts(workspace.id, key, { before, limit: limit + 1 })
  return toPage({
    cursors,
    scope,
    limit,
    rows,
    placeOf: ({ id }) => id,
    print: (row) => JSON.stringify(toWireAttempt(workspace, row)),
  })
}
