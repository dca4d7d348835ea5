import type { AttemptRow } from '../store.ts'
import { rows, type Database } from './database.ts'
import type { Engine, InboxState } from './writer-state.ts'
import { acceptedAt } from './parked.ts'

type Failure = {
  readonly positions: readonly number[]
  readonly attempt: number
  readonly outcome: AttemptRow['outcome']
  readonly reason: string | null
  readonly leaseId: string
}

/** Hand-outs that ended in an acknowledgement leave no row: history costs only where something failed. */
export function noteAttempts(
  engine: Engine,
  inbox: InboxState,
  { positions, attempt, outcome, reason, leaseId }: Failure,
): void {
  const insert = engine.db.sql(
    `insert into attempt (inbox_id, position, accepted_ms, attempt, outcome, reason, at_ms, lease_id) values (?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  for (const position of positions) {
    insert.run(
      inbox.id,
      position,
      acceptedAt(engine.db, inbox.workspaceId, position),
      attempt,
      outcome,
      reason,
      engine.nowMs,
      leaseId,
    )
  }
}

const attemptColumns = `id, position, accepted_ms as acceptedMs, attempt, outcome, reason, at_ms as atMs, lease_id as leaseId`

export function listAttempts(db: Database, inboxId: number, page: { before: number; limit: number }): AttemptRow[] {
  return rows<AttemptRow>(
    db.sql(`select ${attemptColumns} from attempt where inbox_id = ? and id < ? order by id desc limit ?`),
    inboxId,
    page.before,
    page.limit,
  )
}

export function attemptsOf(db: Database, inboxId: number, position: number): AttemptRow[] {
  return rows<AttemptRow>(
    db.sql(`select ${attemptColumns} from attempt where inbox_id = ? and position = ? order by id`),
    inboxId,
    position,
  )
}
