import type { SettleStatus } from '@sluice/protocol'
import { HubError } from '@sluice/protocol/error'
import { countRuns, expandRuns, hasPosition, withoutPositions, type Runs } from '../runs.ts'
import type { DeliveryNote, SettleOrder } from '../store.ts'
import { dropPositions, holderOf, park, runsOf } from './parked.ts'
import { wake, type Awaitable, type HeldLease, type InboxState, type Parked, type Session } from './rows.ts'

export type Settled = {
  readonly settled: readonly (readonly [position: number, status: SettleStatus])[]
  /** when the events were accepted; undefined where the order named the positions: its caller has the ids */
  readonly times: Awaitable<ReadonlyMap<number, number>> | undefined
}

type Statuses = Map<number, SettleStatus>

export async function settleLease(session: Session, inbox: InboxState, order: SettleOrder): Promise<Settled> {
  const lease = await session.rows.findLease(inbox, order.leaseId)
  const held = lease ? lease.held.flatMap((part) => expandRuns(part.runs)) : []
  const inLease = new Set(held)
  // A lease that is held stands for what it holds now, not for what one of its name held before.
  const wanted = order.positions
    ? [...new Set(order.positions)]
    : lease
      ? held
      : await listLapsed(session, inbox, order.leaseId)
  const mine = wanted.filter((position) => inLease.has(position))
  const elsewhere = wanted.filter((position) => !inLease.has(position))
  const statuses: Statuses = new Map()
  if (lease && mine.length > 0) await settleHeld(session, inbox, { lease, mine, order, statuses })
  if (elsewhere.length > 0) await settleElsewhere(session, inbox, { positions: elsewhere, order, statuses })
  // Not waited for here: where the answer takes a while, it comes with the commit.
  const times = order.positions ? undefined : session.rows.acceptTimes(inbox.workspaceId, wanted)
  return { settled: wanted.map((position) => [position, statuses.get(position) ?? 'unknown']), times }
}

/**
 * What a lease that ran out held: given back and not taken since, or held by another lease now.
 *
 * @throws HubError `lease-lost` if a seek has made the lease void: what it held is not known any more
 */
async function listLapsed({ rows }: Session, inbox: InboxState, leaseId: string): Promise<number[]> {
  if (await rows.isVoid(inbox, leaseId)) {
    throw new HubError(
      'lease-lost',
      `lease "${leaseId}" ended when inbox "${inbox.key}" was moved; lease its events anew`,
    )
  }
  const givenBack = (await rows.parkedOfLease(inbox, leaseId)).flatMap((parked) => expandRuns(runsOf(parked)))
  const others = (await rows.listLeases(inbox)).filter((lease) => lease.leaseId !== leaseId)
  const taken = others.flatMap((lease) => lease.held.filter((part) => part.before === leaseId))
  return [...givenBack, ...taken.flatMap((part) => expandRuns(part.runs))]
}

type Settling = {
  readonly lease: HeldLease
  readonly mine: readonly number[]
  readonly order: SettleOrder
  readonly statuses: Statuses
}

async function settleHeld(
  session: Session,
  inbox: InboxState,
  { lease, mine, order, statuses }: Settling,
): Promise<void> {
  const { rows } = session
  const leaving = new Set(mine)
  const total = lease.held.reduce((sum, part) => sum + countRuns(part.runs), 0)
  const rest = leaving.size === total ? [] : withoutLeaving(lease, leaving)
  if (rest.length === 0) rows.removeLease(inbox, lease.leaseId)
  else rows.putLease(inbox, { ...lease, held: rest })
  const subjects = inbox.settings.ordering === 'key' ? await rows.free(inbox, mine) : []
  if (order.outcome.kind === 'ack') {
    for (const position of mine) statuses.set(position, 'acked')
    if (order.outcome.note) noteDelivered(session, inbox, { lease, leaving, note: order.outcome.note })
  } else {
    for (const { attempt, runs } of lease.held) {
      const stays = withoutPositions(runs, leaving)
      const part = stays.length === 0 ? runs : withoutPositions(runs, new Set(expandRuns(stays)))
      giveBack(session, inbox, { attempt, runs: part, order, statuses })
    }
  }
  if (subjects.length > 0) rows.promote(inbox, subjects)
  if (subjects.length > 0 || order.outcome.kind === 'release') wake(session, inbox)
}

type Delivered = {
  readonly lease: HeldLease
  readonly leaving: ReadonlySet<number>
  readonly note: DeliveryNote
}

