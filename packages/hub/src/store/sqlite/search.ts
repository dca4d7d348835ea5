import { matchesGlob } from '@sluice/protocol/glob'
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

function matchesSearch(search: Search, event: StoredEvent, body: string): boolean {
  if (search.eventType !== undefined && !matchesGlob(search.eventType, event.eventType)) return false
  if (search.source !== undefined && search.source !== event.source) return false
  if (search.subject !== undefined && search.subject !== event.subject) return false
  const { channel, identity, entity, text } = search
  if (channel === undefined && identity === undefined && entity === undefined && text === undefined) return true
  const content: {
    channel?: string
    identity?: Record<string, string>
    entity?: { type: string; id: string }
    payload?: unknown
  } = JSON.parse(body)
  if (channel !== undefined && content.channel !== channel) return false
  if (identity !== undefined && !Object.values(content.identity ?? {}).includes(identity)) return false
  if (
    entity !== undefined &&
    content.entity?.id !== entity &&
    `${content.entity?.type}:${content.entity?.id}` !== entity
  )
    return false
  return text === undefined || JSON.stringify(content.payload).toLowerCase().includes(text.toLowerCase())
}
