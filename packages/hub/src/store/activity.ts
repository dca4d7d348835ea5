/**
 * What happened in a workspace, by the minute for two days and by the hour for a month: enough to draw it, and never more than
 * some 3,600 short rows a workspace.
 */
export type Activity = {
  /** Adds to the minute and to the hour; a level is the highest that was seen in them. Of workspaces that are gone nothing is kept. */
  add(entries: readonly ActivityEntry[]): Promise<void>
  /** Oldest first. A step in which nobody looked has no row. */
  list(workspaceId: number, query: { stepMs: number; fromMs: number; toMs: number }): Promise<ActivityRow[]>
  /** Workspaces in which something happened since then, busiest first. */
  listBusy(sinceMs: number, limit: number): Promise<number[]>
  /** Hand-outs that failed after that row of the attempts, by workspace; without one only where the rows end. */
  countFailures(afterId: number | undefined): Promise<{ lastId: number; failures: FailureCount[] }>
}

export const minuteMs = 60_000
export const hourMs = 3_600_000

/** How long the rows of a step are kept. */
export const keptMs: Readonly<Record<number, number>> = { [minuteMs]: 2 * 24 * hourMs, [hourMs]: 31 * 24 * hourMs }

type ActivityCounts = {
  readonly published: number
  readonly acknowledged: number
  /** hand-outs given back, run out, or dead */
  readonly failed: number
  /** of those, the last ones */
  readonly dead: number
}

/** Of all inboxes together; null where nobody looked. */
type Levels = { readonly waiting: number | null; readonly leased: number | null; readonly oldestMs: number | null }

export type ActivityEntry = ActivityCounts & Levels & { readonly workspaceId: number; readonly atMs: number }
export type ActivityRow = ActivityCounts & Levels & { readonly atMs: number }
export type FailureCount = { readonly workspaceId: number; readonly failed: number; readonly dead: number }
