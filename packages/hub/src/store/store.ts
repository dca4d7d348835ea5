import type { Filter, InboxStatus, KeyStatus, SettleStatus, Quotas, UnknownEventTypes } from '@sluice/protocol'
import type { Activity } from './activity.ts'
import type { KeyChange } from './change-key.ts'
import type { EventTypes } from './event-types.ts'
import type { MatchOrder, MatchResult } from './match-events.ts'
import type { Moving } from './moving.ts'
import type { DoorRow } from './doors.ts'
import type { InboxChange, InboxProgress, InboxRow, NewInbox } from './inboxes.ts'
import type { ConnectSessions, Connections, OAuthClients } from './connections.ts'
import type { AuditRow, KeyRow, RateState } from './keys.ts'
import type { Quarantine } from './quarantine.ts'
import type { RateBudgets } from './rate-budgets.ts'
import type { SealedTexts } from './sealed.ts'
import type { Spending } from './spending.ts'
import type { ScheduledEvents, Schedules } from './scheduled.ts'
import type { Sources } from './sources.ts'
import type { Triggers } from './triggers.ts'

export type { InboxChange, InboxProgress, InboxRow, NewInbox } from './inboxes.ts'
export type { AuditRow, KeyRow, RateState, SealedSecret } from './keys.ts'

/**
 * The store contract: what a hub asks of its database, as verbs with guarantees. Every store passes the suite in
 * `store-contract.ts`. No verb needs an event and other state in one transaction.
 *
 * Guarantees that hold for all of them:
 * - A promise that resolves means committed and on disk (fsync, or Postgres commit). One that rejects with
 *   `storage-unavailable` or `overloaded` changed nothing.
 * - Positions of a workspace are handed out in commit order: a reader that has seen p never sees a smaller one appear later.
 *   Gaps are allowed. They begin at 1.
 * - Times are ms since 1970 by the store's own clock, which never runs backwards and is not moved by steps of the wall clock.
 * - A workspace id or inbox key that does not exist rejects with `not-found`.
 */
