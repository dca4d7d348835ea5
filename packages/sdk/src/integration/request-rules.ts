import { isObject, type Reporter } from './report.ts'

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

/** What one account may do at a service: so many requests in any span of so many seconds. */
export type RateLimitConfig = { readonly requests: number; readonly per_seconds: number }

export function readRateLimit(value: unknown, reporter: Reporter): { rate_limit?: RateLimitConfig } {
  if (value === undefined) return {}
  const { requests, per_seconds: perSeconds } = isObject(value) ? value : {}
  if (isWithin(requests, 1_000_000_000) && isWithin(perSeconds, 2_678_400))
    return { rate_limit: { requests, per_seconds: perSeconds } }
  reporter.error(
    '/rate_limit',
    'must be { "requests", "per_seconds" }, whole numbers above 0; the seconds of a month at most',
  )
  return {}
}

const isWithin = (value: unknown, max: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max
