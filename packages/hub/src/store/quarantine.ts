import type { AppendOutcome, Draft } from './store.ts'

/**
 * Events that their schemas keep back: on disk, in no log. They are kept until they are removed. Releasing one takes two steps, `appendEvents`
 * with a deduplication key of its own, then `remove`, so that no verb needs the log and the quarantine in one transaction.
 */
export type Quarantine = {
  /** Events of the log that carry one of the deduplication keys of a draft, in the order of the drafts. Stores nothing. */
  findRepetitions(workspaceId: number, drafts: readonly Draft[]): Promise<(AppendOutcome | undefined)[]>
  /** One that is there already under one of its deduplication keys is not kept a second time. In the order given. */
  add(workspaceId: number, drafts: readonly QuarantineDraft[]): Promise<QuarantineOutcome[]>
  /** Oldest first. */
  list(workspaceId: number, page: { after: number; limit: number; eventType?: string }): Promise<QuarantineRow[]>
  /** Those of these ids that are there, oldest first. */
  find(workspaceId: number, ids: readonly string[]): Promise<QuarantineRow[]>
  /** Notes that they are about to be appended, and since when, unless noted before; or that they were not after all. */
  markReleasing(workspaceId: number, ids: readonly string[], releasing: boolean): Promise<void>
  /** Answers how many there were. */
  remove(workspaceId: number, choice: { ids: readonly string[] } | { eventType: string }): Promise<number>
  count(workspaceId: number, eventType?: string): Promise<number>
}

export type QuarantineDraft = Draft & {
  /** a UUID, made by the caller */
  readonly id: string
  /** of the schema that refused it */
  readonly version: number
  /** JSON text: what is wrong with it */
  readonly faults: string
}

/** `mismatch`: a deduplication key is known with another fingerprint. */
export type QuarantineOutcome =
  | { readonly status: 'added' | 'repeated'; readonly id: string; readonly atMs: number }
  | { readonly status: 'mismatch' }

export type QuarantineRow = QuarantineDraft & {
  /** where a page goes on */
  readonly place: number
  readonly atMs: number
  readonly releasingMs: number | null
}
