import { countRuns, parseRuns } from '../runs.ts'
import type { InboxProgress } from '../store.ts'
import { row, rows, type Database } from './database.ts'
import type { InboxState } from './writer-state.ts'
import { countWaiting, maxWaiting } from './key-order.ts'
import { listLeases } from './lease-rows.ts'
import { eventTable, readHead } from './log.ts'
import { behindMs } from './parked.ts'

export function readProgress(db: Database, inbox: InboxState, nowMs: number): InboxProgress {
  const { head, trimmedTo } = readHead(db, inbox.workspaceId)
  const next = Math.max(inbox.next, trimmedTo + 1)
  const leases = listLeases(db, inbox.id)
  const lapsed = leases.filter((lease) => lease.untilMs <= nowMs)
  const count = (among: typeof leases): number =>
    among.flatMap((lease) => lease.held).reduce((sum, part) => sum + countRuns(part.runs), 0)
  const { waiting, parked, first } = countParked(db, inbox.id, nowMs)
  const behind = Math.max(0, head - next + 1)
  const starts = [
    ...leases.flatMap((lease) => lease.held.map((part) => part.runs[0]?.[0] ?? head)),
    first ?? head,
    next,
  ]
  return {
    behind,
    waiting: waiting + count(lapsed),
    leased: count(leases) - count(lapsed),
    parked,
    dead:
      row<{ count: number }>(db.sql(`select count(*) as count from dead_letter where inbox_id = ?`), inbox.id)?.count ??
      0,
    blocked: inbox.settings.ordering === 'key' && behind > 0 && countWaiting({ db }, inbox) >= maxWaiting,
    oldestMs:
      behind + waiting + parked + leases.length === 0 ? null : acceptedFrom(db, inbox.workspaceId, Math.min(...starts)),
  }
}

type ParkedCount = { waiting: number; parked: number; first: number | null }

function countParked(db: Database, inboxId: number, nowMs: number): ParkedCount {
  const found = rows<{ first: number; last: number; positions: string | null; availableMs: number }>(
    db.sql(`select first, last, positions, available_ms as availableMs from parked where inbox_id = ? order by first`),
    inboxId,
  )
  const counted: ParkedCount = { waiting: 0, parked: 0, first: found[0]?.first ?? null }
  for (const { first, last, positions, availableMs } of found) {
    const count = positions === null ? last - first + 1 : countRuns(parseRuns(positions))
    if (availableMs > nowMs && availableMs !== behindMs) counted.parked += count
    else counted.waiting += count
  }
  return counted
}

function acceptedFrom(db: Database, workspaceId: number, position: number): number | null {
  const statement = db.sql(
    `select accepted_ms as acceptedMs from ${eventTable(workspaceId)} where position >= ? order by position limit 1`,
  )
  return row<{ acceptedMs: number }>(statement, position)?.acceptedMs ?? null
}
