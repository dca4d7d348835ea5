import { HubError } from '@sluice/protocol/error'
import { isOpenFilter } from '@sluice/protocol/match'
import { maxWaiting } from './key-order.ts'
import { findParked, parkRange, removePosition, toParkedEvent, untouched } from './parked.ts'
import { printRuns, toRuns } from '../runs.ts'
import { advance, wake, type HeldLease, type InboxState, type Session } from './rows.ts'
import { holds, withoutLeaving } from './settle.ts'

/** Acknowledges one event whoever holds it, or nobody. */
export async function acknowledgeEvent(
  session: Session,
  inbox: InboxState,
  position: number,
): Promise<'acked' | 'already' | 'unknown'> {
  const { rows } = session
  const { head, trimmedTo } = await rows.readLog(inbox.workspaceId)
  if (position < 1 || position > head) return 'unknown'
  if (!inbox.used) {
    inbox.used = true
    inbox.changed = true
  }
  if (position <= trimmedTo) return 'already'
  if (await takeParked(session, inbox, position)) return 'acked'
  if (position < inbox.next) return (await takeHeld(session, inbox, position)) ? 'acked' : 'already'
  await passOver(session, inbox, Math.max(inbox.next, trimmedTo + 1), position - 1)
  advance(inbox, position + 1, true)
  return 'acked'
}

/** Erased events are nobody's any more; those still to be looked at are passed over then. */
export async function dropErased(session: Session, inbox: InboxState, positions: readonly number[]): Promise<void> {
  const dropped: number[] = []
  for (const position of positions) {
    if (position >= inbox.next) continue
    const found = (await takeParked(session, inbox, position)) || (await takeHeld(session, inbox, position))
    if (found) dropped.push(position)
  }
  const [first] = dropped
  if (first === undefined) return
  const note = { kind: 'erased', from: first, to: first, positions: printRuns(toRuns(dropped)) } as const
  session.rows.noteHistory(inbox, note, session.nowMs)
}

/** Takes an event out of parking. Answers false if it was not there. */
async function takeParked(session: Session, inbox: InboxState, position: number): Promise<boolean> {
  const parked = await findParked(session.rows, inbox, position)
  if (!parked) return false
  removePosition(session.rows, inbox, parked, position)
  goOn(session, inbox, [parked.subject])
  return true
}

/** Takes an event out of its lease or the dead letters. Answers false if it was in neither. */
async function takeHeld(session: Session, inbox: InboxState, position: number): Promise<boolean> {
  const { rows } = session
  const lease = await leaseOf(session, inbox, position)
  if (!lease) return discardDead(session, inbox, [position])
  const held = withoutLeaving(lease, new Set([position]))
  if (held.length === 0) rows.removeLease(inbox, lease.leaseId)
  else rows.putLease(inbox, { ...lease, held })
  if (inbox.settings.ordering === 'key') rows.promote(inbox, await rows.free(inbox, [position]))
  wake(session, inbox)
  return true
}

/** Gives dead letters up; with key ordering, later events of their subjects may go on. Answers false if there were none. */
export async function discardDead(session: Session, inbox: InboxState, positions: readonly number[]): Promise<boolean> {
  const removed = await session.rows.removeDead(inbox, positions)
  goOn(session, inbox, removed)
  return removed.length > 0
}

/** Later events of these subjects may go on. */
function goOn(session: Session, inbox: InboxState, subjects: readonly (string | null)[]): void {
  const named = subjects.flatMap((subject) => subject ?? [])
  if (named.length === 0) return
  session.rows.promote(inbox, named)
  wake(session, inbox)
}

export async function leaseOf({ rows }: Session, inbox: InboxState, position: number): Promise<HeldLease | undefined> {
  return (await rows.leasesAround(inbox, [position])).find((lease) => holds(lease, position))
}

/** Rows that an acknowledgement out of turn looks at to find what it passes over. */
const passBudget = 1000

/** Events between an inbox's place and one that was acknowledged out of turn keep waiting. */
async function passOver(session: Session, inbox: InboxState, first: number, last: number): Promise<void> {
  if (first > last) return
  const { settings, revision } = inbox
  if (settings.ordering === 'key') return passOverInOrder(session, inbox, first, last)
  if (isOpenFilter(settings.filter)) return parkRange(session.rows, inbox, { first, last, revision })
  const scan = { first, last, filter: settings.filter, limit: 1, budget: passBudget }
  const { found, scannedTo, looked } = await session.rows.scan(inbox.workspaceId, scan)
  session.rowsScanned += looked
  parkRange(session.rows, inbox, { first: found[0]?.position ?? scannedTo + 1, last, revision })
}

/** With key ordering each event that waits is a row which knows its subject; so their number is bounded. */
async function passOverInOrder(session: Session, inbox: InboxState, first: number, last: number): Promise<void> {
  const scan = { first, last, filter: inbox.settings.filter, limit: maxWaiting, budget: maxWaiting }
  const { found, scannedTo, looked } = await session.rows.scan(inbox.workspaceId, scan)
  session.rowsScanned += looked
  if (scannedTo < last) {
    throw new HubError(
      'conflict',
      `more than ${maxWaiting} events wait before this one; acknowledge them first, or seek`,
    )
  }
  session.rows.park(
    inbox,
    found.map((event) => toParkedEvent(event, untouched)),
  )
}
