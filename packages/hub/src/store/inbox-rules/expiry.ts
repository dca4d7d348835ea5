import { countRuns, expandRuns, splitRuns } from '../runs.ts'
import { park } from './parked.ts'
import type { HeldLease, InboxState, Session } from './rows.ts'

/** Gives back what leases of an inbox held when they ran out. Once for a moment: what is leased now runs out later. */
export async function expireInbox(session: Session, inbox: InboxState): Promise<void> {
  if (inbox.sweptMs === session.nowMs) return
  inbox.sweptMs = session.nowMs
  for (const lease of await session.rows.dueLeases(inbox, session.nowMs)) await expireLease(session, inbox, lease)
}

/**
 * What a lease held when it ran out comes back in two halves, each leased on its own, and so on down: one poison event
 * ends up alone instead of dragging its neighbours to the dead letters. So only an event that was alone can die of expiry.
 */
async function expireLease({ rows, nowMs }: Session, inbox: InboxState, lease: HeldLease): Promise<void> {
  const { leaseId, held } = lease
  rows.removeLease(inbox, leaseId)
  const total = held.reduce((sum, part) => sum + countRuns(part.runs), 0)
  const half = Math.ceil(total / 2)
  let before = 0
  const all = held.flatMap((part) => expandRuns(part.runs))
  const subjects = inbox.settings.ordering === 'key' ? await rows.free(inbox, all) : []
  for (const { attempt, runs } of held) {
    const positions = expandRuns(runs)
    if (total === 1 && attempt >= inbox.settings.max_attempts) {
      rows.bury(inbox, { positions, attempt, reason: `the lease ran out ${attempt} times`, leaseId }, nowMs)
      continue
    }
    rows.noteAttempts(inbox, { positions, attempt, outcome: 'expired', reason: null, leaseId }, nowMs)
    for (const part of splitRuns(runs, Math.max(0, half - before))) {
      park(rows, inbox, part, { availableMs: 0, attempt, alone: true, leaseId, releasedBy: null })
    }
    before += positions.length
  }
  if (subjects.length > 0) rows.promote(inbox, subjects)
}
