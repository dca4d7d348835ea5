/** Answers after which the same request may succeed. 429 has rules of its own. */
const transientStatuses: ReadonlySet<number> = new Set([408, 425, 500, 502, 503, 504])
const repeatableMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'])

/** When a request is made again. */
export type RetryPolicy = {
  /** before the attempt after this one, which is 0 at first; in ms */
  readonly delayMs: (attempt: number, random: () => number) => number
  readonly isTransient: (status: number) => boolean
  /** after a 429 that does not say how long; default 60 s */
  readonly rateLimitedMs?: ((attempt: number, random: () => number) => number) | undefined
  /** @param what went wrong, in words */
  readonly onRetry?: ((what: string, delayMs: number) => void) | undefined
}

/** Doing it twice leaves the same as doing it once: by its method, or because the receiver knows the key. */
export function isRepeatable(method: string, idempotencyKey: string | undefined): boolean {
  return repeatableMethods.has(method) || idempotencyKey !== undefined
}

/** 1, 2, 4, … seconds, each between half and all of it, so that callers which failed together do not come back together. */
function toBackoffMs(attempt: number, random: () => number): number {
  const step = Math.min(32_000, 1000 * 2 ** attempt)
  return step / 2 + (random() * step) / 2
}

export const defaultPolicy: RetryPolicy = {
  delayMs: toBackoffMs,
  isTransient: (status) => transientStatuses.has(status),
}

/** Seconds of a `Retry-After`, a number or a date; `absent` where there is none that makes sense. */
export function parseRetryAfter(
  value: string | undefined,
  { nowMs, absent }: { readonly nowMs: number; readonly absent: number },
): number {
  const text = value?.trim() ?? ''
  if (/^\d{1,9}(\.\d+)?$/.test(text)) return Number(text)
  const until = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(until) ? absent : Math.max(0, Math.ceil((until - nowMs) / 1000))
}
