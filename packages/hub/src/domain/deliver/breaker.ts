/** Failures in a row after which an inbox is taken for broken, if they are of more than one event or two. */
const failuresToBreak = 10
const eventsToBreak = 3
/** A broken inbox is tried again after this, then after twice as long, and so on. */
const [firstProbeMs, longestProbeMs] = [30_000, 3_600_000]

/** Counts the failures of one inbox. One event that never goes well does not stop the others. */
export type Breaker = {
  /** Answers true when this failure is one too many. */
  readonly fail: (position: number) => boolean
  readonly succeed: () => void
}

export function createBreaker(): Breaker {
  let failures = 0
  const events = new Set<number>()
  return {
    fail: (position) => {
      failures += 1
      if (events.size < eventsToBreak) events.add(position)
      return failures >= failuresToBreak && events.size >= eventsToBreak
    },
    succeed: () => {
      failures = 0
      events.clear()
    },
  }
}

/** @param probes tries since it broke */
export const toProbeDelayMs = (probes: number): number =>
  Math.min(longestProbeMs, firstProbeMs * 2 ** Math.min(probes, 20))
