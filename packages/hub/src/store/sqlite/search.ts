import { matchesSearch } from '../search.ts'
import type { Search, SearchResult, StoredEvent } from '../store.ts'
import type { Database } from './database.ts'
import { eventColumns, eventTable, findPosition, readLog } from './log.ts'

/** Bodies that one search may read. */
const searchBytes = 32 * 1024 * 1024

/** Newest first. Looks at no more than `rowBudget` rows and 32 MB, so that a search that finds little ends all the same. */
export function searchEvents(db: Database, workspaceId: number, search: Search): SearchResult {
  const low = search.afterMs === undefined ? 1 : findPosition(db, workspaceId, search.afterMs)
  const high =
    search.beforeMs === undefined ? readLog(db, workspaceId).head + 1 : findPosition(db, workspaceId, search.beforeMs)
  const statement = db.sql(
    `select ${eventColumns} from ${eventTable(workspaceId)} where position >= ? and position < ? order by position desc limit ?`,
  )
  const events: StoredEvent[] = []
  let looked = 0
  let bytes = 0
  let lowest = Math.min(high, search.before)
  for (const found of statement.iterate(low, lowest, search.rowBudget)) {
    const event = found as StoredEvent // the columns above
    looked += 1
    lowest = event.position
    if (event.body !== null && matchesSearch(search, event, event.body)) events.push(event)
    bytes += event.body?.length ?? 0
    if (events.length >= search.limit || bytes >= searchBytes) return { events, scannedTo: lowest }
  }
  return { events, scannedTo: looked < search.rowBudget ? null : lowest }
}