export type Store = {
  // workspaces
  ensureWorkspace(key: string): Promise<{ workspace: WorkspaceRow; created: boolean }>
  /** Cached for at most 500 ms: a removed workspace is felt within a second on every node. */
  findWorkspace(key: string): Promise<WorkspaceRow | undefined>
  findWorkspaceById(id: number): Promise<WorkspaceRow | undefined>
  listWorkspaces(after: string, limit: number): Promise<WorkspaceRow[]>
  /** Cached as the workspace is. */
  setQuotas(workspaceId: number, quotas: Quotas): Promise<void>
  /** Removes events, inboxes, keys and audit of the workspace. Answers false if there was none. */
  deleteWorkspace(key: string): Promise<boolean>

  // the log
  /** Appends in the order given, each event on its own: a duplicate or mismatch does not touch the others. */
  appendEvents(workspaceId: number, drafts: readonly Draft[]): Promise<AppendOutcome[]>
  /** By position, in the order asked for; positions that hold nothing are left out. */
  readEvents(workspaceId: number, positions: readonly number[]): Promise<StoredEvent[]>
  /** `head` is the last position (0 if none); everything up to `trimmedTo` has expired. */
  readHead(workspaceId: number): Promise<{ head: number; trimmedTo: number }>
  /** The first position accepted at or after that time, or head + 1. */
  findPosition(workspaceId: number, acceptedMs: number): Promise<number>
  /** Newest first, below `before`; looks at no more than `rowBudget` events and says how far it came. */
  searchEvents(workspaceId: number, search: Search): Promise<SearchResult>
  /**
   * Events of a range that one of the filters wants, oldest first, and which. Looks at no more than `rowBudget` events and 32 MB, and
   * says how far it came.
   */
  matchEvents(workspaceId: number, order: MatchOrder): Promise<MatchResult>
  /** Positions after `after` that the filter wants, oldest first, whatever an inbox has done; for following streams. */
  scanEvents(
    workspaceId: number,
    scan: { after: number; filter: Filter; limit: number; rowBudget: number },
  ): Promise<{ events: StoredEvent[]; scannedTo: number }>

  // inboxes
  createInbox(workspaceId: number, key: string, wanted: NewInbox): Promise<{ inbox: InboxRow; created: boolean }>
  findInbox(workspaceId: number, key: string): Promise<InboxRow | undefined>
  listInboxes(workspaceId: number, after: string, limit: number): Promise<InboxRow[]>
  /** A change of settings opens a new revision, which holds from `next` on. */
  updateInbox(workspaceId: number, key: string, change: InboxChange): Promise<InboxRow>
  deleteInbox(workspaceId: number, key: string): Promise<boolean>
  /** New generation: leases and parked events are void, dead letters stay. `position` becomes `next`. */
  seekInbox(workspaceId: number, key: string, position: number): Promise<InboxRow>
  readProgress(workspaceId: number, key: string): Promise<InboxProgress>
  /** Inboxes of all workspaces that the hub itself delivers from. */
  listDoors(): Promise<DoorRow[]>

  // consuming
  /**
   * Hands out up to `limit` events, and no more than about 16 MB of them: first parked ones that are available, then reads on. A lease id that is still held
   * gives the same events again. Nothing is handed out unless the inbox is active, or is broken and this is a probe.
   */
  leaseEvents(workspaceId: number, key: string, request: LeaseOrder): Promise<LeaseGrant>
  /** Acknowledges or releases; without positions, all that the lease still holds. Repeatable. */
  settleLease(workspaceId: number, key: string, order: SettleOrder): Promise<Settlement[]>
  /** Counts from now. Undefined if the lease is not held any more. */
  extendLease(
    workspaceId: number,
    key: string,
    leaseId: string,
    leaseMs: number,
  ): Promise<{ untilMs: number } | undefined>
  /** Acknowledges one event whoever holds it; events before it that were not handed out yet keep waiting. A dead letter is discarded. */
  acknowledgeEvent(workspaceId: number, key: string, position: number): Promise<'acked' | 'already' | 'unknown'>
  /** What waits (parked, or not yet looked at; not what is leased), after a position, oldest first, up to about 16 MB. Changes nothing. */
  peekEvents(
    workspaceId: number,
    key: string,
    peek: { after: number; limit: number },
  ): Promise<{ events: StoredEvent[]; more: boolean; scannedTo: number }>
  replayEvent(
    workspaceId: number,
    key: string,
    position: number,
    ignoreFilter: boolean,
  ): Promise<'replayed' | 'already-waiting' | 'leased' | 'filtered'>
  listDeadLetters(workspaceId: number, key: string, page: { after: number; limit: number }): Promise<DeadLetterRow[]>
  /** `replay` hands them out anew with no attempts counted, `discard` gives them up, `count` changes nothing. */
  settleDeadLetters(
    workspaceId: number,
    key: string,
    selection: DeadLetterChoice,
    action: 'replay' | 'discard' | 'count',
  ): Promise<number>
  /** Newest first, below row id `before`. */
  listAttempts(workspaceId: number, key: string, page: { before: number; limit: number }): Promise<AttemptRow[]>
  /** Of one event, oldest first. */
  findAttempts(workspaceId: number, key: string, position: number): Promise<AttemptRow[]>
  /** One verdict for each inbox of the workspace. The event must exist or have expired. */
  explainEvent(workspaceId: number, position: number): Promise<VerdictRow[]>

  // keys and audit
  insertKey(key: KeyRow): Promise<void>
  /** Cached for at most 500 ms, so that a revocation is felt within a second on every node. */
  findKey(keyId: string): Promise<KeyRow | undefined>
  listKeys(workspaceId: number, page: { after: string; limit: number; status?: KeyStatus }): Promise<KeyRow[]>
  updateKey(keyId: string, change: KeyChange): Promise<KeyRow | undefined>
  appendAudit(entry: Omit<AuditRow, 'id' | 'atMs'>): Promise<void>
  listAudit(workspaceId: number, page: { before: number; limit: number }): Promise<AuditRow[]>
  /** One request against a limit a minute, shared by all nodes. */
  takeRequest(keyId: string, perMinute: number): Promise<RateState>

  // erasure
  /** Events and dead letters, above both marks, whose \`identity\` has one of the values; looks at no more than \`rowBudget\` of them. */
  findIdentified(workspaceId: number, search: IdentitySearch): Promise<Identified>
  /**
   * Removes the content of events for good: body, subject, notes, the reasons of failed attempts. Position, type and time stay. Inboxes
   * that hold them (parked, leased, dead) let go of them; nobody is handed one any more. Answers how many were not erased before.
   */
  eraseEvents(workspaceId: number, positions: readonly number[]): Promise<number>

  // event types
  readonly eventTypes: EventTypes
  readonly quarantine: Quarantine
  readonly connections: Connections
  readonly connectSessions: ConnectSessions
  readonly oauthClients: OAuthClients
  readonly sealedTexts: SealedTexts
  readonly triggers: Triggers
  readonly scheduled: ScheduledEvents
  readonly schedules: Schedules
  readonly sources: Sources
  readonly spending: Spending
  readonly activity: Activity
  readonly rateBudgets: RateBudgets

  // moving
  readonly moving: Moving

  // upkeep
  /**
   * Work that one node at a time does: answers whether the holder may do it now, and keeps it for so long unless claimed again.
   * Claim anew well before that, and stop when the answer is false.
   */
  claimTask(name: string, holder: string, forMs: number): Promise<boolean>
  /** Gives back what leases that ran out held. Called about every second by one owner; waiting consumers are woken by `onWake`. */
  expireLeases(): Promise<void>
  /** One small step of retention; call again while `more`. */
  trimEvents(workspaceId: number, policy: RetentionPolicy): Promise<{ removed: number; more: boolean }>
  /** Calls back after each commit that may give waiting consumers something. Answers the unsubscribe function. */
  onWake(listener: (wake: Wake) => void): () => void
  nowMs(): number
  /** Each part by name: `ok`, or what is wrong with it. */
  checkHealth(): Promise<Record<string, string>>
  stats(): StoreStats
  close(): Promise<void>
}

