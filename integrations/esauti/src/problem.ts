import type { Problem, TransportResponse } from '@sluice/client'
import { isRecord, parseMarked, toItems, unmark } from './php-json.ts'

/** One reason as eSauti gives it, whatever its form was. */
export type Reason = {
  readonly code: string | undefined
  readonly message: string
  /** by field name, where fields are at fault */
  readonly details: Readonly<Record<string, unknown>>
}

/**
 * A refusal in the form that errors of the client have. eSauti writes `{errors: [{message, code, details}]}`, older instances
 * `{error: {message, code}}`, and OAuth `{error, error_description}`.
 */
export function parseProblem(answer: TransportResponse, text: string): Problem | undefined {
  const { status } = answer
  const location = status >= 300 && status <= 399 ? answer.header('location') : null
  const reasons = location === null ? parseReasons(text) : [toMoved(location)]
  const [first] = reasons
  if (!first) return undefined
  const detail = reasons.map(({ message }) => message).join('; ')
  const errorCode = first.code ?? `http-${status}`
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

function toMoved(location: string): Reason {
  const message = `the address has moved to ${location}, and credentials are not sent after it; set baseUrl to the new one`
  return { code: 'moved', message, details: {} }
}

function parseReasons(text: string): Reason[] {
  let body: unknown
  try {
    body = parseMarked(text)
  } catch {
    return []
  }
  if (!isRecord(body)) return []
  const { error, errors, error_description: description } = body
  if (typeof error === 'string') {
    return [{ code: error, message: typeof description === 'string' ? description : error, details: {} }]
  }
  const all = errors === undefined && error !== undefined ? [error] : toItems(errors)
  return all.map(toReason)
}

export function toReason(value: unknown): Reason {
  if (!isRecord(value)) return { code: undefined, message: String(value), details: {} }
  const { code, message, details } = value
  const known = unmark(details)
  return {
    code: typeof code === 'number' || (typeof code === 'string' && code !== '') ? String(code) : undefined,
    message: typeof message === 'string' && message !== '' ? message : 'no reason given',
    details: isRecord(known) ? known : {},
  }
}
