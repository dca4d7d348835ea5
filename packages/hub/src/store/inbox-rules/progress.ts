import { countRuns, parseRuns } from '../runs.ts'
import type { InboxProgress } from '../store.ts'
import { maxWaiting } from './key-order.ts'
import { behindMs, type HeldLease, type InboxState, type ParkedSpan, type Session } from './rows.ts'

export async function readProgress(
  { rows, nowMs }: Pick<Session, 'rows' | 'nowMs'>,
  inbox: InboxState,
): Promise<InboxProgress> {
  const { head, trimmedTo } = await rows.readLog(inbox.workspaceId)
  const next = Math.max(inbox.next, trimmedTo + 1)
  const leases = await rows.listLeases(inbox)
  const lapsed = leases.filter((lease) => lease.untilMs <= nowMs)
  const spans = await rows.parkedSpans(inbox)
  const { waiting, parked } = countParked(spans, nowMs)
  const behind = Math.max(0, head - next + 1)
  const starts = [
    ...leases.flatMap((lease) => lease.held.map((part) => part.runs[0]?.[0] ?? head)),
    spans[0]?.first ?? head,
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

function countParked(spans: readonly ParkedSpan[], nowMs: number): { waiting: number; parked: number } {
  const counted = { waiting: 0, parked: 0 }
  for (const { first, last, positions, availableMs } of spans) {
    const count = positions === null ? last - first + 1 : countRuns(parseRuns(positions))
    if (availableMs > nowMs && availableMs !== behindMs) counted.parked += count
    else counted.waiting += count
  }
  return counted
}
