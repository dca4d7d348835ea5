/**
 * Sets of positions, as sorted runs. Stored as text (`5-104,200`): an inbox keeps one row for each lease and each group of
 * events that came back, not one for each event.
 */
export type Runs = readonly (readonly [first: number, last: number])[]

export function parseRuns(text: string): Runs {
  if (text === '') return []
  return text.split(',').map((run) => {
    const dash = run.indexOf('-')
    return dash < 0 ? [Number(run), Number(run)] : [Number(run.slice(0, dash)), Number(run.slice(dash + 1))]
  })
}

export function printRuns(runs: Runs): string {
  return runs.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(',')
}

/** @param positions in any order, without duplicates */
export function toRuns(positions: readonly number[]): Runs {
  const runs: [number, number][] = []
  for (const position of positions.toSorted((a, b) => a - b)) {
    const open = runs.at(-1)
    if (open && open[1] + 1 === position) open[1] = position
    else runs.push([position, position])
  }
  return runs
}

export function countRuns(runs: Runs): number {
  return runs.reduce((sum, [first, last]) => sum + last - first + 1, 0)
}

export function expandRuns(runs: Runs): number[] {
  const positions: number[] = []
  for (const [first, last] of runs) for (let position = first; position <= last; position += 1) positions.push(position)
  return positions
}

export function hasPosition(runs: Runs, position: number): boolean {
  return runs.some(([first, last]) => first <= position && position <= last)
}

/** What is in `runs` and not among the positions. */
export function withoutPositions(runs: Runs, positions: ReadonlySet<number>): Runs {
  return toRuns(expandRuns(runs).filter((position) => !positions.has(position)))
}

/** One set of runs that may lie in any order and overlap. */
export function mergeRuns(runs: Runs): Runs {
  const merged: [number, number][] = []
  for (const [first, last] of runs.toSorted((a, b) => a[0] - b[0])) {
    const open = merged.at(-1)
    if (open && first <= open[1] + 1) open[1] = Math.max(open[1], last)
    else merged.push([first, last])
  }
  return merged
}

/** The positions below a bound. */
export function runsBelow(runs: Runs, bound: number): Runs {
  return runs.filter(([first]) => first < bound).map(([first, last]) => [first, Math.min(last, bound - 1)])
}

/** The first `count` positions, and the rest. */
export function splitRuns(runs: Runs, count: number): [Runs, Runs] {
  const head: [number, number][] = []
  const tail: [number, number][] = []
  let left = count
  for (const [first, last] of runs) {
    const taken = Math.min(left, last - first + 1)
    if (taken > 0) head.push([first, first + taken - 1])
    if (first + taken <= last) tail.push([first + taken, last])
    left -= taken
  }
  return [head, tail]
}