function noteDelivered({ rows, nowMs }: Session, inbox: InboxState, { lease, leaving, note }: Delivered): void {
  for (const { attempt, runs } of lease.held) {
    const positions = expandRuns(runs).filter((position) => leaving.has(position))
    if (positions.length > 0) rows.noteDelivered(inbox, { positions, attempt, leaseId: lease.leaseId, note }, nowMs)
  }
}

/** What a lease still holds when some of its events have left. */
export function withoutLeaving(lease: HeldLease, leaving: ReadonlySet<number>): HeldLease['held'] {
  return lease.held
    .map((part) => ({ ...part, runs: withoutPositions(part.runs, leaving) }))
    .filter((part) => part.runs.length > 0)
}

type GivingBack = {
  readonly attempt: number
  readonly runs: Runs
  readonly order: SettleOrder
  readonly statuses: Statuses
}

function giveBack(session: Session, inbox: InboxState, { attempt, runs, order, statuses }: GivingBack): void {
  const { rows, nowMs } = session
  const { outcome, leaseId } = order
  if (outcome.kind === 'ack' || runs.length === 0) return
  const positions = expandRuns(runs)
  const back = { alone: false, leaseId: null, releasedBy: leaseId }
  const reason = outcome.reason ?? null
  const { note } = outcome
  const dies = outcome.final === true || (outcome.count && attempt >= inbox.settings.max_attempts)
  for (const position of positions) statuses.set(position, dies ? 'dead' : 'released')
  if (!outcome.count && !dies) {
    return park(rows, inbox, runs, {
      ...back,
      availableMs: delayedTo(nowMs, outcome.delayMs ?? 0),
      attempt: attempt - 1,
    })
  }
  if (dies) {
    return rows.bury(
      inbox,
      { positions, attempt, reason: reason ?? `given back ${attempt} times`, leaseId, note },
      nowMs,
    )
  }
  rows.noteAttempts(inbox, { positions, attempt, outcome: 'released', reason, leaseId, note }, nowMs)
  const availableMs = delayedTo(nowMs, outcome.delayMs ?? scheduledMs(inbox, attempt))
  park(rows, inbox, runs, { ...back, availableMs, attempt })
}

/** 0 for at once: it keeps such events in the order of the log, before all that were delayed. */
function delayedTo(nowMs: number, delayMs: number): number {
  return delayMs <= 0 ? 0 : nowMs + delayMs
}

/** The last step of the schedule repeats. */
function scheduledMs(inbox: InboxState, attempt: number): number {
  const schedule = inbox.settings.retry.schedule_seconds
  return (schedule[Math.min(attempt, schedule.length) - 1] ?? 0) * 1000
}

type Elsewhere = { readonly positions: readonly number[]; readonly order: SettleOrder; readonly statuses: Statuses }

/** The verdict on positions that this lease does not hold (any more); what it gave back itself is acknowledged. */
async function settleElsewhere(
  session: Session,
  inbox: InboxState,
  { positions, order, statuses }: Elsewhere,
): Promise<void> {
  const { rows } = session
  if (await rows.isVoid(inbox, order.leaseId)) {
    for (const position of positions) statuses.set(position, 'lost')
    return
  }
  const parked = await rows.parkedAround(inbox, positions)
  const leases = await rows.leasesAround(inbox, positions)
  const dead = await rows.deadAmong(inbox, positions)
  const dropped = new Map<Parked, number[]>()
  for (const position of positions) {
    const holder = holderOf(parked, position)
    if (holder?.positions != null) {
      const status = settleParked(holder, order)
      statuses.set(position, status)
      if (status === 'acked') dropped.set(holder, [...(dropped.get(holder) ?? []), position])
    } else if (leases.some((lease) => holds(lease, position))) statuses.set(position, 'lost')
    else if (dead.has(position)) statuses.set(position, 'dead')
    else statuses.set(position, holder || position >= inbox.next || position < 1 ? 'unknown' : 'already')
  }
  for (const [row, acked] of dropped) dropPositions(rows, inbox, row, acked)
  const subjects = [...dropped.keys()].flatMap(({ subject }) => subject ?? [])
  if (subjects.length === 0) return
  rows.promote(inbox, subjects)
  wake(session, inbox)
}

/** The verdict on an event that waits. */
function settleParked(parked: Parked, { leaseId, outcome }: SettleOrder): SettleStatus {
  if (parked.releasedBy === leaseId && outcome.kind === 'release') return 'already'
  if (parked.leaseId !== leaseId) return parked.attempt > 0 ? 'lost' : 'unknown'
  return outcome.kind === 'release' ? 'already' : 'acked'
}

export function holds({ held }: HeldLease, position: number): boolean {
  return held.some((part) => hasPosition(part.runs, position))
}
