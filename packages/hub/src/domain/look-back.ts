import type { Filter } from '@sluice/protocol'
import type { MatchedEvent } from '../store/match-events.ts'
import type { Context, Workspace } from './context.ts'
import { openCursorOf } from './cursors.ts'

/** Events that one request goes over. It bounds its time; a cursor goes on from there. */
const rowBudget = 20_000

export type Range = {
  /** events after this position */
  readonly after: number
  /** and up to this one */
  readonly last: number
}

/** One step over the past; `scope` is what its cursors are good for. */
export type Step = Range & { readonly scope: string }

/** The range that a cursor goes on with, or the one that a request begins with. @throws HubError `invalid-cursor` */
export async function openStep(
  { cursors }: Pick<Context, 'cursors'>,
  { scope, cursor, begin }: { scope: string; cursor: string | undefined; begin: () => Promise<Range> },
): Promise<Step> {
  if (cursor === undefined) return { ...(await begin()), scope }
  const [after = 0, last = 0] = openCursorOf(cursors, scope, cursor).split(' ').map(Number)
  return { after, last, scope }
}

export type Looked = {
  readonly matched: readonly MatchedEvent[]
  readonly looked_at: number
  readonly done: boolean
  readonly next_cursor: string | null
}

/** The events of a step that one of the filters wants, oldest first. */
export async function lookBack(
  { store, cursors }: Pick<Context, 'store' | 'cursors'>,
  workspace: Workspace,
  { after, last, scope }: Step,
  filters: readonly Filter[],
): Promise<Looked> {
  const { matched, lookedTo } =
    after >= last
      ? { matched: [], lookedTo: last }
      : await store.matchEvents(workspace.id, { after, last, filters, rowBudget })
  const done = lookedTo >= last
  const next = done ? null : cursors.seal(scope, `${lookedTo} ${last}`)
  return { matched, looked_at: Math.max(0, lookedTo - after), done, next_cursor: next }
}
