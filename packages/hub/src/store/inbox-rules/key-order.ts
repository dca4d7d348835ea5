import { toParkedEvent, untouched } from './parked.ts'
import { advance, behindMs, type Held, type InboxState, type NewParked, type Session } from './rows.ts'

/** Events that may wait behind blocked subjects before an inbox stops reading on and says `blocked`. */
export const maxWaiting = 10_000

/** Rows of the log that one lease may look at. */
const scanBudget = 1000

type Taken = { readonly held: Held[]; readonly more: boolean }

/**
 * Ordering by key: one event of each subject is out at a time. What is found behind a subject that is out, waiting for a
 * retry or dead with `on_dead: block` is parked with its subject, in order.
 */
export async function takeInOrder(session: Session, inbox: InboxState, limit: number): Promise<Taken> {
  const { held, alone } = await takeWaiting(session, inbox, limit)
  if (alone || held.length === limit) return { held, more: true }
  const fresh = await takeNew(session, inbox, limit - held.length)
  return { held: [...held, ...fresh.held], more: fresh.more }
}

/** Takes what waits and may go, one part an event. `alone`: an event was taken that must be leased on its own. */
async function takeWaiting(
  { rows, nowMs }: Session,
  inbox: InboxState,
  limit: number,
): Promise<{ held: Held[]; alone: boolean }> {
  const held: Held[] = []
  const out: { position: number; subject: string }[] = []
  let alone = false
  for (const parked of await rows.availableInOrder(inbox, nowMs, limit)) {
    if (parked.alone && held.length > 0) continue
    rows.removeParked(inbox, parked.id)
    if (parked.subject !== null) out.push({ position: parked.first, subject: parked.subject })
    held.push({ attempt: parked.attempt + 1, runs: [[parked.first, parked.first]], before: parked.leaseId })
    alone = parked.alone
    if (alone) break
  }
  rows.hold(inbox, out)
  return { held, alone }
}

async function takeNew(session: Session, inbox: InboxState, limit: number): Promise<Taken> {
  const { rows } = session
  const log = await rows.readLog(inbox.workspaceId)
  const room = maxWaiting - (await rows.countWaiting(inbox))
  const first = Math.max(inbox.next, log.trimmedTo + 1)
  if (first > log.head || room <= 0) return { held: [], more: false }
  const scan = { first, last: log.head, filter: inbox.settings.filter, limit: scanBudget, budget: scanBudget }
  const { found, scannedTo, looked } = await rows.scan(inbox.workspaceId, scan)
  session.rowsScanned += looked
  const subjects = new Set(found.flatMap(({ subject }) => subject ?? []))
  const occupied = new Set(subjects.size === 0 ? [] : await rows.occupiedAmong(inbox, [...subjects]))
  const out: { position: number; subject: string }[] = []
  const waiting: NewParked[] = []
  const held: Held[] = []
  const finish = (next: number, more: boolean): Taken => {
    rows.hold(inbox, out)
    rows.park(inbox, waiting)
    advance(inbox, next, found.length > 0)
    return { held, more }
  }
  for (const { position, subject } of found) {
    if (held.length === limit || waiting.length === room) return finish(position, true)
    if (subject !== null && occupied.has(subject)) {
      waiting.push(toParkedEvent({ position, subject }, { ...untouched, availableMs: behindMs }))
      continue
    }
    if (subject !== null) {
      occupied.add(subject)
      out.push({ position, subject })
    }
    held.push({ attempt: 1, runs: [[position, position]], before: null })
  }
  return finish(scannedTo + 1, scannedTo < log.head)
}
