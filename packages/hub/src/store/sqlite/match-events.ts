import { matchBytes, matchEvent, type MatchedEvent, type MatchOrder, type MatchResult } from '../match-events.ts'
import type { StoredEvent } from '../store.ts'
import type { Database } from './database.ts'
import { eventColumns, eventTable } from './log.ts'

/** See `Store`. */
export function matchEvents(
  db: Database,
  workspaceId: number,
  { after, last, filters, rowBudget }: MatchOrder,
): MatchResult {
  const statement = db.sql(
    `select ${eventColumns} from ${eventTable(workspaceId)} where position > ? and position <= ? order by position limit ?`,
  )
  const matched: MatchedEvent[] = []
  let looked = 0
  let bytes = 0
  for (const found of statement.iterate(after, last, rowBudget)) {
    const event = found as StoredEvent // the columns above
    looked += 1
    bytes += event.body?.length ?? 0
    const match = matchEvent(event, filters)
    if (match) matched.push(match)
    if (looked >= rowBudget || bytes >= matchBytes) return { matched, lookedTo: event.position }
  }
  return { matched, lookedTo: last }
}
