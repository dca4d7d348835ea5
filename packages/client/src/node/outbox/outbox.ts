import type { NewBatchEvent } from '@sluice/protocol'

/** Where events wait, in a database of the application, until a relay has sent them. `relay`, `status` and the rest are the same for both databases; each has an `add` of its own. */
export type Outbox = {
  /** as it was given; for messages */
  readonly table: string
  /** Makes the table and its index, as `outboxSql` has them. Safe to repeat, also by several processes at once. */
  install(): Promise<void>
  /** How much waits, and what was refused: the newest `limit` of those, default 100. */
  status(options?: { readonly limit?: number | undefined }): Promise<OutboxStatus>
  /** Lets refused events wait again, all or those of these ids. Answers how many. */
  retry(ids?: readonly string[]): Promise<number>
  /** Removes refused events for good, those of these ids. Answers how many. */
  discard(ids: readonly string[]): Promise<number>
  /** for `relay` */
  readonly rows: OutboxRows
}

export type OutboxOptions = {
  /** letters, digits and `_`, on Postgres also as `schema.table`; default `sluice_outbox` */
  readonly table?: string | undefined
  /** `source` of every event that names none itself */
  readonly source?: string | undefined
  /** makes idempotency keys; UUIDs by default */
  readonly newId?: (() => string) | undefined
}

export type OutboxStatus = {
  /** not sent yet; those in the hands of a relay included */
  readonly waiting: number
  /** in the hands of a relay just now */
  readonly claimed: number
  /** kept aside, because the hub will never take them as they are */
  readonly refused: number
  /** how long the oldest of those that wait has waited, in seconds; null if none waits */
  readonly oldest_seconds: number | null
  readonly refused_events: readonly RefusedEvent[]
}

export type RefusedEvent = {
  readonly id: string
  readonly event: NewBatchEvent
  /** what the hub said */
  readonly reason: string
}

/** One stored event. `text` is the event as JSON, its idempotency key in it. */
export type OutboxRow = { readonly id: string; readonly text: string }

/**
 * What a relay asks of a database. A claim gives the oldest rows to one relay for a time; a subject of which another
 * relay holds a row is passed over, so that two relays never send the same subject at once.
 */
type OutboxRows = {
  claim(order: ClaimOrder): Promise<readonly OutboxRow[]>
  /** Ends a claim: what was accepted is gone, what was refused is kept aside, the rest can be claimed again. */
  settle(claim: Settlement): Promise<void>
  /** rows that wait, claimed or not */
  countWaiting(): Promise<number>
  /** whether the database may answer if it is asked again */
  isPassing(error: unknown): boolean
}

/** A claim looks at so many rows for each that it may take: one hot subject in other hands must not cost a walk over all its rows. */
export const scannedPerRow = 40

export type ClaimOrder = {
  /** names the claim; a new one each time */
  readonly token: string
  readonly limit: number
  /** for how long the rows are this relay's; a relay that died holds them no longer */
  readonly leaseSeconds: number
}

export type Settlement = {
  readonly token: string
  readonly accepted: readonly string[]
  readonly refused: readonly { readonly id: string; readonly reason: string }[]
  readonly again: readonly string[]
}

/** Rows of the database, as columns are named in both. */
export type RefusedRow = { readonly id: string | number; readonly event: string; readonly refused: string }

export function toRefusedEvent(row: RefusedRow): RefusedEvent {
  // Written by `toRows`, which had an event in hand.
  return { id: toPlainId(row.id), event: JSON.parse(row.event) as NewBatchEvent, reason: row.refused }
}

/** A refused row has its id negated: so it is out of the way of each claim, and back in its place when it is tried again. */
export function toPlainId(id: string | number): string {
  return String(id).replace('-', '')
}
