import { HubError } from '@sluice/protocol/error'
import { expandRuns, mergeRuns, parseRuns, printRuns, runsBelow, type Runs } from '../runs.ts'
import { newDoor } from '../doors.ts'
import type { InboxChange, InboxRow } from '../store.ts'
import { dropPositions, runsOf, shortenRange } from './parked.ts'
import { wake, type InboxState, type Session } from './rows.ts'

export function toInboxRow(inbox: InboxState): InboxRow {
  const { key, settings, status, revision, generation, createdMs, next, door } = inbox
  return { key, settings, status, revision, generation, createdMs, next, door }
}

/** New settings open a new revision, which holds from `next` on. */
export async function updateInbox(
  session: Session,
  inbox: InboxState,
  { settings, status, door, ifStatus }: InboxChange,
): Promise<InboxRow> {
  const { rows, nowMs } = session
  if (ifStatus && inbox.status !== ifStatus) return toInboxRow(inbox)
  if (settings) {
    if (settings.ordering !== inbox.settings.ordering && (await rows.isOccupied(inbox))) {
      throw new HubError(
        'conflict',
        `inbox "${inbox.key}" holds leased or parked events; its ordering can change once they are settled, or after a seek`,
      )
    }
    if (settings.on_dead !== inbox.settings.on_dead) rows.promoteAll(inbox)
    inbox.settings = settings
    inbox.revision += 1
    rows.noteHistory(inbox, { kind: 'settings', from: inbox.next, to: inbox.next, settings }, nowMs)
  }
  if (status) inbox.status = status
  if (door !== undefined) inbox.door = door && { ...(inbox.door ?? newDoor), ...door }
  rows.putInbox(inbox)
  inbox.changed = true
  wake(session, inbox)
  return toInboxRow(inbox)
}

/** A new generation: what was leased or parked is void; what stood before the new place says so in `explain`. */
export async function seekInbox(session: Session, inbox: InboxState, position: number): Promise<InboxRow> {
  const { rows, nowMs } = session
  const held = (await rows.listLeases(inbox)).flatMap((lease) => lease.held.flatMap((part) => part.runs))
  const parked = (await rows.parkedUpTo(inbox, position - 1)).flatMap(runsOf)
  rows.voidAll(inbox, nowMs)
  inbox.generation += 1
  const positions = printRuns(runsBelow(mergeRuns([...held, ...parked]), position))
  rows.noteHistory(inbox, { kind: 'seek', from: inbox.next, to: position, positions }, nowMs)
  inbox.next = position
  inbox.changed = true
  rows.putInbox(inbox)
  wake(session, inbox)
  return toInboxRow(inbox)
}

/** Notes what an inbox never got to before the log was trimmed, so that `explain` says expired and not acknowledged. */
export async function expireBehind(session: Session, inbox: InboxState, last: number): Promise<void> {
  const { rows } = session
  const gone: (readonly [number, number])[] = []
  const subjects: string[] = []
  for (const parked of await rows.parkedUpTo(inbox, last)) {
    const expired = runsBelow(runsOf(parked), last + 1)
    gone.push(...expired)
    if (parked.positions === null) shortenRange(rows, inbox, parked, last)
    else dropPositions(rows, inbox, parked, expandRuns(expired))
    if (parked.subject !== null) subjects.push(parked.subject)
  }
  if (subjects.length > 0) rows.promote(inbox, subjects)
  if (inbox.next > last && gone.length === 0) return
  await noteExpired(session, inbox, { from: Math.min(inbox.next, last + 1), to: last, gone })
  if (inbox.next > last) return
  inbox.next = last + 1
  inbox.changed = true
}

type Expired = { readonly from: number; readonly to: number; readonly gone: Runs }

/** An inbox that stays behind loses a little with each step of retention: one row of its history says so, not thousands. */
async function noteExpired({ rows, nowMs }: Session, inbox: InboxState, { from, to, gone }: Expired): Promise<void> {
  const before = await rows.readLastHistory(inbox)
  if (before?.kind === 'expired' && before.generation === inbox.generation && before.to + 1 === from) {
    const positions = printRuns(mergeRuns([...parseRuns(before.positions ?? ''), ...gone]))
    return rows.extendLastHistory(inbox, { to, positions })
  }
  rows.noteHistory(inbox, { kind: 'expired', from, to, positions: printRuns(mergeRuns(gone)) }, nowMs)
}