export type WorkspaceRow = {
  readonly id: number
  readonly key: string
  /** 26 random bits, part of the id of each event to come */
  readonly tag: number
  /** Events up to a position have another one in theirs: the log was put back to an earlier time there. Oldest first. */
  readonly earlierTags: readonly (readonly [last: number, tag: number])[]
  readonly createdMs: number
  /** what becomes of events whose type is not known */
  readonly unknownEventTypes: UnknownEventTypes
  readonly quotas: Quotas
  /** counts the changes of its event types; 0: it has never had any */
  readonly eventTypesRevision: number
}

export type Draft = {
  readonly eventType: string
  readonly source: string | null
  readonly subject: string | null
  /** the event as received: one JSON object in one line, without any member that is the hub's */
  readonly body: string
  /** the hub's own notes in JSON (trace context, hops), or null */
  readonly notes: string | null
  /** each in its own namespace; `key` is a digest of namespace and key, `fingerprint` of the body */
  readonly dedup: readonly { readonly key: string; readonly fingerprint: string }[]
}

/** `mismatch`: a deduplication key is known with another fingerprint. */
export type AppendOutcome =
  | { readonly status: 'stored' | 'duplicate'; readonly position: number; readonly acceptedMs: number }
  | { readonly status: 'mismatch' }

export type StoredEvent = {
  readonly position: number
  readonly acceptedMs: number
  readonly eventType: string
  readonly source: string | null
  readonly subject: string | null
  /** null once erased */
  readonly body: string | null
  readonly notes: string | null
}

export type Search = {
  readonly before: number
  readonly limit: number
  readonly rowBudget: number
  readonly eventType?: string
  readonly source?: string
  readonly subject?: string
  readonly channel?: string
  readonly identity?: string
  readonly entity?: string
  readonly text?: string
  readonly afterMs?: number
  readonly beforeMs?: number
}

export type SearchResult = {
  readonly events: StoredEvent[]
  /** the lowest position looked at; null when the search came to the beginning of the log (or to `afterMs`) */
  readonly scannedTo: number | null
}

