import type { Draft } from './store.ts'

/**
 * Events that wait for their time. They are appended under a key of their own before they are taken out: if a node ends in
 * between, the next one appends the same event again, and it is a duplicate.
 */
export type ScheduledEvents = {
  /** What `add` would answer of drafts that wait already, in their order; undefined for the others. Stores nothing. */
  findKept(workspaceId: number, drafts: readonly Draft[]): Promise<(ScheduledOutcome | undefined)[]>
  /** One that waits already under one of its deduplication keys does not wait twice. In the order given. */
  add(workspaceId: number, drafts: readonly ScheduledDraft[]): Promise<ScheduledOutcome[]>
  /** In the order in which they are due. */
  list(workspaceId: number, page: { after: DuePlace; limit: number }): Promise<ScheduledRow[]>
  find(workspaceId: number, id: string): Promise<ScheduledRow | undefined>
  /** Those whose time has come, of all workspaces. A claim that is not followed by `remove` within `forMs` is free again. */
  claimDue(limit: number, forMs: number): Promise<DueEvent[]>
  /** Takes out; answers how many there were. */
  remove(workspaceId: number, ids: readonly string[]): Promise<number>
  /** How many wait; `most` is as far as it counts. */
  count(workspaceId: number, most: number): Promise<number>
  /** Takes one out, unless somebody is appending it. */
  cancel(workspaceId: number, id: string): Promise<'cancelled' | 'claimed' | 'unknown'>
}

/** Where a page goes on. */
export type DuePlace = { readonly dueMs: number; readonly place: number }

export type ScheduledDraft = Draft & {
  /** a UUID, made by the caller */
  readonly id: string
  readonly dueMs: number
}

/** `mismatch`: a deduplication key is known with another fingerprint. */
export type ScheduledOutcome =
  | { readonly status: 'added' | 'repeated'; readonly id: string; readonly atMs: number; readonly dueMs: number }
  | { readonly status: 'mismatch' }

export type ScheduledRow = ScheduledDraft & DuePlace & { readonly atMs: number }
export type DueEvent = ScheduledRow & { readonly workspaceId: number }

/**
 * Schedules that make events. An event is appended under a key made of the schedule and its due time, then the schedule is moved
 * on: nodes that do it at once make one event.
 */
export type Schedules = {
  find(workspaceId: number, key: string): Promise<ScheduleRow | undefined>
  /** By key. */
  list(workspaceId: number, page: { after: string; limit: number }): Promise<ScheduleRow[]>
  /** Makes or replaces; a new one is active, one that was there stays as it is. Answers whether it is new. */
  put(workspaceId: number, schedule: NewSchedule): Promise<boolean>
  setStatus(workspaceId: number, key: string, change: { status: ScheduleRow['status']; nextMs: number }): Promise<void>
  remove(workspaceId: number, key: string): Promise<boolean>
  /** Active ones whose time has come, of all workspaces. */
  listDue(limit: number): Promise<DueSchedule[]>
  /** To its next time, unless it is elsewhere already. */
  advance(due: DueSchedule, to: Advance): Promise<void>
}

/** `error`: why the due time made no event. */
export type Advance = { readonly nextMs: number; readonly error: string | null }

export type NewSchedule = {
  readonly key: string
  /** new each time that it is changed: part of what its events are known by */
  readonly id: string
  /** JSON text of what is on the wire */
  readonly settings: string
  readonly nextMs: number
}

export type ScheduleRow = NewSchedule & {
  readonly status: 'active' | 'paused'
  readonly lastMs: number | null
  readonly lastError: string | null
  readonly createdMs: number
  readonly updatedMs: number
}

export type DueSchedule = ScheduleRow & { readonly workspaceId: number }
