import type { AppendOutcome, Draft } from './store.ts'

/**
 * Events that their schemas keep back: on disk, in no log. They are kept until they are removed. Whoever takes one out, by `release` or by
 * `remove`, has it alone: it is in quarantine until then, and afterwards in the log or nowhere.
 */
export type Quarantine = {
  /** Events of the log that carry one of the deduplication keys of a draft, in the order of the drafts. Stores nothing. */
  findRepetitions(workspaceId: number, drafts: readonly Draft[]): Promise<(AppendOutcome | undefined)[]>
  /** What `add` would answer of drafts that are there already, in their order. Stores nothing. */
  findKept(workspaceId: number, drafts: readonly Draft[]): Promise<(QuarantineOutcome | undefined)[]>
  /** One that is there already under one of its deduplication keys is not kept a second time. In the order given. */
  add(workspaceId: number, drafts: readonly QuarantineDraft[]): Promise<QuarantineOutcome[]>
  /** Oldest first. */
  list(workspaceId: number, page: { after: number; limit: number; eventType?: string }): Promise<QuarantineRow[]>
  /** Those of these ids that are there, oldest first. */
  find(workspaceId: number, ids: readonly string[]): Promise<QuarantineRow[]>
  /**
   * Appends to the log and takes out, in one transaction and as `appendEvents` has it; a `mismatch` stays. In the order given;
   * undefined for those that are there no more.
   */
  release(workspaceId: number, drafts: readonly ReleaseDraft[]): Promise<(AppendOutcome | undefined)[]>
  /** Answers how many there were. */
  remove(workspaceId: number, choice: { ids: readonly string[] } | { eventType: string }): Promise<number>
  count(workspaceId: number, eventType?: string): Promise<number>
}

/** What goes into the log in place of the event with this id. */
export type ReleaseDraft = Draft & { readonly id: string }

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
}
