/** At most so many requests begin in so many ms. */
export type RateLimit = { readonly requests: number; readonly perMs: number }

type Clock = {
  readonly nowMs: () => number
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>
}

/**
 * Waits until a request may begin.
 *
 * @throws RangeError for a limit that lets nothing through
 * @example await limit(signal)
 */
export function createRateLimit(limit: RateLimit | undefined, clock: Clock): (signal: AbortSignal) => Promise<void> {
  if (!limit) return () => Promise.resolve()
  const { requests, perMs } = limit
  if (!(requests >= 1 && perMs > 0))
    throw new RangeError(`a rate limit needs at least one request in more than 0 ms; it is ${requests} in ${perMs}`)
  /** when each of the last ones began or will begin */
  const begun: number[] = []
  return async (signal) => {
    const now = clock.nowMs()
    const oldest = begun.length < requests ? undefined : begun.shift()
    const startMs = oldest === undefined ? now : Math.max(now, oldest + perMs)
    begun.push(startMs)
    if (startMs > now) await clock.sleep(startMs - now, signal)
  }
}