export type IdentitySearch = {
  /** text compared with each member of \`identity\`; case counts */
  readonly values: readonly string[]
  /** events after this position */
  readonly afterPosition: number
  /** and up to this one */
  readonly lastPosition: number
  /** dead letters after this row id; those of events that are still in the log go with their event */
  readonly afterDead: number
  readonly rowBudget: number
}

export type Identified = {
  readonly positions: number[]
  readonly deadLetters: { readonly inbox: string; readonly position: number }[]
  /** events and dead letters up to here were looked at */
  readonly positionsTo: number
  readonly deadTo: number
  readonly looked: number
  readonly more: boolean
}

export type LeaseOrder = {
  readonly leaseId: string
  readonly limit: number
  /** undefined: as the settings of the inbox say */
  readonly leaseMs?: number | undefined
  /** also of an inbox that is broken, to see whether it still is */
  readonly probe?: boolean | undefined
}

export type LeaseGrant = {
  readonly inboxStatus: InboxStatus
  /** null when nothing was handed out */
  readonly untilMs: number | null
  readonly events: (StoredEvent & { readonly attempt: number })[]
  /** there may be more to hand out right now */
  readonly more: boolean
  /** when something held or parked may become available; null if nothing will by time alone */
  readonly retryAtMs: number | null
}

export type SettleOrder = {
  readonly leaseId: string
  readonly positions?: readonly number[]
  readonly outcome:
    /** With a note it is listed among the attempts, as one of the last that were delivered. */
    | { readonly kind: 'ack'; readonly note?: DeliveryNote }
    /** `delayMs` undefined: the retry schedule of the inbox; `final`: it is a dead letter now, whatever attempts are left */
    | {
        readonly kind: 'release'
        readonly delayMs?: number
        readonly reason?: string
        readonly count: boolean
        readonly final?: boolean
        readonly note?: DeliveryNote
      }
}

/** What the hub itself saw of an attempt. */
export type DeliveryNote = { readonly ms: number; readonly result: string }

/** `acceptedMs` is null where the order named the positions: its caller has the ids. */
export type Settlement = {
  readonly position: number
  readonly acceptedMs: number | null
  readonly status: SettleStatus
}

export type DeadLetterRow = {
  readonly position: number
  readonly acceptedMs: number
  readonly eventType: string
  readonly attempts: number
  readonly reason: string | null
  readonly deadMs: number
  readonly body: string
}

export type DeadLetterChoice = {
  readonly positions?: readonly number[]
  readonly eventType?: string
  readonly afterMs?: number
  readonly beforeMs?: number
}

export type AttemptRow = {
  readonly id: number
  readonly position: number
  readonly acceptedMs: number
  readonly attempt: number
  readonly outcome: 'released' | 'expired' | 'dead' | 'delivered'
  readonly reason: string | null
  readonly atMs: number
  readonly leaseId: string
  /** of an attempt of the hub's own */
  readonly ms: number | null
  readonly result: string | null
}

export type VerdictRow = {
  readonly inbox: string
  readonly verdict:
    | 'waiting'
    | 'leased'
    | 'parked'
    | 'acknowledged'
    | 'filtered'
    | 'dead'
    | 'passed-by-seek'
    | 'before-start'
    | 'expired'
    | 'erased'
  readonly rule: string | null
  readonly revision: number | null
  readonly reason: string | null
  readonly attempts: number
  readonly leaseId: string | null
  readonly leasedUntilMs: number | null
  readonly availableMs: number | null
  readonly history: AttemptRow[]
}

export type RetentionPolicy = {
  /** payloads go after this, if every inbox has passed them */
  readonly passedMs: number
  /** and after this in any case */
  readonly anywayMs: number
  /** failed attempts */
  readonly attemptsMs: number
  readonly maxRows: number
}

/** `inbox` undefined: events were appended; `appended` says of which types, sources and subjects, where that is known. */
export type Wake = {
  readonly workspaceId: number
  readonly inbox?: string
  readonly appended?: readonly {
    readonly eventType: string
    readonly source: string | null
    readonly subject: string | null
  }[]
}

type StoreStats = {
  readonly queued: number
  readonly commits: number
  readonly appended: number
  /** rows of the log that filters had to look at */
  readonly rowsScanned: number
}
