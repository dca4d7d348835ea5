/** A number of places, of which callers take several at once. */
export type Room = {
  /** Takes up to so many; where there is none, `onFree` is called once there is one again. */
  readonly take: (wanted: number, onFree: () => void) => number
  readonly give: (count: number) => void
}

export function createRoom(size: number): Room {
  let free = size
  const waiting = new Set<() => void>()
  return {
    take: (wanted, onFree) => {
      const taken = Math.min(wanted, free)
      if (taken === 0) waiting.add(onFree)
      free -= taken
      return taken
    },
    give: (count) => {
      free += count
      const [next] = waiting
      if (free === 0 || !next) return
      waiting.delete(next)
      next()
    },
  }
}

/** Runs so many of what it is given at a time, and the others in their order. */
export type Gate = <Value>(work: () => Promise<Value>) => Promise<Value>

export function createGate(size: number): Gate {
  let free = size
  const line: (() => void)[] = []
  return async (work) => {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => line.push(resolve))
    try {
      return await work()
    } finally {
      const next = line.shift()
      if (next) next()
      else free += 1
    }
  }
}
