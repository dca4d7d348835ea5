import { ApiError, RateLimitError, TransportError } from '../../error.ts'
import type { BatchItemResult } from '../../batch.ts'
import { isTransient } from '../../retry.ts'
import type { OutboxRow } from './outbox.ts'

/** What became of rows that were sent in one request. */
export type Verdict = {
  /** ids; stored by the hub, now or before */
  readonly accepted: readonly string[]
  /** of `accepted`, those that the hub had already */
  readonly duplicates: number
  /** the hub will never take these as they are */
  readonly refused: readonly { readonly id: string; readonly reason: string }[]
  /** ids to be sent another time */
  readonly again: readonly string[]
  /** why, and what may help: waiting, or a smaller request */
  readonly trouble?: { readonly error: Error; readonly kind: 'wait' | 'smaller' } | undefined
}

/** Of single events; all other codes are about the event itself. */
const passingCodes: ReadonlySet<string> = new Set([
  'internal',
  'overloaded',
  'storage-unavailable',
  'shutting-down',
  'quota-exceeded',
  'rate-limit-exceeded',
  'no-result',
])

/** Of a request as a whole, that one of its events may have caused. */
const contentStatuses: ReadonlySet<number> = new Set([400, 413, 415, 422])

export function toVerdict(rows: readonly OutboxRow[], results: readonly BatchItemResult[]): Verdict {
  const accepted: string[] = []
  const refused: { id: string; reason: string }[] = []
  const again: string[] = []
  let duplicates = 0
  let trouble: Verdict['trouble']
  for (const [at, { id }] of rows.entries()) {
    const result = results[at]
    if (result === undefined || ('error' in result && passingCodes.has(result.error.error_code))) {
      again.push(id)
      trouble ??= { error: new Error(result === undefined ? 'an event has no result' : toReason(result)), kind: 'wait' }
    } else if ('error' in result) refused.push({ id, reason: toReason(result) })
    else {
      accepted.push(id)
      if (result.status === 'duplicate') duplicates += 1
    }
  }
  return { accepted, duplicates, refused, again, trouble }
}

/**
 * For a request that failed as a whole.
 *
 * @throws the error itself, if no event is to blame and waiting does not help: a wrong key, role or address
 */
export function toVerdictOfFailure(rows: readonly OutboxRow[], error: unknown): Verdict {
  const nothing = { accepted: [], duplicates: 0, refused: [], again: [] }
  const ids = rows.map(({ id }) => id)
  const isPassing = error instanceof TransportError || (error instanceof ApiError && isTransient(error.status))
  if (isPassing) return { ...nothing, again: ids, trouble: { error, kind: 'wait' } }
  if (!(error instanceof ApiError) || !contentStatuses.has(error.status)) throw error
  if (rows.length > 1) return { ...nothing, again: ids, trouble: { error, kind: 'smaller' } }
  return { ...nothing, refused: ids.map((id) => ({ id, reason: toStorable(error.message) })) }
}

/** ms that the hub has asked to wait; 0 where it has not said. */
export function toAskedMs(error: Error): number {
  const seconds = error instanceof RateLimitError || error instanceof ApiError ? error.retryAfter : undefined
  return (seconds ?? 0) * 1000
}

function toReason(result: Extract<BatchItemResult, { error: unknown }>): string {
  const { error_code: code, message, errors = [] } = result.error
  const faults = errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ')
  return toStorable(`${code}: ${message}${faults === '' ? '' : ` (${faults})`}`)
}

/** Postgres stores no NUL, and a reason needs no end of its own. */
function toStorable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed().slice(0, 2000)
}
