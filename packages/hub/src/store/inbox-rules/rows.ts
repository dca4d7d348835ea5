import type { Filter, InboxSettings, InboxStatus } from '@sluice/protocol'
import type { Door } from '../doors.ts'
import type { Runs } from '../runs.ts'
import type { AttemptRow, DeadLetterChoice, DeadLetterRow, DeliveryNote, StoredEvent } from '../store.ts'
import type { ScanOrder, Scanned } from './scan.ts'

/**
 * What the rules of an inbox ask of a store: rows, each store's in SQL of its own, inside one transaction that nobody else
 * changes the inbox in. Reads see what was written before them. Writes answer nothing: one that fails, fails the transaction.
 */
export type Rows = LogRows &
  InboxRows &
  LeaseRows &
  ParkedRows &
  SubjectRows &
  FailureRows & { readLog(workspaceId: number): Awaitable<LogState> }

export type LogRows = {
  scan(workspaceId: number, order: ScanOrder): Awaitable<Scanned>
  readEvent(workspaceId: number, position: number): Awaitable<StoredEvent | undefined>
  /** Events of the runs until an answer is full; `readTo` is the last position looked at, or undefined if all were. */
  readSome(workspaceId: number, runs: Runs): Awaitable<{ events: StoredEvent[]; readTo?: number }>
  /** Those positions whose events have not expired and not been erased. */
  keptAmong(workspaceId: number, positions: readonly number[]): Awaitable<ReadonlySet<number>>
  /** When events were accepted, by position. */
  acceptTimes(workspaceId: number, positions: readonly number[]): Awaitable<ReadonlyMap<number, number>>
  /** When the first event at or after a position was accepted. */
  acceptedFrom(workspaceId: number, position: number): Awaitable<number | null>
}

/** The inbox itself. */
export type InboxRows = {
  /** Settings, revision, status, generation and door; progress is written back at the end of the transaction. */
  putInbox(inbox: InboxState): void
  noteHistory(inbox: InboxState, entry: HistoryNote, nowMs: number): void
  /** Oldest first. */
  readHistory(inbox: InboxState): Awaitable<HistoryRow[]>
  readLastHistory(inbox: InboxState): Awaitable<HistoryRow | undefined>
  /** Instead of one more row: the last one reaches further. */
  extendLastHistory(inbox: InboxState, to: Pick<HistoryNote, 'to' | 'positions'>): void
  readSettings(inbox: InboxState, revision: number): Awaitable<InboxSettings | undefined>
}

export type LeaseRows = {
  findLease(inbox: InboxState, leaseId: string): Awaitable<HeldLease | undefined>
  listLeases(inbox: InboxState): Awaitable<HeldLease[]>
  /** Leases whose span covers one of the positions; they need not hold it. */
  leasesAround(inbox: InboxState, positions: readonly number[]): Awaitable<HeldLease[]>
  dueLeases(inbox: InboxState, nowMs: number): Awaitable<HeldLease[]>
  nextExpiryMs(inbox: InboxState): Awaitable<number | null>
  putLease(inbox: InboxState, lease: HeldLease): void
  removeLease(inbox: InboxState, leaseId: string): void
  /** Answers false if the lease is not held. */
  extendLease(inbox: InboxState, leaseId: string, untilMs: number): Awaitable<boolean>
  /** A seek has ended it. */
  isVoid(inbox: InboxState, leaseId: string): Awaitable<boolean>
  forgetVoid(inbox: InboxState, leaseId: string): void
  /** Ends all leases and removes what is parked, remembering the names of the leases as void. */
  voidAll(inbox: InboxState, nowMs: number): void
}

