import { countRuns } from '../runs.ts'
import type { InboxProgress } from '../store.ts'
import { maxWaiting } from './key-order.ts'
import type { HeldLease, InboxState, Session } from './rows.ts'

export async function readProgress(
  { rows, nowMs }: Pick<Session, 'rows' | 'nowMs'>,
  inbox: InboxState,
): Promise<InboxProgress> {
  const { head, trimmedTo } = await rows.readLog(inbox.workspaceId)
  const next = Math.max(inbox.next, trimmedTo + 1)
  const leases = await rows.listLeases(inbox)
  const lapsed = leases.filter((lease) => lease.untilMs <= nowMs)
  const { waiting, parked, first } = await rows.countParked(inbox, nowMs)
  const behind = Math.max(0, head - next + 1)
  const starts = [
    ...leases.flatMap((lease) => lease.held.map((part) => part.runs[0]?.[0] ?? head)),
    first ?? head,
    next,
  ]
  const isEmpty = behind + waiting + parked + leases.length === 0
  return {
    behind,
    waiting: waiting + countHeld(lapsed),
    leased: countHeld(leases) - countHeld(lapsed),
    parked,
    dead: await rows.countDead(inbox),
    blocked: inbox.settings.ordering === 'key' && behind > 0 && (await rows.countWaiting(inbox)) >= maxWaiting,
    oldestMs: isEmpty ? null : await rows.acceptedFrom(inbox.workspaceId, Math.min(...starts)),
  }
}

function countHeld(leases: readonly HeldLease[]): number {
  return leases.flatMap((lease) => lease.held).reduce((sum, part) => sum + countRuns(part.runs), 0)
}
