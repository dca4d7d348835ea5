/** Repeatable chance: one seed gives one run's worth of decisions (though not of timings). */
export type Random = {
  /** 0 to below 1 */
  readonly next: () => number
  /** whole numbers, both ends included */
  readonly between: (low: number, high: number) => number
  readonly chance: (probability: number) => boolean
}

/** @param seed any 32-bit number */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  // mulberry32: 32 bits of state are plenty for choosing instants and sizes.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    chance: (probability) => next() < probability,
  }
}