/** Parked events. */
export type ParkedRows = {
  /** Rows that can be handed out now, those that have waited longest first. */
  available(inbox: InboxState, nowMs: number, limit: number): Awaitable<Parked[]>
  /** The same for ordering by key: only the first of each subject, and none whose subject is busy. */
  availableInOrder(inbox: InboxState, nowMs: number, limit: number): Awaitable<Parked[]>
  /** Rows whose span covers one of the positions; they need not hold it. */
  parkedAround(inbox: InboxState, positions: readonly number[]): Awaitable<Parked[]>
  /** Rows that reach beyond a position, in the order of the log. */
  parkedAfter(inbox: InboxState, after: number, limit: number): Awaitable<Parked[]>
  /** Rows that begin at or below a position, in the order of the log. */
  parkedUpTo(inbox: InboxState, last: number): Awaitable<Parked[]>
  parkedOfLease(inbox: InboxState, leaseId: string): Awaitable<Parked[]>
  /** All rows, in the order of the log, as far as counting needs them. */
  parkedSpans(inbox: InboxState): Awaitable<ParkedSpan[]>
  nextAvailableMs(inbox: InboxState, nowMs: number): Awaitable<number | null>
  /** Something is leased or parked. */
  isOccupied(inbox: InboxState): Awaitable<boolean>
  park(inbox: InboxState, rows: readonly NewParked[]): void
  /** A row for each event, which knows its subject. */
  parkEach(inbox: InboxState, positions: readonly number[], as: ParkedAs): void
  removeParked(inbox: InboxState, id: number): void
  /** Leaves these positions in a row; a range row becomes one that names its positions. */
  keepParked(inbox: InboxState, id: number, runs: Runs): void
  /** Leaves what begins at a position in a range row. */
  shortenParked(inbox: InboxState, id: number, first: number): void
}

/** For ordering by key: which subjects have an event out, or waiting. */
export type SubjectRows = {
  /** Events that wait with a subject. */
  countWaiting(inbox: InboxState): Awaitable<number>
  /** Subjects with an event out or parked, or a dead letter that blocks them. */
  occupiedAmong(inbox: InboxState, subjects: readonly string[]): Awaitable<ReadonlySet<string>>
  hold(inbox: InboxState, events: readonly { position: number; subject: string }[]): void
  /** The subjects of events that are out no more. */
  free(inbox: InboxState, positions: readonly number[]): Awaitable<string[]>
  /** What waited behind these subjects may go, unless they are still busy. */
  promote(inbox: InboxState, subjects: readonly string[]): void
  /** The first of every subject that waits behind something may go and see: what held it back has changed. */
  promoteAll(inbox: InboxState): void
}

/** Failed attempts, and dead letters. */
export type FailureRows = {
  noteAttempts(inbox: InboxState, failure: Failure, nowMs: number): void
  /** Attempts that went well, of which the last few are kept. */
  noteDelivered(inbox: InboxState, delivery: Omit<Failure, 'outcome' | 'reason'>, nowMs: number): void
  /** The last attempt, and a copy of each event, which survives the log's retention. What has expired is not kept. */
  bury(inbox: InboxState, death: Omit<Failure, 'outcome'>, nowMs: number): void
  readAttempts(inbox: InboxState, position: number): Awaitable<AttemptRow[]>
  findDeadLetter(inbox: InboxState, position: number): Awaitable<DeadLetterRow | undefined>
  deadAmong(inbox: InboxState, positions: readonly number[]): Awaitable<ReadonlySet<number>>
  countDead(inbox: InboxState): Awaitable<number>
  chooseDead(inbox: InboxState, choice: DeadLetterChoice): Awaitable<number[]>
  /** Answers the subjects of those that were there. */
  removeDead(inbox: InboxState, positions: readonly number[]): Awaitable<(string | null)[]>
  /** Consumers write what they like about an event: that goes with the last copy of it. */
  forgetReasons(inbox: InboxState, positions: readonly number[]): void
}

/** What the rules work in: one transaction, at one time. */
export type Session = {
  readonly rows: Rows
  /** ms since 1970 by the store's clock */
  readonly nowMs: number
  /** `workspaceId/inbox` of those which may have something new to hand out after this transaction */
  readonly wakes: Set<string>
  rowsScanned: number
}

