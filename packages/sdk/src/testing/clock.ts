/** Time that passes when it is told to. */
export type Clock = {
  readonly nowMs: () => number
  /** Ends at once; the clock is as much later. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  readonly advance: (ms: number) => void
  /** every sleep so far, in ms */
  readonly waits: readonly number[]
}

/**
 * A clock for tests.
 *
 * @param startMs default 2026-01-01T00:00:00Z
 * @example const clock = createClock(); await clock.sleep(1000); clock.waits // [1000]
 */
export function createClock(startMs: number = Date.UTC(2026, 0, 1)): Clock {
  let now = startMs
  const waits: number[] = []
  const advance = (ms: number): void => void (now += ms)
  return {
    nowMs: () => now,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted()
      waits.push(ms)
      advance(ms)
    },
    advance,
    waits,
  }
}
