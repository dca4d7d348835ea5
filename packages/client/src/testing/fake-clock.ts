import type { Clock } from '../clock.ts'

export type FakeClock = Clock & {
  /** what was slept so far, in ms, in order */
  readonly sleeps: readonly number[]
  /** Moves the time, in ms. */
  advance(ms: number): void
}

/**
 * A clock that stands still until somebody sleeps: then it jumps, so that waits between attempts take no time.
 *
 * @param start ISO 8601; default 2026-01-31T12:00:00Z
 * @example const clock = createFakeClock(); createSluice({ clock, transport })
 */
export function createFakeClock(start = '2026-01-31T12:00:00Z'): FakeClock {
  let now = Date.parse(start)
  if (Number.isNaN(now)) throw new TypeError(`start must be an ISO 8601 time, as 2026-01-31T12:00:00Z; it is ${start}`)
  const sleeps: number[] = []
  return {
    sleeps,
    now: () => now,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted()
      sleeps.push(ms)
      now += ms
    },
    advance: (ms) => {
      now += ms
    },
  }
}