export type Awaitable<Value> = Value | Promise<Value>

export type LogState = {
  readonly head: number
  readonly trimmedTo: number
  /** every position above it exists and holds no event of the hub's own */
  readonly irregularTo: number
}

export type InboxState = {
  readonly id: number
  readonly workspaceId: number
  readonly key: string
  settings: InboxSettings
  status: InboxStatus
  revision: number
  generation: number
  readonly createdMs: number
  next: number
  door: Door | null
  used: boolean
  /** `next` as the database has it */
  storedNext: number
  /** progress is to be written back with this transaction */
  changed: boolean
  /** when leases that had run out were last given back */
  sweptMs: number
}

/** Part of a lease: events of one attempt, and the lease that held them before, if any. */
export type Held = { readonly attempt: number; readonly runs: Runs; readonly before: string | null }

export type HeldLease = { readonly leaseId: string; readonly untilMs: number; readonly held: readonly Held[] }

/**
 * Events that an inbox has looked at and must hand out again, or for the first time after later ones: given back, expired,
 * passed over, replayed. A row holds a group of one attempt; `positions` null stands for a whole range yet to be filtered.
 */
export type Parked = ParkedAs & {
  readonly id: number
  readonly first: number
  readonly last: number
  readonly positions: string | null
  /** of the settings whose filter a range is still to pass */
  readonly revision: number | null
  readonly subject: string | null
}

export type ParkedSpan = Pick<Parked, 'first' | 'last' | 'positions' | 'availableMs'>

export type NewParked = Omit<Parked, 'id'>

export type ParkedAs = {
  readonly availableMs: number
  readonly attempt: number
  /** leased on its own, not together with others */
  readonly alone: boolean
  /** the lease that ran out on it */
  readonly leaseId: string | null
  /** the lease whose holder gave it back */
  readonly releasedBy: string | null
}

/** No row spans more positions than this, so that the rows around a position are found by a range of the index. */
export const maxSpan = 10_000

/** `availableMs` of what waits behind an earlier event of its subject. */
export const behindMs = Number.MAX_SAFE_INTEGER

/** What `explain` needs of the past: which settings held from which position on, seeks, expiries, replays past the filter. */
type HistoryKind = 'settings' | 'seek' | 'expired' | 'replay' | 'erased'

type HistoryNote = {
  readonly kind: HistoryKind
  readonly from: number
  readonly to: number
  readonly settings?: InboxSettings
  readonly positions?: string
}

export type HistoryRow = {
  readonly kind: HistoryKind
  readonly revision: number
  readonly generation: number
  readonly from: number
  readonly to: number
  readonly settings: string | null
  readonly positions: string | null
}

/** Hand-outs that ended in an acknowledgement leave no row: history costs only where something failed. */
export type Failure = {
  readonly positions: readonly number[]
  readonly attempt: number
  readonly outcome: AttemptRow['outcome']
  readonly reason: string | null
  readonly leaseId: string
  readonly note?: DeliveryNote | undefined
}

export function wake(session: Session, inbox: InboxState): void {
  session.wakes.add(`${inbox.workspaceId}/${inbox.key}`)
}

/**
 * How far an idle inbox may read on before its progress is worth a commit of its own; after a crash this many positions
 * are looked at once more.
 */
const softProgress = 1000

export function advance(inbox: InboxState, next: number, handedOut: boolean): void {
  if (next <= inbox.next) return
  inbox.next = next
  if (handedOut || next - inbox.storedNext > softProgress) inbox.changed = true
}

/** The filter that a parked range is still to pass: that of the settings when it was passed over. */
export async function filterOf(rows: Rows, inbox: InboxState, parked: Parked): Promise<Filter> {
  if (parked.revision === null || parked.revision === inbox.revision) return inbox.settings.filter
  return ((await rows.readSettings(inbox, parked.revision)) ?? inbox.settings).filter
}
