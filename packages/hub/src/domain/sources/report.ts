import type { SourceOutcome, SourceReport } from '@sluice/protocol'
import type { Context, Workspace } from '../context.ts'
import { toIso } from '../to-wire.ts'
import { requireSource } from './sources.ts'

type Counts = Partial<Record<SourceOutcome, number>>

const hourMs = 3_600_000

/** What became of the requests of a source. What other nodes have seen comes in within five seconds. */
export async function reportSource(
  context: Context,
  workspace: Workspace,
  { key, hours }: { readonly key: string; readonly hours: number },
): Promise<SourceReport> {
  const { store, sourceNotes } = context
  const row = await requireSource(context, workspace, key)
  await sourceNotes.flush()
  const sinceMs = Math.floor(store.nowMs() / hourMs) * hourMs - (hours - 1) * hourMs
  const history = await store.sources.readReport(workspace.id, row.id, sinceMs)
  const total: Counts = {}
  const byHour = new Map<number, Counts>()
  for (const { hourMs: at, outcome, count } of history.hours) {
    total[outcome] = (total[outcome] ?? 0) + count
    byHour.set(at, { ...byHour.get(at), [outcome]: count })
  }
  return {
    key,
    since: toIso(sinceMs),
    total,
    hours: [...byHour].map(([at, outcomes]) => ({ hour: toIso(at), outcomes })),
    failures: history.failures.map(({ atMs, ...failure }) => ({ at: toIso(atMs), ...failure })),
  }
}
