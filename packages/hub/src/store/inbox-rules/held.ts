import { parseRuns, printRuns } from '../runs.ts'
import type { Held } from './rows.ts'

/** What a lease holds, as both stores write it: JSON, `[[attempt, runs, lease id before], …]`. */
export function toHeldText(held: readonly Held[]): { text: string; first: number; last: number } {
  return {
    text: JSON.stringify(held.map((part) => [part.attempt, printRuns(part.runs), part.before])),
    first: Math.min(...held.map((part) => part.runs[0]?.[0] ?? 0)),
    last: Math.max(...held.map((part) => part.runs.at(-1)?.[1] ?? 0)),
  }
}

export function toHeld(text: string): Held[] {
  const parts: [number, string, string | null][] = JSON.parse(text)
  return parts.map(([attempt, runs, before]) => ({ attempt, runs: parseRuns(runs), before }))
}
