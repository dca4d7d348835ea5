import { expandRuns, parseRuns, toRuns } from '../runs.ts'
import type { StoredEvent } from '../store.ts'
import type { Database } from './database.ts'
import type { InboxState } from './writer-state.ts'
import { readHead, readSome, scanLog } from './log.ts'
import { filterOf, iterateParked } from './parked.ts'

type Peek = { readonly after: number; readonly limit: number }
type Peeked = { readonly events: StoredEvent[]; readonly more: boolean; readonly scannedTo: number }

/** Rows of the log that one page may look at; a page that ends here is short but says that there may be more. */
const peekBudget = 5000

/** What waits after a position: parked events and those not yet looked at, oldest first. Changes nothing. */
export function peekEvents(db: Database, inbox: InboxState, { after, limit }: Peek): Peeked {
  const { head, trimmedTo } = readHead(db, inbox.workspaceId)
  const waiting = collectParked(db, inbox, after, limit + 1)
  const candidates = new Set(waiting.found)
  // Nothing beyond an unfinished range may be shown before what it holds.
  let scannedTo = waiting.upTo ?? head
  const first = Math.max(inbox.next, trimmedTo + 1, after + 1)
  if (waiting.upTo === undefined && first <= head && candidates.size <= limit) {
    const scan = {
      first,
      last: head,
      filter: inbox.settings.filter,
      limit: limit + 1,
      budget: peekBudget - waiting.looked,
    }
    const scanned = scanLog(db, inbox.workspaceId, scan)
    for (const { position } of scanned.found) candidates.add(position)
    scannedTo = scanned.scannedTo
  }
  const positions = [...candidates].filter((position) => position <= scannedTo).toSorted((a, b) => a - b)
  const { events, readTo } = readSome(db, inbox.workspaceId, toRuns(positions.slice(0, limit)))
  const last = readTo ?? (positions.length > limit ? positions[limit - 1] : undefined)
  const more = last === undefined ? scannedTo < head : last < (positions.at(-1) ?? 0) || scannedTo < head
  return { events: events.filter((event) => event.body !== null), more, scannedTo: last ?? Math.max(after, scannedTo) }
}

type Collected = {
  readonly found: number[]
  /** a range that could not be looked through ended here; undefined if there was none */
  readonly upTo?: number
  readonly looked: number
}

/** At least the `count` lowest parked positions after `after`, as far as there are so many and the budget goes. */
function collectParked(db: Database, inbox: InboxState, after: number, count: number): Collected {
  const found: number[] = []
  let looked = 0
  for (const parked of iterateParked(db, inbox.id, after)) {
    if (found.length >= count && parked.first > (found.toSorted((a, b) => a - b)[count - 1] ?? 0)) break
    if (parked.positions !== null) {
      found.push(...expandRuns(parseRuns(parked.positions)).filter((position) => position > after))
      continue
    }
    const first = Math.max(parked.first, after + 1)
    const budget = peekBudget - looked
    const scan = { first, last: parked.last, filter: filterOf(db, inbox, parked), limit: count, budget }
    const scanned = scanLog(db, inbox.workspaceId, scan)
    looked += scanned.looked
    found.push(...scanned.found.map((event) => event.position))
    if (scanned.scannedTo < parked.last && scanned.found.length < count)
      return { found, upTo: scanned.scannedTo, looked }
  }
  return { found, looked }
}
