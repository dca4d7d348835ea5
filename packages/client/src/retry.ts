/** Answers after which the same request may succeed: timeouts, limits, and a server or proxy in trouble. */
const transientStatuses: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])

export const backoffBaseMs = 250
export const backoffCapMs = 20_000
/** A `Retry-After` beyond this is for the caller to decide about: the error is thrown instead of waiting. */
export const longestRetryAfterSeconds = 120

/** An attempt that has less time than this is not begun. It is more than timers are early by, too. */
const shortestAttemptMs = 2

export function isTransient(status: number): boolean {
  return transientStatuses.has(status)
}

/** Of Node, in the error or in one that caused it; browsers do not say why. */
const unreached: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'])

/** No connection was made, so that the request has not left. */
export function isUnreached(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false
  return ('code' in cause && unreached.has(cause.code)) || isUnreached(cause.cause)
}

/**
 * Exponential backoff with full jitter: anywhere between 0 and the doubled step, so that clients which failed together do
 * not come back together.
 *
 * @param attempt 0 after the first failure
 * @param random between 0 and 1, as Math.random
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function toBackoffMs(attempt: number, random: () => number, capMs = backoffCapMs): number {
  return random() * Math.min(capMs, backoffBaseMs * 2 ** Math.min(attempt, 30))
}

/**
 * `Retry-After` in seconds, or undefined if it is absent or makes no sense. Both forms of RFC 9110 section 10.2.3; a date is
 * measured against the answer's own `Date`, so that a wrong clock here does not matter.
 */
export function parseRetryAfter(value: string | null, date: string | null, nowMs: number): number | undefined {
  const text = value?.trim()
  if (!text) return undefined
  if (/^\d{1,9}(\.\d{1,3})?$/.test(text)) return Number(text)
  const until = Date.parse(text)
  if (!/[a-z]/i.test(text) || Number.isNaN(until)) return undefined
  const answered = Date.parse(date ?? '')
  return Math.max(0, (until - (Number.isNaN(answered) ? nowMs : answered)) / 1000)
}

/** ms to wait before the next attempt, or undefined when there should be none. */
export function toDelayMs(failure: {
  readonly attempt: number
  readonly maxRetries: number
  readonly retryAfter: number | undefined
  readonly remainingMs: number
  readonly random: () => number
}): number | undefined {
  const { attempt, maxRetries, retryAfter, remainingMs, random } = failure
  if (attempt >= maxRetries || (retryAfter ?? 0) > longestRetryAfterSeconds) return undefined
  // What was asked for is the least; a little on top spreads those that were all told the same second.
  const delay = retryAfter === undefined ? toBackoffMs(attempt, random) : retryAfter * 1000 + random() * backoffBaseMs
  return delay + shortestAttemptMs <= remainingMs ? delay : undefined
}
