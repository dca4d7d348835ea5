import type { Filter } from '@sluice/protocol'
import { matchesFilter, type FilterSubject } from '@sluice/protocol/match'
import type { StoredEvent } from '../store.ts'

export type ScanOrder = {
  readonly first: number
  readonly last: number
  readonly filter: Filter
  readonly limit: number
  readonly budget: number
}

/** `body` is read only if the filter looks into it; null where it was erased. */
export type ScannedEvent = Pick<StoredEvent, 'position' | 'acceptedMs' | 'eventType' | 'source' | 'subject' | 'body'>

export type Scanned = {
  readonly found: ScannedEvent[]
  /** the last position that need not be looked at again */
  readonly scannedTo: number
  readonly looked: number
}

/** Bodies that one scan may parse: a filter on the content must not hold up everybody else. About 40 ms. */
const scanBytes = 4 * 1024 * 1024

/** Only conditions on the content need the body; for the others it is enough to know that there is one. */
export const looksInside = (filter: Filter): boolean =>
  filter.identity !== undefined || (filter.payload?.length ?? 0) > 0

/**
 * The events that a filter wants, of those that lie in a range, at most `budget` of them. Ends when `limit` are found or 4 MB
 * were looked at.
 */
export function filterScan(events: Iterable<ScannedEvent>, scan: ScanOrder): Scanned {
  const found: ScannedEvent[] = []
  let looked = 0
  let bytes = 0
  let scannedTo = scan.first - 1
  for (const event of events) {
    looked += 1
    scannedTo = event.position
    if (event.body !== null && matchesFilter(scan.filter, toFilterSubject(event))) found.push(event)
    bytes += event.body?.length ?? 0
    if (found.length >= scan.limit || bytes >= scanBytes) return { found, scannedTo, looked }
  }
  return { found, scannedTo: looked < scan.budget ? Math.max(scannedTo, scan.last) : scannedTo, looked }
}

/** What a filter looks at, from a row; the body is parsed only if a condition asks for it. */
export function toFilterSubject(event: Pick<ScannedEvent, 'eventType' | 'source' | 'subject' | 'body'>): FilterSubject {
  return {
    eventType: event.eventType,
    source: event.source,
    subject: event.subject,
    body: () => JSON.parse(event.body ?? '{}'),
  }
}
