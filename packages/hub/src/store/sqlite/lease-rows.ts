import { parseRuns, printRuns, type Runs } from '../runs.ts'
import { row, rows, type Database } from './database.ts'
import type { Engine, InboxState } from './writer-state.ts'

/** Part of a lease: events of one attempt, and the lease that held them before, if any. */
export type Held = { readonly attempt: number; readonly runs: Runs; readonly before: string | null }

export type HeldLease = { readonly leaseId: string; readonly untilMs: number; readonly held: readonly Held[] }

export type LeaseColumns = { leaseId: string; untilMs: number; held: string }

export function toLease({ leaseId, untilMs, held }: LeaseColumns): HeldLease {
  const parts: [number, string, string | null][] = JSON.parse(held)
  return {
    leaseId,
    untilMs,
    held: parts.map(([attempt, runs, before]) => ({ attempt, runs: parseRuns(runs), before })),
  }
}

export function findLease(db: Database, inboxId: number, leaseId: string): HeldLease | undefined {
  const found = row<LeaseColumns>(
    db.sql(`select lease_id as leaseId, until_ms as untilMs, held from lease where inbox_id = ? and lease_id = ?`),
    inboxId,
    leaseId,
  )
  return found && toLease(found)
}

/** Leases that may hold a position; with none given, all of the inbox. */
export function listLeases(db: Database, inboxId: number, position?: number): HeldLease[] {
  const columns = `lease_id as leaseId, until_ms as untilMs, held`
  const found =
    position === undefined
      ? rows<LeaseColumns>(db.sql(`select ${columns} from lease where inbox_id = ?`), inboxId)
      : rows<LeaseColumns>(
          db.sql(`select ${columns} from lease where inbox_id = ? and first <= ? and last >= ?`),
          inboxId,
          position,
          position,
        )
  return found.map(toLease)
}

/** Writes a lease, or removes it once it holds nothing. */
export function writeLease(engine: Engine, inbox: InboxState, lease: HeldLease): void {
  const held = lease.held.filter((part) => part.runs.length > 0)
  if (held.length === 0) return removeLease(engine, inbox, lease.leaseId)
  const starts = held.map((part) => part.runs[0]?.[0] ?? 0)
  const ends = held.map((part) => part.runs.at(-1)?.[1] ?? 0)
  const text = JSON.stringify(held.map((part) => [part.attempt, printRuns(part.runs), part.before]))
  engine.db
    .sql(`insert or replace into lease (inbox_id, lease_id, until_ms, first, last, held) values (?, ?, ?, ?, ?, ?)`)
    .run(inbox.id, lease.leaseId, lease.untilMs, Math.min(...starts), Math.max(...ends), text)
}

export function removeLease(engine: Engine, inbox: InboxState, leaseId: string): void {
  engine.db.sql(`delete from lease where inbox_id = ? and lease_id = ?`).run(inbox.id, leaseId)
}
