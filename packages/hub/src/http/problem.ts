import { HubError, problems, type Problem } from '@sluice/protocol'
import type { HubResponse } from './exchange.ts'

/** The answer to a failure, as RFC 9457 has it. What is not a `HubError` leaves as `internal`, without a word of its text. */
export function toProblem(
  error: unknown,
  { instance, correlationId }: { instance: string; correlationId: string },
): HubResponse {
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
  return {
    status,
    headers: { 'content-type': 'application/problem+json', ...fieldsFor(known) },
    body: JSON.stringify(problem),
  }
}

function fieldsFor({ code, status, details, retryAfterSeconds }: HubError): Record<string, string> {
  const { allow } = details
  return {
    ...(code === 'unauthorized' && { 'www-authenticate': 'Bearer realm="sluice"' }),
    ...(code === 'payload-too-large' && { connection: 'close' }),
    ...(code === 'shutting-down' && { connection: 'close' }),
    ...(Array.isArray(allow) && { allow: allow.join(', ') }),
    ...((retryAfterSeconds !== undefined || status === 503) && {
      'retry-after': String(Math.ceil(retryAfterSeconds ?? 1)),
    }),
  }
}
