/** Counts by name, and keeps the first few faults of each name in words. */
export type Tally = {
  readonly add: (name: string, by?: number) => void
  readonly fault: (name: string, detail: string) => void
  readonly count: (name: string) => number
  readonly faults: readonly string[]
}

const keptOfEach = 5

export function createTally(): Tally {
  const counts = new Map<string, number>()
  const faults: string[] = []
  const count = (name: string): number => counts.get(name) ?? 0
  const add = (name: string, by = 1): void => void counts.set(name, count(name) + by)
  return {
    add,
    count,
    faults,
    fault: (name, detail) => {
      add(name)
      if (count(name) <= keptOfEach) faults.push(`${name}: ${detail}`)
    },
  }
}
