/** Time that never runs backwards. */
export type Clock = {
  readonly nowMs: () => number
  /** Time goes on from here at least: what the store has used before. */
  readonly startFrom: (ms: number) => void
}

/** How fast the clock may drift towards the wall clock: 1 ms in 100, so that leases stay sane while it corrects itself. */
const slew = 0.01

/**
 * Runs on the monotonic clock from one reading of the wall clock: a wall clock that steps an hour neither strands leases nor
 * ends them all at once. Differences are worked off slowly.
 *
 * @param wall ms since 1970 @param monotonic ms from any origin
 */
export function createClock(wall: () => number = Date.now, monotonic: () => number = () => performance.now()): Clock {
  let base = wall()
  let origin = monotonic()
  let last = 0
  const read = (): number => {
    const elapsed = monotonic() - origin
    if (elapsed > 1000) {
      const offset = wall() - (base + elapsed)
      const limit = elapsed * slew
      base += elapsed + Math.max(-limit, Math.min(limit, offset))
      origin += elapsed
      return base
    }
    return base + elapsed
  }
  return {
    // Working off a difference may take back a moment.
    nowMs: () => (last = Math.max(last, Math.floor(read()))),
    startFrom: (ms) => {
      base = Math.max(base, ms)
    },
  }
}

/** A clock that a test moves. Steps back are held, as the real one holds them. */
export function toClock(read: () => number): Clock {
  let last = 0
  return {
    nowMs: () => (last = Math.max(last, read())),
    startFrom: (ms) => {
      last = Math.max(last, ms)
    },
  }
}
