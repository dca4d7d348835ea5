import { isRecord, toEntries } from './php-json.ts'
import { toReason } from './problem.ts'

/** A batch item: done, or refused with a reason. */
export type BatchResult<Member> =
  | { readonly index: number; readonly status: number; readonly item: Member }
  | {
      readonly index: number
      readonly status: number
      readonly error: { readonly code: string; readonly message: string; readonly details: object }
    }

/** In the order of what was sent. */
export type BatchOutcome<Member> = {
  readonly done: number
  readonly failed: number
  readonly results: readonly BatchResult<Member>[]
}

/** eSauti's own limit for one request. */
const largestBatch = 200

/** @throws RangeError before anything is sent */
export function checkBatch(items: readonly unknown[]): void {
  if (items.length >= 1 && items.length <= largestBatch) return
  throw new RangeError(`a batch has 1 to ${largestBatch} items; this one has ${items.length}, so send it in parts`)
}

/**
 * `{contacts: {0: …}, statusCodes: {0: 201}, errors: {1: {code, message}}}`: each by the index of what was sent, and each an
 * array instead where no index is left out.
 *
 * @param answered ids by index, where the service may answer by id instead (deleting)
 */
export function toOutcome<Member>(answer: unknown, name: string, sent: readonly unknown[]): BatchOutcome<Member> {
  const body = isRecord(answer) ? answer : {}
  const items = new Map(toEntries(body[name]))
  const errors = new Map(toEntries(body['errors']))
  const statuses = new Map(toEntries(body['statusCodes']))
  const results = sent.map((_, index): BatchResult<Member> => {
    const key = String(index)
    const error = errors.get(key)
    const item = items.get(key)
    const status = Number(statuses.get(key) ?? (error === undefined ? 200 : 400))
    if (error === undefined && isRecord(item)) {
      // Typed by the table, as every answer of the service is.
      return { index, status, item: item as Member }
    }
    const reason = toReason(error ?? { message: 'the service answered the batch without a result for this item' })
    const { code = `http-${status}`, message, details } = reason
    return { index, status: reason.status ?? status, error: { code, message, details } }
  })
  const failed = results.filter((result) => 'error' in result).length
  return { done: results.length - failed, failed, results }
}
