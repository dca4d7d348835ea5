import { HubError } from '@sluice/protocol/error'
import type { DeadLetterChoice, DeadLetterRow } from '../store.ts'
import { noteAttempts } from './attempts.ts'
import { row, rows, type Database } from './database.ts'
import { inboxOf, wake, type Engine, type InboxState } from './engine.ts'
import { readEvent } from './log.ts'
import { park } from './parked.ts'

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

export function removeDeadLetter(engine: Engine, inbox: InboxState, position: number): boolean {
  return (
    engine.db.sql(`delete from dead_letter where inbox_id = ? and position = ?`).run(inbox.id, position).changes > 0
  )
}

/** Dead letters that one request settles at most. */
const settleMax = 10_000

type Settling = { readonly choice: DeadLetterChoice; readonly action: 'replay' | 'discard' | 'count' }

export function settleDeadLetters(
  engine: Engine,
  workspaceId: number,
  key: string,
  { choice, action }: Settling,
): number {
  const inbox = inboxOf(engine, workspaceId, key)
  const positions = chooseDeadLetters(engine.db, inbox.id, choice)
  if (action === 'count') return positions.length
  if (positions.length > settleMax)
    throw new HubError('conflict', `${positions.length} dead letters match; narrow the filter to ${settleMax} or fewer`)
  for (const position of positions) {
    removeDeadLetter(engine, inbox, position)
    if (action === 'replay')
      park(engine, inbox, { runs: [[position, position]], availableMs: 0, attempt: 0, alone: false, leaseId: null })
  }
  wake(engine, inbox)
  return positions.length
}

function chooseDeadLetters(
  db: Database,
  inboxId: number,
  { positions, eventType, afterMs, beforeMs }: DeadLetterChoice,
): number[] {
  if (positions) return [...new Set(positions)].filter((position) => findDeadLetter(db, inboxId, position))
  const statement = db.sql(
    `select position from dead_letter where inbox_id = ? and (? is null or event_type glob ?) and dead_ms >= ? and dead_ms < ? order by position`,
  )
  const glob = eventType === undefined ? null : eventType.replace(/[[?]/g, (character) => `[${character}]`)
  return rows<{ position: number }>(
    statement,
    inboxId,
    glob,
    glob,
    afterMs ?? 0,
    beforeMs ?? Number.MAX_SAFE_INTEGER,
  ).map(({ position }) => position)
}
