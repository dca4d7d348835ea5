import type { InboxStatus } from '@sluice/protocol'
import { isOpenFilter } from '@sluice/protocol/match'
import { countRuns, toRuns, type Runs } from '../runs.ts'
import type { LeaseOrder } from '../store.ts'
import { expireInbox } from './expiry.ts'
import { takeInOrder } from './key-order.ts'
import { shortenRange, takeParked } from './parked.ts'
import { advance, filterOf, type Held, type InboxState, type Parked, type Session } from './rows.ts'

export type Granted = {
  readonly inboxStatus: InboxStatus
  readonly untilMs: number | null
  readonly held: readonly Held[]
  readonly more: boolean
  readonly retryAtMs: number | null
}

/** Rows of the log that one lease may look at before other requests get their turn. */
const scanBudget = 2000

export async function leaseEvents(session: Session, inbox: InboxState, order: LeaseOrder): Promise<Granted> {
  const { rows, nowMs } = session
  const inboxStatus = inbox.status
  await expireInbox(session, inbox)
  const again = await rows.findLease(inbox, order.leaseId)
  if (again) return { inboxStatus, untilMs: again.untilMs, held: again.held, more: false, retryAtMs: null }
  if (inboxStatus !== 'active' && !(order.probe && inboxStatus === 'broken'))
    return { inboxStatus, untilMs: null, held: [], more: false, retryAtMs: null }
  const { held, more } =
    inbox.settings.ordering === 'key'
      ? await takeInOrder(session, inbox, order.limit)
      : await takeEvents(session, inbox, order.limit)
  if (held.length === 0) {
    const retryAtMs = more ? nowMs : earliest(await rows.nextAvailableMs(inbox, nowMs), await rows.nextExpiryMs(inbox))
    return { inboxStatus, untilMs: null, held, more, retryAtMs }
  }
  const untilMs = nowMs + (order.leaseMs ?? inbox.settings.lease_seconds * 1000)
  rows.putLease(inbox, { leaseId: order.leaseId, untilMs, held })
  // The name may be one that a seek made void; from here on it is this lease's.
  rows.forgetVoid(inbox, order.leaseId)
  inbox.used = true
  inbox.changed = true
  return { inboxStatus, untilMs, held, more, retryAtMs: null }
}

function earliest(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b)
}

/** Available parked events first, then on along the log. */
async function takeEvents(
  session: Session,
  inbox: InboxState,
  limit: number,
): Promise<{ held: Held[]; more: boolean }> {
  const { held, left, done } = await takeAvailable(session, inbox, limit)
  if (done || left === 0) return { held, more: true }
  const { runs, more } = await readOn(session, inbox, left)
  if (runs.length > 0) held.push({ attempt: 1, runs, before: null })
  return { held, more }
}

/** `done`: something available was left, so reading on would overtake it. */
async function takeAvailable(
  session: Session,
  inbox: InboxState,
  limit: number,
): Promise<{ held: Held[]; left: number; done: boolean }> {
  const held: Held[] = []
  let left = limit
  let looked = 0
  const available = await session.rows.available(inbox, session.nowMs, limit)
  for (const parked of available) {
    if (left === 0 || looked >= scanBudget) return { held, left, done: true }
    if (parked.positions === null) {
      const taken = await takeRange(session, inbox, parked, { limit: left, budget: scanBudget - looked })
      looked += taken.looked
      left -= countRuns(taken.runs)
      if (taken.runs.length > 0) held.push({ attempt: 1, runs: taken.runs, before: null })
      if (!taken.finished) return { held, left, done: true }
      continue
    }
    if (parked.alone && held.length > 0) return { held, left, done: true }
    const runs = takeParked(session.rows, inbox, parked, left)
    held.push({ attempt: parked.attempt + 1, runs, before: parked.leaseId })
    left -= countRuns(runs)
    if (parked.alone) return { held, left, done: true }
  }
  return { held, left, done: available.length === limit }
}

type RangeOrder = { readonly limit: number; readonly budget: number }

async function takeRange(
  session: Session,
  inbox: InboxState,
  parked: Parked,
  { limit, budget }: RangeOrder,
): Promise<{ runs: Runs; looked: number; finished: boolean }> {
  const { first, last } = parked
  const filter = await filterOf(session.rows, inbox, parked)
  const { found, scannedTo, looked } = await session.rows.scan(inbox.workspaceId, {
    first,
    last,
    filter,
    limit,
    budget,
  })
  session.rowsScanned += looked
  shortenRange(session.rows, inbox, parked, scannedTo)
  return { runs: toRuns(found.map((event) => event.position)), looked, finished: scannedTo >= last }
}

async function readOn(session: Session, inbox: InboxState, limit: number): Promise<{ runs: Runs; more: boolean }> {
  const { head, trimmedTo, irregularTo } = await session.rows.readLog(inbox.workspaceId)
  const first = Math.max(inbox.next, trimmedTo + 1)
  if (first > head) return { runs: [], more: false }
  const { filter } = inbox.settings
  if (first > irregularTo && isOpenFilter(filter)) {
    // Every position from here on exists and is wanted: no need to look.
    const last = Math.min(head, first + limit - 1)
    advance(inbox, last + 1, true)
    return { runs: [[first, last]], more: last < head }
  }
  const order = { first, last: head, filter, limit, budget: scanBudget }
  const { found, scannedTo, looked } = await session.rows.scan(inbox.workspaceId, order)
  session.rowsScanned += looked
  advance(inbox, scannedTo + 1, found.length > 0)
  return { runs: toRuns(found.map((event) => event.position)), more: scannedTo < head }
}

export async function extendLease(
  { rows, nowMs }: Session,
  inbox: InboxState,
  { leaseId, leaseMs }: { leaseId: string; leaseMs: number },
): Promise<{ untilMs: number } | undefined> {
  const untilMs = nowMs + leaseMs
  return (await rows.extendLease(inbox, leaseId, untilMs)) ? { untilMs } : undefined
}
