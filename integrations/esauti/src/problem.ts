import type { Problem, TransportResponse } from '@sluice/client'
import { isRecord, parseMarked, toCount, toItems, unmark } from './php-json.ts'

/** One reason as eSauti gives it, whatever its form was. */
export type Reason = {
  /** eSauti's code, where it is a number: a status, as a rule */
  readonly status: number | undefined
  /** a word for it, or eSauti's own where that is a text */
  readonly code: string | undefined
  readonly message: string
  /** by field name, where fields are at fault */
  readonly details: Readonly<Record<string, unknown>>
}

const words: ReadonlyMap<number, string> = new Map([
  [400, 'validation-error'],
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [404, 'not-found'],
  [409, 'conflict'],
  [413, 'payload-too-large'],
  [429, 'rate-limit-exceeded'],
  [500, 'internal'],
])

/**
 * A refusal in the form that errors of the client have. eSauti writes `{errors: [{message, code, details}]}`, older instances
 * `{error: {message, code}}`, and OAuth `{error, error_description}`.
 */
export function parseProblem(answer: TransportResponse, text: string): Problem | undefined {
  const { status } = answer
  const location = status >= 300 && status <= 399 ? answer.header('location') : null
  const body = parseBody(text)
  // Where events go to a hub instead, it says what it has to say in full.
  if (isProblem(body)) return body
  const reasons = location === null ? toReasons(body) : [toMoved(location)]
  return toProblem(status, reasons)
}

/** One problem of all reasons; undefined where there is none. */
export function toProblem(status: number, reasons: readonly Reason[]): Problem | undefined {
  const [first] = reasons
  if (!first) return undefined
  const detail = reasons.map(({ message }) => message).join('; ')
  const errorCode = first.code ?? (status < 300 ? 'refused' : toCode(status))
  return {
    type: 'about:blank',
    title: errorCode,
    status,
    detail,
    instance: '',
    error_code: errorCode,
    message: detail,
    correlation_id: '',
    details: Object.assign({}, ...reasons.map(({ details }) => details)),
  }
}

function parseBody(text: string): unknown {
  try {
    return parseMarked(text)
  } catch {
    return undefined
  }
}

/** The hub writes these members in every refusal, and eSauti in none. */
function isProblem(body: unknown): body is Problem {
  return isRecord(body) && typeof body['error_code'] === 'string' && typeof body['detail'] === 'string'
}

function toMoved(location: string): Reason {
  const message = `the address has moved to ${location}, and credentials are not sent after it; set baseUrl to the new one`
  return { status: undefined, code: 'moved', message, details: {} }
}

export function toReasons(body: unknown): Reason[] {
  if (!isRecord(body)) return []
  const { error, errors, error_description: description } = body
  if (typeof error === 'string') {
    return [
      { status: undefined, code: error, message: typeof description === 'string' ? description : error, details: {} },
    ]
  }
  const all = errors === undefined && error !== undefined ? [error] : toItems(errors)
  return all.map(toReason)
}

export function toReason(value: unknown): Reason {
  if (!isRecord(value)) return { status: undefined, code: undefined, message: String(value), details: {} }
  const { code, message, details } = value
  // An exception without a code says 0.
  const status = toCount(code) || undefined
  const text = typeof code === 'string' && code !== '' ? code : undefined
  const known = unmark(details)
  return {
    status,
    code: status === undefined ? (text === '0' ? undefined : text) : toCode(status),
    message: typeof message === 'string' && message !== '' ? message : 'no reason given',
    details: isRecord(known) ? known : Array.isArray(known) && known.length > 0 ? { reasons: known } : {},
  }
}

/** The hub's words for the same; `http-418` where it has none, and the number itself where it is no status. */
function toCode(status: number): string {
  return words.get(status) ?? (status >= 400 && status <= 599 ? `http-${status}` : String(status))
}
