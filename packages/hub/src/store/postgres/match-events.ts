import { matchBytes, matchEvent, type MatchedEvent, type MatchOrder, type MatchResult } from '../match-events.ts'
import type { StoredEvent } from '../store.ts'
import type { Connection } from './connections.ts'
import { eventColumns } from './log.ts'

/** Rows that are read at a time: others have their turn in between. A few of the largest events fill it. */
const partRows = 100

/** See `Store`. */
export async function matchEvents(
  { query }: Connection,
  workspaceId: number,
  { after, last, filters, rowBudget }: MatchOrder,
): Promise<MatchResult> {
  const matched: MatchedEvent[] = []
  let looked = 0
  let bytes = 0
  let lookedTo = after
  while (looked < rowBudget && bytes < matchBytes) {
    const size = Math.min(partRows, rowBudget - looked)
    const part = await query<StoredEvent>(
      `select ${eventColumns} from event where workspace_id = $1 and position > $2 and position <= $3
       order by position limit $4`,
      [workspaceId, lookedTo, last, size],
    )
    for (const event of part) {
      looked += 1
      bytes += event.body?.length ?? 0
      lookedTo = event.position
      const match = matchEvent(event, filters)
      if (match) matched.push(match)
      if (bytes >= matchBytes) return { matched, lookedTo }
    }
    if (part.length < size) return { matched, lookedTo: last }
  }
  return { matched, lookedTo }
}
