import type { SettleStatus } from '@sluice/protocol'
import { HubError } from '@sluice/protocol/error'
import { isOpenFilter } from '@sluice/protocol/match'
import { countRuns, expandRuns, hasPosition, withoutPositions, type Runs } from '../runs.ts'
import type { SettleOrder } from '../store.ts'
import { noteAttempts } from './attempts.ts'
import { row } from './database.ts'
import { buryEvent, discardDeadLetter, findDeadLetter } from './dead-letters.ts'
import { advance, inboxOf, wake, workspaceOf, type Engine, type InboxState } from './writer-state.ts'
import { freeSubjects, maxWaiting, promoteSubjects } from './key-order.ts'
import { findLease, listLeases, removeLease, writeLease, type HeldLease } from './lease-rows.ts'
import { scanLog } from './log.ts'
import {
  findParked,
  listParkedOfLease,
  park,
  parkOne,
  parkRange,
  removePosition,
  runsOf,
  type Parked,
} from './parked.ts'

export type SettledPosition = readonly [position: number, status: SettleStatus]

export function settleLease(engine: Engine, workspaceId: number, key: string, order: SettleOrder): SettledPosition[] {
  const inbox = inboxOf(engine, workspaceId, key)
  const lease = findLease(engine.db, inbox.id, order.leaseId)
  const held = lease ? lease.held.flatMap((part) => expandRuns(part.runs)) : []
  const inLease = new Set(held)
  // A lease that is held stands for what it holds now, not for what one of its name held before.
  const all = (): number[] => (lease ? held : listLapsed(engine, inbox, order.leaseId))
  const wanted = order.positions ? [...new Set(order.positions)] : all()
  const mine = wanted.filter((position) => inLease.has(position))
  const statuses = new Map<number, SettleStatus>()
  if (lease && mine.length > 0) settleHeld(engine, inbox, { lease, mine, order, statuses })
  return wanted.map((position) => [position, statuses.get(position) ?? settleElsewhere(engine, inbox, position, order)])
}

/**
 * What a lease that ran out held: given back and not taken since, or held by another lease now.
 *
 * @throws HubError `lease-lost` if a seek has made the lease void: what it held is not known any more
 */
function listLapsed(engine: Engine, inbox: InboxState, leaseId: string): number[] {
  if (isVoid(engine, inbox, leaseId)) {
    throw new HubError(
      'lease-lost',
      `lease "${leaseId}" ended when inbox "${inbox.key}" was moved; lease its events anew`,
    )
  }
  const givenBack = listParkedOfLease(engine.db, inbox.id, leaseId).flatMap((parked) => expandRuns(runsOf(parked)))
  const others = listLeases(engine.db, inbox.id).filter((lease) => lease.leaseId !== leaseId)
  const taken = others.flatMap((lease) => lease.held.filter((part) => part.before === leaseId))
  return [...givenBack, ...taken.flatMap((part) => expandRuns(part.runs))]
}

function isVoid(engine: Engine, inbox: InboxState, leaseId: string): boolean {
  const statement = engine.db.sql(`select 1 from void_lease where inbox_id = ? and lease_id = ?`)
  return row(statement, inbox.id, leaseId) !== undefined
}

type Settling = {
  readonly lease: HeldLease
  readonly mine: readonly number[]
  readonly order: SettleOrder
  readonly statuses: Map<number, SettleStatus>
}

function settleHeld(engine: Engine, inbox: InboxState, { lease, mine, order, statuses }: Settling): void {
  const leaving = new Set(mine)
  const total = lease.held.reduce((sum, part) => sum + countRuns(part.runs), 0)
  if (leaving.size === total) removeLease(engine, inbox, lease.leaseId)
  else
    writeLease(engine, inbox, {
      ...lease,
      held: lease.held.map((part) => ({ ...part, runs: withoutPositions(part.runs, leaving) })),
    })
  const subjects = freeSubjects(engine, inbox, mine)
  if (order.outcome.kind === 'ack') {
    promoteSubjects(engine, inbox, subjects)
    if (subjects.length > 0) wake(engine, inbox)
    for (const position of mine) statuses.set(position, 'acked')
    return
  }
  for (const { attempt, runs } of lease.held) {
    const stays = withoutPositions(runs, leaving)
    const part = stays.length === 0 ? runs : withoutPositions(runs, new Set(expandRuns(stays)))
    giveBack(engine, inbox, { attempt, runs: part, order, statuses })
  }
  promoteSubjects(engine, inbox, subjects)
  wake(engine, inbox)
}

type GivingBack = {
  readonly attempt: number
  readonly runs: Runs
  readonly order: SettleOrder
  readonly statuses: Map<number, SettleStatus>
}

function giveBack(engine: Engine, inbox: InboxState, { attempt, runs, order, statuses }: GivingBack): void {
  const { outcome, leaseId } = order
  if (outcome.kind === 'ack' || runs.length === 0) return
  const positions = expandRuns(runs)
  if (!outcome.count) {
    park(engine, inbox, {
      runs,
      availableMs: delayedTo(engine, outcome.delayMs ?? 0),
      attempt: attempt - 1,
      alone: false,
      leaseId: null,
      releasedBy: leaseId,
    })
    for (const position of positions) statuses.set(position, 'released')
    return
  }
  const reason = outcome.reason ?? null
  if (attempt >= inbox.settings.max_attempts) {
    for (const position of positions) {
      buryEvent(engine, inbox, { position, attempt, reason: reason ?? `given back ${attempt} times`, leaseId })
      statuses.set(position, 'dead')
    }
    return
  }
  noteAttempts(engine, inbox, { positions, attempt, outcome: 'released', reason, leaseId })
  const availableMs = delayedTo(engine, outcome.delayMs ?? scheduledMs(inbox, attempt))
  park(engine, inbox, { runs, availableMs, attempt, alone: false, leaseId: null, releasedBy: leaseId })
  for (const position of positions) statuses.set(position, 'released')
}

