import { HubError, problems, type ErrorCode, type Problem } from '@sluice/protocol'
import type { HubResponse } from './exchange.ts'

export type ErrorContext = { readonly instance: string; readonly correlationId: string }

/** The answer to a failure, as RFC 9457 has it. */
export function toProblem(error: unknown, context: ErrorContext): HubResponse {
  const { problem, fields } = toProblemParts(error, context)
  return {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json', ...fields },
    body: JSON.stringify(problem),
  }
}

type ProblemParts = {
  readonly code: ErrorCode
  readonly problem: Problem
  /** of the answer, but for its content type */
  readonly fields: Record<string, string>
}

/** For answers in other forms. What is not a `HubError` leaves as `internal`, without a word of its text. */
export function toProblemParts(error: unknown, { instance, correlationId }: ErrorContext): ProblemParts {
  const known =
    error instanceof HubError
      ? error
      : new HubError('internal', 'the hub failed; its log holds the cause under this correlation id')
  const { code, status, details, errors } = known
  const { title } = problems[code]
  const problem: Problem = {
    type: `/problems/${code}`,
    title,
    status,
    detail: known.message,
    instance,
    error_code: code,
    message: known.message === title ? title : `${title}: ${known.message}`,
    correlation_id: correlationId,
    details,
    ...(errors && { errors: [...errors] }),
  }
  return { code, problem, fields: fieldsFor(known) }
}

function fieldsFor({ code, status, details, retryAfterSeconds }: HubError): Record<string, string> {
  const { allow } = details
  return {
    ...(status === 401 && { 'www-authenticate': 'Bearer realm="sluice"' }),
    ...((code === 'payload-too-large' || code === 'body-incomplete') && { connection: 'close' }),
    ...(code === 'shutting-down' && { connection: 'close' }),
    ...(Array.isArray(allow) && { allow: allow.join(', ') }),
    ...((retryAfterSeconds !== undefined || status === 503) && {
      'retry-after': String(Math.ceil(retryAfterSeconds ?? 1)),
    }),
  }
}
