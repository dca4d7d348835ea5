import type { SourceOutcome } from '@sluice/protocol'

/** Addresses that take webhooks from outside, and what became of the requests to them. */
export type Sources = {
  find(workspaceId: number, key: string): Promise<SourceRow | undefined>
  /** By key. */
  list(workspaceId: number, page: { after: string; limit: number }): Promise<SourceRow[]>
  /** Answers false, and changes nothing, if there is one of that key. */
  create(workspaceId: number, source: NewSource): Promise<boolean>
  /** Undefined, and nothing changed, unless the source is the one that was read. */
  update(workspaceId: number, change: SourceChange): Promise<SourceRow | undefined>
  /** With what is known of its requests. */
  remove(workspaceId: number, key: string): Promise<boolean>
  /** Adds to what is known; of sources that are gone nothing is kept. What is older than `outcomesMs` goes. */
  note(workspaceId: number, notes: SourceNotes): Promise<void>
  /** Hours from `sinceMs` on, newest first, and the last failures. */
  readReport(workspaceId: number, id: string, sinceMs: number): Promise<SourceHistory>
}

export type NewSource = {
  readonly key: string
  /** stays as long as the source does */
  readonly id: string
  /** JSON text of the settings on the wire */
  readonly settings: string
  /** JSON text of `SealedSourceSecret[]` */
  readonly secrets: string
}

export type SourceRow = NewSource & {
  readonly revision: number
  readonly createdMs: number
  readonly updatedMs: number
}

/** `revision`: of the row that was read */
export type SourceChange = Pick<SourceRow, 'key' | 'id' | 'revision' | 'settings' | 'secrets'>

export type SealedSourceSecret = {
  readonly sealed: string
  readonly createdMs: number
  readonly untilMs: number | null
}

export type SourceNotes = {
  readonly counts: readonly {
    readonly id: string
    readonly hourMs: number
    readonly outcome: SourceOutcome
    readonly count: number
  }[]
  readonly failures: readonly (SourceFailureRow & { readonly id: string })[]
}

export type SourceFailureRow = {
  readonly atMs: number
  readonly outcome: SourceOutcome
  readonly cause: string | null
  readonly reason: string
}

export type SourceHistory = {
  readonly hours: readonly { readonly hourMs: number; readonly outcome: SourceOutcome; readonly count: number }[]
  readonly failures: readonly SourceFailureRow[]
}

/** Counts are kept for so long. */
export const outcomesMs = 7 * 86_400_000
/** Failures of a source that are kept. */
export const failuresKept = 50

/** Tables with the number of their workspace; the history stays when a workspace moves. */
export const sourceTables = ['source', 'source_outcome', 'source_failure'] as const
