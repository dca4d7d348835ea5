import type { SourceOutcome } from '@sluice/protocol'
import type { SourceRow } from '../../store/sources.ts'
import type { Context, Workspace } from '../context.ts'
import { publishOwnEvent } from '../own-events.ts'

/** So many refusals one after the other are no stray request. */
const tellAfter = 10
/** Whoever knows the address can have this said, so it is said this seldom, by all nodes together. */
const everyMs = 3_600_000

type Failing = {
  readonly refused: number
  readonly outcome: SourceOutcome
  readonly cause: string | null
  readonly reason: string
}

/** Appends `sluice.source.failing` when nothing but refused signatures comes in. */
export async function tellFailing(
  { store, newId }: Pick<Context, 'store' | 'newId'>,
  { workspace, row }: { readonly workspace: Workspace; readonly row: SourceRow },
  { refused, outcome, cause, reason }: Failing,
): Promise<void> {
  if (refused < tellAfter || !(await store.claimTask(`source-failing/${row.id}`, newId(), everyMs))) return
  const payload = { source: row.key, refused, outcome, cause, reason }
  await publishOwnEvent(store, workspace.id, { eventType: 'sluice.source.failing', subject: row.key, payload })
}
