import { countRuns, expandRuns, splitRuns } from '../runs.ts'
import { noteAttempts } from './attempts.ts'
import { row, rows, type Database } from './database.ts'
import { buryEvent } from './dead-letters.ts'
import { freeSubjects, promoteSubjects } from './key-order.ts'
import { removeLease, toLease, type HeldLease, type LeaseColumns } from './lease-rows.ts'
import { park } from './parked.ts'
import { inboxOf, wake, type Engine, type InboxState } from './writer-state.ts'

export function nextExpiryMs(db: Database, inboxId: number): number | null {
  return (
    row<{ at: number | null }>(db.sql(`select min(until_ms) as at from lease where inbox_id = ?`), inboxId)?.at ?? null
  )
}

/** Gives back what leases of one inbox held when they ran out. */
export function expireInbox(engine: Engine, inbox: InboxState): void {
  const due = rows<LeaseColumns>(
    engine.db.sql(
      `select lease_id as leaseId, until_ms as untilMs, held from lease where inbox_id = ? and until_ms <= ?`,
    ),
    inbox.id,
    engine.nowMs,
  )
  for (const lease of due) expireLease(engine, inbox, toLease(lease))
}

/** One step of the sweep over all inboxes. */
export function expireLeases(engine: Engine): void {
  const due = rows<{ workspaceId: number; key: string }>(
    engine.db.sql(
      `select distinct inbox.workspace_id as workspaceId, inbox.key as key from lease join inbox on inbox.id = lease.inbox_id
       where lease.until_ms <= ? limit 100`,
    ),
    engine.nowMs,
  )
  for (const { workspaceId, key } of due) {
    const inbox = inboxOf(engine, workspaceId, key)
    expireInbox(engine, inbox)
    wake(engine, inbox)
  }
}

/**
 * What a lease held when it ran out comes back in two halves, each leased on its own, and so on down: one poison event
 * ends up alone instead of dragging its neighbours to the dead letters. So only an event that was alone can die of expiry.
 */
function expireLease(engine: Engine, inbox: InboxState, lease: HeldLease): void {
  removeLease(engine, inbox, lease.leaseId)
  const total = lease.held.reduce((sum, part) => sum + countRuns(part.runs), 0)
  const half = Math.ceil(total / 2)
  let before = 0
  const subjects = freeSubjects(
    engine,
    inbox,
    lease.held.flatMap((part) => expandRuns(part.runs)),
  )
  for (const { attempt, runs } of lease.held) {
    const positions = expandRuns(runs)
    if (total === 1 && attempt >= inbox.settings.max_attempts) {
      const reason = `the lease ran out ${attempt} times`
      for (const position of positions) buryEvent(engine, inbox, { position, attempt, reason, leaseId: lease.leaseId })
      continue
    }
    noteAttempts(engine, inbox, { positions, attempt, outcome: 'expired', reason: null, leaseId: lease.leaseId })
    const [first, second] = splitRuns(runs, Math.max(0, half - before))
    for (const part of [first, second]) {
      park(engine, inbox, { runs: part, availableMs: 0, attempt, alone: true, leaseId: lease.leaseId })
    }
    before += positions.length
  }
  promoteSubjects(engine, inbox, subjects)
}
