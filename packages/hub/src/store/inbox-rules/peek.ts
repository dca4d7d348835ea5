import { expandRuns, parseRuns, toRuns } from '../runs.ts'
import type { StoredEvent } from '../store.ts'
import { filterOf, type InboxState, type Rows } from './rows.ts'

type Peek = { readonly after: number; readonly limit: number }
type Peeked = { readonly events: StoredEvent[]; readonly more: boolean; readonly scannedTo: number }

/** Rows of the log that one page may look at; a page that ends here is short but says that there may be more. */
const peekBudget = 5000

/** Rows of parked events that one page may look at. */
const parkedBudget = 5000

/** What waits after a position: parked events and those not yet looked at, oldest first. Changes nothing. */
export async function peekEvents(rows: Rows, inbox: InboxState, { after, limit }: Peek): Promise<Peeked> {
  const { head, trimmedTo } = await rows.readLog(inbox.workspaceId)
  const waiting = await collectParked(rows, inbox, after, limit + 1)
  const candidates = new Set(waiting.found)
  // Nothing beyond an unfinished range may be shown before what it holds.
  let scannedTo = waiting.upTo ?? head
  const first = Math.max(inbox.next, trimmedTo + 1, after + 1)
  if (waiting.upTo === undefined && first <= head && candidates.size <= limit) {
    const budget = peekBudget - waiting.looked
    const order = { first, last: head, filter: inbox.settings.filter, limit: limit + 1, budget }
    const scanned = await rows.scan(inbox.workspaceId, order)
    for (const { position } of scanned.found) candidates.add(position)
    scannedTo = scanned.scannedTo
  }
  const positions = [...candidates].filter((position) => position <= scannedTo).toSorted((a, b) => a - b)
  const { events, readTo } = await rows.readSome(inbox.workspaceId, toRuns(positions.slice(0, limit)))
  const last = readTo ?? (positions.length > limit ? positions[limit - 1] : undefined)
  const more = last === undefined ? scannedTo < head : last < (positions.at(-1) ?? 0) || scannedTo < head
  return { events: events.filter((event) => event.body !== null), more, scannedTo: last ?? Math.max(after, scannedTo) }
}

type Collected = {
  readonly found: number[]
  /** what lies beyond could not be looked through; undefined if all was */
  readonly upTo?: number
  readonly looked: number
}

/** At least the `count` lowest parked positions after `after`, as far as there are so many and the budget goes. */
async function collectParked(rows: Rows, inbox: InboxState, after: number, count: number): Promise<Collected> {
  const found: number[] = []
  let looked = 0
  const parked = await rows.parkedAfter(inbox, after, parkedBudget)
  for (const row of parked) {
    if (found.length >= count && row.first > (found.toSorted((a, b) => a - b)[count - 1] ?? 0)) return { found, looked }
    if (row.positions !== null) {
      found.push(...expandRuns(parseRuns(row.positions)).filter((position) => position > after))
      continue
    }
    const first = Math.max(row.first, after + 1)
    const filter = await filterOf(rows, inbox, row)
    const order = { first, last: row.last, filter, limit: count, budget: peekBudget - looked }
    const scanned = await rows.scan(inbox.workspaceId, order)
    looked += scanned.looked
    found.push(...scanned.found.map((event) => event.position))
    if (scanned.scannedTo < row.last && scanned.found.length < count) return { found, upTo: scanned.scannedTo, looked }
  }
  const last = parked.at(-1)
  if (last === undefined || parked.length < parkedBudget) return { found, looked }
  return { found, upTo: Math.max(last.first, after + 1), looked }
}
