import { setImmediate as nextTurn } from 'node:timers/promises'
import type { StoredEvent } from '../store/store.ts'
import type { Context, Workspace } from './context.ts'

/** Positions that one request goes over. It bounds its time; a cursor goes on from there. */
const positionBudget = 20_000
/** Rows between two turns of the event loop: looking happens on the thread that serves requests. */
const stepRows = 1000

/** Every event, those of the hub itself as well. */
const all = { event_types: ['*', 'sluice.*'] }

export type Range = {
  /** events after this position */
  readonly after: number
  /** and up to this one */
  readonly last: number
}

export type Part = { readonly events: readonly StoredEvent[]; readonly lookedTo: number }

/** The events of a range, oldest first, in parts; the last part says how far the budget reached. */
export async function* lookBack(
  { store }: Pick<Context, 'store'>,
  workspace: Workspace,
  { after, last }: Range,
): AsyncGenerator<Part> {
  const end = Math.min(last, after + positionBudget)
  for (let from = after; from < end;) {
    const scan = { after: from, filter: all, limit: stepRows, rowBudget: stepRows }
    const { events, scannedTo } = await store.scanEvents(workspace.id, scan)
    const lookedTo = scannedTo > from ? Math.min(scannedTo, end) : end
    yield { events: events.filter(({ position }) => position <= lookedTo), lookedTo }
    from = lookedTo
    await nextTurn()
  }
}
