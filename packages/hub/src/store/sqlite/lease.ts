import type { InboxStatus } from '@sluice/protocol'
import { isOpenFilter } from '@sluice/protocol/match'
import { countRuns, toRuns, type Runs } from '../runs.ts'
import type { LeaseOrder } from '../store.ts'
import { expireInbox, nextExpiryMs } from './expiry.ts'
import { orderedEvents } from './key-order.ts'
import { findLease, writeLease, type Held } from './lease-rows.ts'
import { scanLog } from './log.ts'
import { filterOf, listAvailable, nextAvailableMs, shortenRange, takeParked, type Parked } from './parked.ts'
import { advance, inboxOf, workspaceOf, type Engine, type InboxState } from './writer-state.ts'

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
      if (!taken.finished) return { held, left, done: true }
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
): { runs: Runs; looked: number; finished: boolean } {
  const { first, last } = parked
  const filter = filterOf(engine.db, inbox, parked)
  const { found, scannedTo, looked } = scanLog(engine.db, inbox.workspaceId, { first, last, filter, limit, budget })
  engine.rowsScanned += looked
  shortenRange(engine, parked, scannedTo)
  return { runs: toRuns(found.map((event) => event.position)), looked, finished: scannedTo >= last }
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