/** 0 for at once: it keeps such events in the order of the log, before all that were delayed. */
function delayedTo(engine: Engine, delayMs: number): number {
  return delayMs <= 0 ? 0 : engine.nowMs + delayMs
}

/** The last step of the schedule repeats. */
function scheduledMs(inbox: InboxState, attempt: number): number {
  const schedule = inbox.settings.retry.schedule_seconds
  return (schedule[Math.min(attempt, schedule.length) - 1] ?? 0) * 1000
}

/** The verdict on a position that this lease does not hold (any more). */
function settleElsewhere(engine: Engine, inbox: InboxState, position: number, order: SettleOrder): SettleStatus {
  if (isVoid(engine, inbox, order.leaseId)) return 'lost'
  const parked = findParked(engine.db, inbox.id, position)
  if (parked?.positions != null) {
    if (parked.releasedBy === order.leaseId && order.outcome.kind === 'release') return 'already'
    if (parked.leaseId !== order.leaseId) return parked.attempt > 0 ? 'lost' : 'unknown'
    if (order.outcome.kind === 'release') return 'already'
    dropParked(engine, inbox, parked, position)
    return 'acked'
  }
  if (leaseOf(engine, inbox, position)) return 'lost'
  if (findDeadLetter(engine.db, inbox.id, position)) return 'dead'
  return parked || position >= inbox.next || position < 1 ? 'unknown' : 'already'
}

/** Acknowledges what waits; later events of its subject may go on. */
function dropParked(engine: Engine, inbox: InboxState, parked: Parked, position: number): void {
  removePosition(engine, inbox, parked, position)
  if (parked.subject === null) return
  promoteSubjects(engine, inbox, [parked.subject])
  wake(engine, inbox)
}

/** Rows that an acknowledgement out of turn looks at to find what it passes over. */
const passBudget = 1000

export function acknowledgeEvent(
  engine: Engine,
  workspaceId: number,
  key: string,
  position: number,
): 'acked' | 'already' | 'unknown' {
  const inbox = inboxOf(engine, workspaceId, key)
  const workspace = workspaceOf(engine, workspaceId)
  if (position < 1 || position > workspace.head) return 'unknown'
  if (!inbox.used) {
    inbox.used = true
    inbox.changed = true
  }
  if (position <= workspace.trimmedTo) return 'already'
  const parked = findParked(engine.db, inbox.id, position)
  if (parked) {
    dropParked(engine, inbox, parked, position)
    return 'acked'
  }
  if (position >= inbox.next) {
    passOver(engine, inbox, Math.max(inbox.next, workspace.trimmedTo + 1), position - 1)
    advance(inbox, position + 1, true)
    return 'acked'
  }
  return acknowledgeHeld(engine, inbox, position)
}

function acknowledgeHeld(engine: Engine, inbox: InboxState, position: number): 'acked' | 'already' {
  const lease = leaseOf(engine, inbox, position)
  if (!lease && !discardDeadLetter(engine, inbox, position)) return 'already'
  if (lease) {
    const leaving = new Set([position])
    const held = lease.held.map((part) => ({ ...part, runs: withoutPositions(part.runs, leaving) }))
    writeLease(engine, inbox, { ...lease, held })
    promoteSubjects(engine, inbox, freeSubjects(engine, inbox, [position]))
  }
  wake(engine, inbox)
  return 'acked'
}

export function leaseOf(engine: Engine, inbox: InboxState, position: number): HeldLease | undefined {
  const holds = ({ held }: HeldLease): boolean => held.some((part) => hasPosition(part.runs, position))
  return listLeases(engine.db, inbox.id, position).find(holds)
}

/** Events between an inbox's place and one that was acknowledged out of turn keep waiting. */
function passOver(engine: Engine, inbox: InboxState, first: number, last: number): void {
  if (first > last) return
  const { settings, revision } = inbox
  if (settings.ordering === 'key') return passOverInOrder(engine, inbox, first, last)
  if (isOpenFilter(settings.filter)) return parkRange(engine, inbox, { first, last, revision })
  const scan = { first, last, filter: settings.filter, limit: 1, budget: passBudget }
  const { found, scannedTo, looked } = scanLog(engine.db, inbox.workspaceId, scan)
  engine.rowsScanned += looked
  parkRange(engine, inbox, { first: found[0]?.position ?? scannedTo + 1, last, revision })
}

/** With key ordering each event that waits is a row which knows its subject; so their number is bounded. */
function passOverInOrder(engine: Engine, inbox: InboxState, first: number, last: number): void {
  const { filter } = inbox.settings
  const scan = { first, last, filter, limit: maxWaiting, budget: maxWaiting }
  const { found, scannedTo, looked } = scanLog(engine.db, inbox.workspaceId, scan)
  engine.rowsScanned += looked
  if (scannedTo < last) {
    throw new HubError(
      'conflict',
      `more than ${maxWaiting} events wait before this one; acknowledge them first, or seek`,
    )
  }
  for (const { position, subject } of found) {
    parkOne(engine, inbox, { position, subject, availableMs: 0, attempt: 0, alone: false, leaseId: null })
  }
}
