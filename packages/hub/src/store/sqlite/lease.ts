import type { InboxStatus } from '@sluice/protocol'
import { isOpenFilter } from '@sluice/protocol/match'
import { countRuns, expandRuns, parseRuns, printRuns, splitRuns, toRuns, type Runs } from '../runs.ts'
import type { LeaseOrder } from '../store.ts'
import { row, rows, type Database } from './database.ts'
import { buryEvent } from './dead-letters.ts'
import { advance, inboxOf, wake, workspaceOf, type Engine, type InboxState } from './engine.ts'
import { freeSubjects, orderedEvents, promoteSubjects } from './key-order.ts'
import { scanLog } from './log.ts'
import { filterOf, listAvailable, nextAvailableMs, park, shortenRange, takeParked, type Parked } from './parked.ts'
import { noteAttempts } from './attempts.ts'

/** Part of a lease: events of one attempt, and the lease that held them before, if any. */
export type Held = { readonly attempt: number; readonly runs: Runs; readonly before: string | null }

export type HeldLease = { readonly leaseId: string; readonly untilMs: number; readonly held: readonly Held[] }

export type Granted = {
  readonly inboxStatus: InboxStatus
  readonly untilMs: number | null
  readonly held: readonly Held[]
  readonly more: boolean
  readonly retryAtMs: number | null
}

/** Rows of the log that one lease may look at before other requests get their turn. */
const scanBudget = 2000

export function leaseEvents(engine: Engine, workspaceId: number, key: string, order: LeaseOrder): Granted {
  const inbox = inboxOf(engine, workspaceId, key)
  expireInbox(engine, inbox)
  const again = findLease(engine.db, inbox.id, order.leaseId)
  if (again)
    return { inboxStatus: inbox.status, untilMs: again.untilMs, held: again.held, more: false, retryAtMs: null }
  if (inbox.status !== 'active')
    return { inboxStatus: inbox.status, untilMs: null, held: [], more: false, retryAtMs: null }
  const { held, more } =
    inbox.settings.ordering === 'key' ? orderedEvents(engine, inbox, order) : takeEvents(engine, inbox, order.limit)
  if (held.length === 0) {
    const retryAtMs = more
      ? engine.nowMs
      : earliest(nextAvailableMs(engine.db, inbox.id, engine.nowMs), nextExpiryMs(engine.db, inbox.id))
    return { inboxStatus: inbox.status, untilMs: null, held, more, retryAtMs }
  }
  const untilMs = engine.nowMs + order.leaseMs
  writeLease(engine, inbox, { leaseId: order.leaseId, untilMs, held })
  // The name may be one that a seek made void; from here on it is this lease's.
  engine.db.sql(`delete from void_lease where inbox_id = ? and lease_id = ?`).run(inbox.id, order.leaseId)
  inbox.used = true
  inbox.changed = true
  return { inboxStatus: inbox.status, untilMs, held, more, retryAtMs: null }
}

function earliest(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b)
}

/** Available parked events first, then on along the log. */
function takeEvents(engine: Engine, inbox: InboxState, limit: number): { held: Held[]; more: boolean } {
  const { held, left, done } = takeAvailable(engine, inbox, limit)
  if (done || left === 0) return { held, more: true }
  const { runs, more } = readOn(engine, inbox, left)
  if (runs.length > 0) held.push({ attempt: 1, runs, before: null })
  return { held, more }
}

/** `done`: something available was left, so reading on would overtake it. */
function takeAvailable(
  engine: Engine,
  inbox: InboxState,
  limit: number,
): { held: Held[]; left: number; done: boolean } {
  const held: Held[] = []
  let left = limit
  let looked = 0
  const available = listAvailable(engine.db, inbox.id, engine.nowMs, limit)
  for (const parked of available) {
    if (left === 0 || looked >= scanBudget) return { held, left, done: true }
    if (parked.positions === null) {
      const taken = takeRange(engine, inbox, parked, { limit: left, budget: scanBudget - looked })
      looked += taken.looked
      left -= countRuns(taken.runs)
      if (taken.runs.length > 0) held.push({ attempt: 1, runs: taken.runs, before: null })
      continue
    }
    if (parked.alone && held.length > 0) return { held, left, done: true }
    const runs = takeParked(engine, parked, left)
    held.push({ attempt: parked.attempt + 1, runs, before: parked.leaseId })
    left -= countRuns(runs)
    if (parked.alone) return { held, left, done: true }
  }
  return { held, left, done: available.length === limit }
}

type RangeOrder = { readonly limit: number; readonly budget: number }

function takeRange(
  engine: Engine,
  inbox: InboxState,
  parked: Parked,
  { limit, budget }: RangeOrder,
): { runs: Runs; looked: number } {
  const { first, last } = parked
  const filter = filterOf(engine.db, inbox, parked)
  const { found, scannedTo, looked } = scanLog(engine.db, inbox.workspaceId, { first, last, filter, limit, budget })
  engine.rowsScanned += looked
  shortenRange(engine, parked, scannedTo)
  return { runs: toRuns(found.map((event) => event.position)), looked }
}

function readOn(engine: Engine, inbox: InboxState, limit: number): { runs: Runs; more: boolean } {
  const workspace = workspaceOf(engine, inbox.workspaceId)
  const first = Math.max(inbox.next, workspace.trimmedTo + 1)
  if (first > workspace.head) return { runs: [], more: false }
  const { filter } = inbox.settings
  if (first > workspace.irregularTo && isOpenFilter(filter)) {
    // Every position from here on exists and is wanted: no need to look.
    const last = Math.min(workspace.head, first + limit - 1)
    advance(inbox, last + 1, true)
    return { runs: [[first, last]], more: last < workspace.head }
  }
  const { found, scannedTo, looked } = scanLog(engine.db, inbox.workspaceId, {
    first,
    last: workspace.head,
    filter,
    limit,
    budget: scanBudget,
  })
  engine.rowsScanned += looked
  advance(inbox, scannedTo + 1, found.length > 0)
  return { runs: toRuns(found.map((event) => event.position)), more: scannedTo < workspace.head }
}

// ---- the rows of leases ----

type LeaseColumns = { leaseId: string; untilMs: number; held: string }

function toLease({ leaseId, untilMs, held }: LeaseColumns): HeldLease {
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

export function extendLease(
  engine: Engine,
  workspaceId: number,
  key: string,
  { leaseId, leaseMs }: Pick<LeaseOrder, 'leaseId' | 'leaseMs'>,
): { untilMs: number } | undefined {
  const inbox = inboxOf(engine, workspaceId, key)
  const untilMs = engine.nowMs + leaseMs
  const extend = engine.db.sql(`update lease set until_ms = ? where inbox_id = ? and lease_id = ?`)
  return extend.run(untilMs, inbox.id, leaseId).changes === 0 ? undefined : { untilMs }
}

// ---- expiry ----

function nextExpiryMs(db: Database, inboxId: number): number | null {
  return (
    row<{ at: number | null }>(db.sql(`select min(until_ms) as at from lease where inbox_id = ?`), inboxId)?.at ?? null
  )
}

function expireInbox(engine: Engine, inbox: InboxState): void {
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
