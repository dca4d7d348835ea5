import { HubError } from '@sluice/protocol/error'
import { matchesFilter } from '@sluice/protocol/match'
import type { DeadLetterChoice } from '../store.ts'
import { discardDead, leaseOf } from './acknowledge.ts'
import { findParked, holderOf, park, untouched } from './parked.ts'
import { filterOf, wake, type InboxState, type Session } from './rows.ts'
import { toFilterSubject } from './scan.ts'
import { holds } from './settle.ts'
import { toRuns } from '../runs.ts'

type ReplayOrder = { readonly position: number; readonly ignoreFilter: boolean }

/** Hands an event out once more. */
export async function replayEvent(
  session: Session,
  inbox: InboxState,
  { position, ignoreFilter }: ReplayOrder,
): Promise<'replayed' | 'already-waiting' | 'leased' | 'filtered'> {
  const { rows, nowMs } = session
  const event = await rows.readEvent(inbox.workspaceId, position)
  const matches = event !== undefined && matchesFilter(inbox.settings.filter, toFilterSubject(event))
  if (!matches && !ignoreFilter) return 'filtered'
  if (await isWaiting(session, inbox, position, matches)) return 'already-waiting'
  if (await leaseOf(session, inbox, position)) return 'leased'
  park(rows, inbox, [[position, position]], untouched)
  await discardDead(session, inbox, [position])
  rows.noteHistory(inbox, { kind: 'replay', from: position, to: position }, nowMs)
  wake(session, inbox)
  return 'replayed'
}

/** @param matches the filter of now wants it */
async function isWaiting({ rows }: Session, inbox: InboxState, position: number, matches: boolean): Promise<boolean> {
  const parked = await findParked(rows, inbox, position)
  if (!parked) return position >= inbox.next && matches
  if (parked.positions !== null) return true
  const event = await rows.readEvent(inbox.workspaceId, position)
  return event !== undefined && matchesFilter(await filterOf(rows, inbox, parked), toFilterSubject(event))
}

/** Dead letters that one request settles at most. */
const settleMax = 10_000

type Settling = { readonly choice: DeadLetterChoice; readonly action: 'replay' | 'discard' | 'count' }

/** Answers how many. */
export async function settleDeadLetters(
  session: Session,
  inbox: InboxState,
  { choice, action }: Settling,
): Promise<number> {
  const { rows } = session
  const chosen = await rows.chooseDead(inbox, choice)
  if (action === 'count') return chosen.length
  if (chosen.length > settleMax)
    throw new HubError('conflict', `${chosen.length} dead letters match; narrow the filter to ${settleMax} or fewer`)
  if (chosen.length === 0) return 0
  // What has expired cannot be handed out: its dead letter holds the last copy and stays.
  const kept = action === 'discard' ? undefined : await rows.keptAmong(inbox.workspaceId, chosen)
  const settled = kept ? chosen.filter((position) => kept.has(position)) : chosen
  if (action === 'replay') park(rows, inbox, toRuns(await withoutUnderWay(session, inbox, settled)), untouched)
  await discardDead(session, inbox, settled)
  if (action === 'discard') rows.forgetReasons(inbox, settled)
  wake(session, inbox)
  return settled.length
}

/** Without those that a seek has brought back: they wait, or are out, already. */
async function withoutUnderWay({ rows }: Session, inbox: InboxState, positions: readonly number[]): Promise<number[]> {
  if (positions.length === 0) return []
  const parked = await rows.parkedAround(inbox, positions)
  const leases = await rows.leasesAround(inbox, positions)
  return positions.filter(
    (position) =>
      position < inbox.next && !holderOf(parked, position) && !leases.some((lease) => holds(lease, position)),
  )
}
