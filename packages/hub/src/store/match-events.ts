import type { Filter } from '@sluice/protocol'
import { matchesFilter } from '@sluice/protocol/match'
import { toFilterSubject } from './inbox-rules/scan.ts'
import type { StoredEvent } from './store.ts'

export type MatchOrder = {
  /** events after this position */
  readonly after: number
  /** and up to this one */
  readonly last: number
  readonly filters: readonly Filter[]
  readonly rowBudget: number
}

export type MatchedEvent = Pick<StoredEvent, 'position' | 'acceptedMs' | 'eventType' | 'source' | 'subject'> & {
  /** by which of the filters, in their order */
  readonly wantedBy: readonly boolean[]
}

/** `lookedTo`: positions up to here need not be looked at again. */
export type MatchResult = { readonly matched: MatchedEvent[]; readonly lookedTo: number }

/** Bodies that one look may read: it must end in time, however large they are. */
export const matchBytes = 32 * 1024 * 1024

/** Undefined for an event that no filter wants, and for one that was erased. */
export function matchEvent(event: StoredEvent, filters: readonly Filter[]): MatchedEvent | undefined {
  if (event.body === null) return undefined
  const subject = toFilterSubject(event)
  const wantedBy = filters.map((filter) => matchesFilter(filter, subject))
  if (!wantedBy.includes(true)) return undefined
  const { position, acceptedMs, eventType, source } = event
  return { position, acceptedMs, eventType, source, subject: event.subject, wantedBy }
}
