import type { DeadLetterRow } from '../store.ts'
import { noteAttempts } from './attempts.ts'
import { row, rows, type Database } from './database.ts'
import type { Engine, InboxState } from './writer-state.ts'
import { promoteSubjects } from './key-order.ts'
import { readEvent } from './log.ts'

type Death = { readonly position: number; readonly attempt: number; readonly reason: string; readonly leaseId: string }

/** Keeps a copy of the event, so that it survives the log's retention. One that has expired already is not kept. */
export function buryEvent(engine: Engine, inbox: InboxState, { position, attempt, reason, leaseId }: Death): void {
  noteAttempts(engine, inbox, { positions: [position], attempt, outcome: 'dead', reason, leaseId })
  const event = readEvent(engine.db, inbox.workspaceId, position)
  if (!event || event.body === null) return
  engine.db
    .sql(
      `insert or replace into dead_letter (inbox_id, position, accepted_ms, event_type, subject, attempts, reason, dead_ms, body)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      inbox.id,
      position,
      event.acceptedMs,
      event.eventType,
      event.subject,
      attempt,
      reason,
      engine.nowMs,
      event.body,
    )
}

const deadLetterColumns = `position, accepted_ms as acceptedMs, event_type as eventType, attempts, reason, dead_ms as deadMs, body`

export function listDeadLetters(
  db: Database,
  inboxId: number,
  page: { after: number; limit: number },
): DeadLetterRow[] {
  return rows<DeadLetterRow>(
    db.sql(
      `select ${deadLetterColumns} from dead_letter where inbox_id = ? and position > ? order by position limit ?`,
    ),
    inboxId,
    page.after,
    page.limit,
  )
}

export function findDeadLetter(db: Database, inboxId: number, position: number): DeadLetterRow | undefined {
  return row<DeadLetterRow>(
    db.sql(`select ${deadLetterColumns} from dead_letter where inbox_id = ? and position = ?`),
    inboxId,
    position,
  )
}

/** Gives a dead letter up; with key ordering, later events of its subject may go on. Answers false if there was none. */
export function discardDeadLetter(engine: Engine, inbox: InboxState, position: number): boolean {
  const statement = engine.db.sql(`delete from dead_letter where inbox_id = ? and position = ? returning subject`)
  const removed = row<{ subject: string | null }>(statement, inbox.id, position)
  if (!removed) return false
  if (removed.subject !== null) promoteSubjects(engine, inbox, [removed.subject])
  return true
}
