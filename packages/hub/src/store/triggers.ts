/**
 * Polling triggers at work. A poll takes three steps that need no common transaction: it is claimed; its new records are
 * appended under keys of their own; it is finished, with what was seen. If it ends after the second, the next poll appends the
 * same records again, and they are duplicates.
 */
export type Triggers = {
  find(workspaceId: number, key: string): Promise<TriggerRow | undefined>
  /** By key. */
  list(workspaceId: number, page: { after: string; limit: number }): Promise<TriggerRow[]>
  /** Makes or replaces. Settings are new ones: polls under way count no more. What it remembers stays with the same `id`. */
  put(workspaceId: number, trigger: NewTrigger): Promise<boolean>
  setStatus(workspaceId: number, key: string, status: TriggerRow['status']): Promise<void>
  remove(workspaceId: number, key: string): Promise<boolean>
  /** Active ones whose time has come, each for one node at a time. A claim that is not finished within `forMs` is free again. */
  claimDue(limit: number, forMs: number): Promise<ClaimedTrigger[]>
  /** One, whenever its time is; undefined while it is claimed. */
  claim(workspaceId: number, key: string, forMs: number): Promise<ClaimedTrigger | undefined>
  /** Which of these records, by digest, it has seen. */
  findSeen(claimed: ClaimedTrigger, digests: readonly string[]): Promise<string[]>
  /** Ends a poll. Answers false if the trigger was changed, removed or claimed anew since: then nothing of it is kept but that. */
  finish(claimed: ClaimedTrigger, outcome: PollEnd): Promise<boolean>
  /** Newest first, below row id `before`. */
  listPolls(workspaceId: number, key: string, page: { before: number; limit: number }): Promise<PollRow[]>
}

export type NewTrigger = {
  readonly key: string
  /** what its memory belongs to: new when it asks for something else than before */
  readonly id: string
  /** JSON text of the settings on the wire */
  readonly settings: string
  readonly nextPollMs: number
}

export type TriggerRow = NewTrigger & {
  readonly status: 'active' | 'paused'
  /** counts the changes */
  readonly generation: number
  readonly primed: boolean
  /** JSON text that the handler gave for the next poll, or null */
  readonly state: string | null
  readonly lastPollMs: number | null
  readonly failures: number
  readonly lastError: string | null
  readonly createdMs: number
  readonly updatedMs: number
}

export type ClaimedTrigger = TriggerRow & { readonly workspaceId: number; readonly token: string }

export type PollEnd = {
  readonly startedMs: number
  readonly ms: number
  readonly found: number
  readonly published: number
  readonly error: string | null
  readonly nextPollMs: number
  /** of a good poll; undefined for one that failed */
  readonly good?: { readonly state: string | null; readonly seen: readonly string[] } | undefined
}

export type PollRow = {
  readonly id: number
  readonly atMs: number
  readonly ms: number
  readonly outcome: 'good' | 'failed' | 'superseded'
  readonly found: number
  readonly published: number
  readonly error: string | null
}

/** A record is remembered for so long after the service gave it last. */
export const seenMs = 60 * 86_400_000
/** Polls are listed for so long. */
export const pollsMs = 7 * 86_400_000
