import { matchesSearch } from '../search.ts'
import type { Search, SearchResult, StoredEvent } from '../store.ts'
import type { Connection } from './connections.ts'
import { eventColumns, findPosition, readLog } from './log.ts'

/** Bodies that one search may read. */
const searchBytes = 32 * 1024 * 1024

/** Rows that are read at a time. */
const partRows = 1000

/** Newest first. Looks at no more than `rowBudget` rows and 32 MB, so that a search that finds little ends all the same. */
export async function searchEvents(connection: Connection, workspaceId: number, search: Search): Promise<SearchResult> {
  const low = search.afterMs === undefined ? 1 : await findPosition(connection, workspaceId, search.afterMs)
  const high =
    search.beforeMs === undefined
      ? (await readLog(connection, workspaceId)).head + 1
      : await findPosition(connection, workspaceId, search.beforeMs)
  const events: StoredEvent[] = []
  let looked = 0
  let bytes = 0
  let lowest = Math.min(high, search.before)
  for (let size = Math.min(search.limit, partRows); looked < search.rowBudget; size = partRows) {
    const budget = Math.min(size, search.rowBudget - looked)
    const part = await connection.query<StoredEvent>(
      `select ${eventColumns} from event where workspace_id = $1 and position >= $2 and position < $3
       order by position desc limit $4`,
      [workspaceId, low, lowest, budget],
    )
    for (const event of part) {
      looked += 1
      lowest = event.position
      if (event.body !== null && matchesSearch(search, event, event.body)) events.push(event)
      bytes += event.body?.length ?? 0
      if (events.length >= search.limit || bytes >= searchBytes) return { events, scannedTo: lowest }
    }
    if (part.length < budget) return { events, scannedTo: null }
  }
  return { events, scannedTo: lowest }
}
