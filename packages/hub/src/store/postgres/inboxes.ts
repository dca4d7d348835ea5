import { HubError } from '@sluice/protocol/error'
import { toInboxRow } from '../inbox-rules/change.ts'
import type { InboxState, LogState, Rows, Session } from '../inbox-rules/rows.ts'
import { printDoor } from '../doors.ts'
import type { InboxRow, NewInbox as Wanted } from '../store.ts'
import { early } from './asked-ahead.ts'
import type { Outcome } from './group-commit.ts'
import { inboxColumns, requireInbox, toInboxState, type InboxColumns } from './inbox-rows.ts'
import { createRows } from './rows.ts'
import type { Progress } from './progress-memo.ts'
import type { Transaction } from './transactions.ts'

/** One verb on an inbox. */
export type InboxVerb = {
  readonly run: (session: Session, inbox: InboxState) => Promise<unknown>
  /** Asks for the rows that the verb will want, for the answers to come along with the lock. */
  readonly ask?: ((rows: Rows, inbox: InboxState, nowMs: number) => void) | undefined
}

export type InboxPlace = { readonly workspaceId: number; readonly key: string }

type Group = InboxPlace & {
  readonly nowMs: number
  readonly verbs: readonly InboxVerb[]
  readonly progress: Progress
  /** the inbox as it was last seen, to ask ahead */
  readonly before: InboxState | undefined
}

export type InboxGroup = {
  readonly inbox: InboxState
  readonly outcomes: Outcome[]
  readonly wakes: readonly string[]
  readonly rowsScanned: number
}

type Found = InboxColumns & LogState

/** Runs verbs one after the other, in a transaction that has the inbox for itself. A verb that is refused has written nothing. */
export async function runVerbs(transaction: Transaction, group: Group): Promise<InboxGroup> {
  const { workspaceId, key, nowMs, verbs, progress, before } = group
  let log: LogState = { head: 0, trimmedTo: 0, irregularTo: 0 }
  const rows = createRows(transaction, () => log)
  const finding = early(
    transaction.query<Found>(
      `select ${inboxColumns}, log.head, log.trimmed_to as "trimmedTo", log.irregular_to as "irregularTo"
       from inbox join log on log.workspace_id = inbox.workspace_id where inbox.workspace_id = $1 and inbox.key = $2`,
      [workspaceId, key],
    ),
  )
  if (before) for (const { ask } of verbs) ask?.(rows, before, nowMs)
  const [found] = await finding
  const inbox = requireInbox(found && toInboxState(found), key)
  if (found) log = { head: found.head, trimmedTo: found.trimmedTo, irregularTo: found.irregularTo }
  progress.recall(inbox)
  const session: Session = { rows, nowMs, wakes: new Set(), rowsScanned: 0 }
  const outcomes: Outcome[] = []
  for (const verb of verbs) outcomes.push(await runVerb(verb, session, inbox))
  if (inbox.changed) {
    transaction.write(`update inbox set next = $1, used = $2 where id = $3`, [inbox.next, inbox.used, inbox.id])
  } else progress.note(inbox)
  return { inbox, outcomes, wakes: [...session.wakes], rowsScanned: session.rowsScanned }
}

async function runVerb({ run }: InboxVerb, session: Session, inbox: InboxState): Promise<Outcome> {
  try {
    return { value: await run(session, inbox) }
  } catch (error) {
    if (error instanceof HubError && error.code !== 'storage-unavailable') return { error }
    throw error
  }
}

type NewInbox = InboxPlace & Wanted & { readonly nowMs: number }

/** In the transaction of the inbox. */
export async function createInbox(
  transaction: Transaction,
  wanted: NewInbox,
): Promise<{ inbox: InboxRow; created: boolean }> {
  const { workspaceId, key } = wanted
  const [logs, found] = await Promise.all([
    transaction.query(`select 1 as found from log where workspace_id = $1`, [workspaceId]),
    transaction.query<InboxColumns>(`select ${inboxColumns} from inbox where workspace_id = $1 and key = $2`, [
      workspaceId,
      key,
    ]),
  ])
  if (logs.length === 0) throw new HubError('not-found', 'the workspace does not exist')
  if (found[0]) return { inbox: toInboxRow(toInboxState(found[0])), created: false }
  insertInbox(transaction, wanted)
  const { settings, nowMs, start: next, door = null } = wanted
  const inbox = { key, settings, status: 'active', revision: 1, generation: 1, createdMs: nowMs, next, door } as const
  return { inbox, created: true }
}

export function insertInbox({ write }: Transaction, wanted: NewInbox): void {
  const { workspaceId, key, settings, start, door = null, nowMs } = wanted
  write(
    `with made as (
       insert into inbox (workspace_id, key, settings, status, revision, generation, created_ms, next, used, door)
       values ($1, $2, $3, 'active', 1, 1, $4, $5, false, $6) returning id)
     insert into inbox_history (inbox_id, kind, at_ms, revision, generation, from_position, to_position, settings)
     select id, 'settings', $4, 1, 1, $5, $5, $3 from made`,
    [workspaceId, key, JSON.stringify(settings), nowMs, start, printDoor(door)],
  )
}
