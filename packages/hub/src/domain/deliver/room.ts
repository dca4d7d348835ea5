type Taker = { readonly workspaceId: number }

/** A number of places, of which takers have several at once, and one workspace half at most. */
export type Room<Who> = {
  /** Answers how many of the wanted it has got; whoever got none is called once there may be some. */
  readonly take: (who: Who, wanted: number) => number
  readonly give: (who: Who, count: number) => void
}

export function createRoom<Who extends Taker>(size: number, call: (who: Who) => void): Room<Who> {
  const share = Math.ceil(size / 2)
  let free = size
  const inUse = new Map<number, number>()
  const waiting = new Map<number, Set<Who>>()
  const usedBy = (workspaceId: number): number => inUse.get(workspaceId) ?? 0
  const note = ({ workspaceId }: Who, change: number): void => {
    const count = usedBy(workspaceId) + change
    if (count === 0) inUse.delete(workspaceId)
    else inUse.set(workspaceId, count)
    free -= change
  }
  const wait = (who: Who): void => {
    const line = waiting.get(who.workspaceId) ?? new Set()
    waiting.set(who.workspaceId, line.add(who))
  }
  /** Of the workspace that has the fewest places, so that who needs one is not behind all inboxes of another. */
  const callNext = (): void => {
    const mayTake = [...waiting.keys()].filter((id) => usedBy(id) < share)
    const [id] = mayTake.toSorted((one, other) => usedBy(one) - usedBy(other))
    const line = id === undefined ? undefined : waiting.get(id)
    const [who] = line ?? []
    if (id === undefined || !line || !who) return
    line.delete(who)
    // Workspaces take turns.
    waiting.delete(id)
    if (line.size > 0) waiting.set(id, line)
    call(who)
  }
  return {
    take: (who, wanted) => {
      const taken = Math.max(0, Math.min(wanted, free, share - usedBy(who.workspaceId)))
      if (taken === 0) wait(who)
      else note(who, taken)
      return taken
    },
    give: (who, count) => {
      if (count === 0) return
      note(who, -count)
      // Who was called before may not have needed any.
      for (let called = 0; called < free && waiting.size > 0; called += 1) callNext()
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
