import type { Search } from '../store/store.ts'
import type { Context, Workspace } from './context.ts'
import { openPosition } from './cursors.ts'
import type { Page, PageRequest } from './page.ts'
import { toEventText, toIso } from './to-wire.ts'

/** Events that one request looks at. It bounds the time of a search that finds little; the cursor goes on from there. */
const rowBudget = 50_000

export type SearchRequest = PageRequest & { readonly criteria: Omit<Search, 'before' | 'limit' | 'rowBudget'> }

/** Newest first. `searchedTo` is the time that a search which was cut short has come back to. */
export async function searchEvents(
  { store, cursors }: Context,
  workspace: Workspace,
  { criteria, limit, cursor }: SearchRequest,
): Promise<Page & { readonly searchedTo: string | null }> {
  const scope = `${workspace.id}/search`
  const before = openPosition(cursors, scope, cursor, Number.MAX_SAFE_INTEGER)
  const { events, scannedTo } = await store.searchEvents(workspace.id, { ...criteria, before, limit, rowBudget })
  const [lowest] = scannedTo === null ? [] : await store.readEvents(workspace.id, [scannedTo])
  return {
    items: events.map((event) => toEventText(workspace, event)),
    nextCursor: scannedTo === null ? null : cursors.seal(scope, String(scannedTo)),
    hasMore: scannedTo !== null,
    searchedTo: lowest ? toIso(lowest.acceptedMs) : null,
  }
}
