import type { ActivityRange, Activity } from '@sluice/protocol'
import { hourMs, minuteMs, type ActivityRow } from '../store/activity.ts'
import type { Context, Workspace } from './context.ts'
import { toIso } from './to-wire.ts'

type Step = { readonly spanMs: number; readonly keptMs: number; readonly stepMs: number }

/** Which rows are read, and how wide a point of the chart is. */
const steps: Record<ActivityRange, Step> = {
  hour: { spanMs: hourMs, keptMs: minuteMs, stepMs: minuteMs },
  day: { spanMs: 24 * hourMs, keptMs: minuteMs, stepMs: 10 * minuteMs },
  month: { spanMs: 30 * 24 * hourMs, keptMs: hourMs, stepMs: 6 * hourMs },
}

/** What happened until now. A step of which nothing is known has no point: it is no zero. */
export async function showActivity(
  { store, activity }: Context,
  workspace: Workspace,
  range: ActivityRange,
): Promise<Activity> {
  // Of the other nodes it is what they have written within 10 seconds.
  await activity.flush()
  const { spanMs, keptMs, stepMs } = steps[range]
  const toMs = store.nowMs()
  const fromMs = Math.floor((toMs - spanMs) / stepMs) * stepMs
  const rows = await store.activity.list(workspace.id, { stepMs: keptMs, fromMs, toMs: toMs + keptMs })
  const points = Array.from(
    Map.groupBy(rows, ({ atMs }) => Math.floor(atMs / stepMs) * stepMs),
    toPoint,
  )
  return { range, from: toIso(fromMs), to: toIso(toMs), step_seconds: stepMs / 1000, points }
}

function toPoint([atMs, rows]: [number, ActivityRow[]]): Activity['points'][number] {
  const sum = (of: (row: ActivityRow) => number): number => rows.reduce((total, row) => total + of(row), 0)
  const highest = (of: (row: ActivityRow) => number | null): number | null => {
    const known = rows.flatMap((row) => of(row) ?? [])
    return known.length === 0 ? null : Math.max(...known)
  }
  const oldestMs = highest((row) => row.oldestMs)
  return {
    at: toIso(atMs),
    published: sum((row) => row.published),
    acknowledged: sum((row) => row.acknowledged),
    failed: sum((row) => row.failed),
    dead: sum((row) => row.dead),
    waiting: highest((row) => row.waiting),
    leased: highest((row) => row.leased),
    oldest_age_seconds: oldestMs === null ? null : Math.round(oldestMs / 1000),
  }
}
