import type { Reporter } from './report.ts'

/** What a service says of requests to it, as a configuration declares it. */
export function readIdempotencyHeader(value: unknown, reporter: Reporter): { idempotency_header?: string } {
  if (value === undefined) return {}
  if (typeof value === 'string' && headerPattern.test(value) && !takenHeaders.test(value))
    return { idempotency_header: value }
  reporter.error('/idempotency_header', 'must be the name of a header of its own, as Idempotency-Key')
  return {}
}

const headerPattern = /^[\w!#$%&'*+.^`|~-]{1,100}$/
/** Headers that mean something else already. */
const takenHeaders = /^(authorization|cookie|host|accept|connection|transfer-encoding|content-.*)$/i
