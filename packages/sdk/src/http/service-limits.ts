import type { Incoming } from './intercept.ts'
import { parseRetryAfter } from './retry.ts'

/** So many requests in any span of so many milliseconds. */
type RateLimit = { readonly requests: number; readonly perMs: number }

/** What an answer says of the limits of an account. */
export type ServiceLimits = {
  /** the policy of the service, where it states one */
  readonly limit?: RateLimit
  /** what is left of it, and when that changes */
  readonly left?: { readonly requests: number; readonly resetMs: number }
  /** nothing more before this has passed: the service refused */
  readonly holdMs?: number
}

/**
 * Reads `RateLimit` and `RateLimit-Policy` (both forms that drafts of the standard have had), `X-RateLimit-*` and the `Retry-After` of
 * a 429.
 *
 * @returns undefined where the answer says nothing
 */
export function readLimits({ status, headers }: Incoming, nowMs: number): ServiceLimits | undefined {
  const text = (name: string): string | undefined => headers[name]?.toString()
  const limit = readPolicy(text('ratelimit-policy'))
  const left = readLeft(text('ratelimit')) ?? readCounts(text, nowMs)
  const retryAfter = text('retry-after')
  const absent = left && left.requests === 0 ? left.resetMs / 1000 : 60
  const holdMs = status === 429 ? parseRetryAfter(retryAfter, { nowMs, absent }) * 1000 : undefined
  if (!limit && !left && holdMs === undefined) return undefined
  return { ...(limit && { limit }), ...(left && { left }), ...(holdMs !== undefined && { holdMs }) }
}

/** `"burst";q=100;w=60, "day";q=1000;w=86400`, or `100;w=60`: of several the one with the shortest span, which paces. */
function readPolicy(text: string | undefined): RateLimit | undefined {
  const policies = (text ?? '').split(',').flatMap((item) => {
    const requests = Number(parameter(item, 'q') ?? /^\s*(\d+)/.exec(item)?.[1])
    const perMs = Number(parameter(item, 'w')) * 1000
    return requests >= 1 && perMs >= 1 ? [{ requests, perMs }] : []
  })
  return policies.toSorted((one, other) => one.perMs - other.perMs)[0]
}

/** `"burst";r=50;t=30`, or `limit=100, remaining=50, reset=30`: of several the one of which least is left. */
function readLeft(text: string | undefined): ServiceLimits['left'] {
  if (text === undefined) return undefined
  const items = /remaining\s*=/.test(text) ? [text.replaceAll(',', ';')] : text.split(',')
  const found = items.flatMap((item) => {
    const requests = Number(parameter(item, 'r') ?? parameter(item, 'remaining') ?? Number.NaN)
    const resetMs = Number(parameter(item, 't') ?? parameter(item, 'reset') ?? Number.NaN) * 1000
    return requests >= 0 && resetMs >= 0 ? [{ requests, resetMs }] : []
  })
  return found.toSorted((one, other) => one.requests - other.requests)[0]
}

const parameter = (item: string, name: string): string | undefined =>
  new RegExp(`(?:^|;)\\s*${name}\\s*=\\s*(\\d{1,15})\\b`).exec(item)?.[1]

/** Seconds from now, or a time in seconds since 1970, as most write it. */
const longestSeconds = 10_000_000

function readCounts(text: (name: string) => string | undefined, nowMs: number): ServiceLimits['left'] {
  for (const prefix of ['ratelimit-', 'x-ratelimit-', 'x-rate-limit-']) {
    const [remaining, reset] = [text(`${prefix}remaining`), text(`${prefix}reset`)]
    if (remaining === undefined || reset === undefined || !/^\d+$/.test(remaining.trim())) continue
    const seconds = Number(reset)
    const resetMs = seconds > longestSeconds ? seconds * 1000 - nowMs : seconds * 1000
    if (!Number.isNaN(resetMs)) return { requests: Number(remaining), resetMs: Math.max(0, resetMs) }
  }
  return undefined
}
