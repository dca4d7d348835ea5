import type { Bar, Figure } from './row.ts'

export type Verdict = 'aim' | 'met' | 'missed' | 'info'

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  if (sorted.length === 0) return Number.NaN
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)] ?? Number.NaN
  return ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/** @param share between 0 and 1 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export function toVerdict({ value, bar }: Pick<Figure, 'value' | 'bar'>): Verdict {
  if (!bar) return 'info'
  if (reaches(value, bar, bar.aim)) return 'aim'
  return reaches(value, bar, bar.must) ? 'met' : 'missed'
}

function reaches(value: number, { better }: Bar, limit: number): boolean {
  return better === 'higher' ? value >= limit : value <= limit
}

/** Ratio by ratio: each round of the candidate against the round of the reference beside it. */
export function toRatios(candidate: readonly number[], reference: readonly number[]): number[] {
  return candidate.map((value, index) => value / (reference[index] ?? Number.NaN))
}

export function toFigure(figure: Omit<Figure, 'value'>): Figure {
  return { ...figure, value: median(figure.rounds) }
}

/** `12,345 (11,000-13,000)`: the median and the range. */
export function toSpread(values: readonly number[], digits = 0): string {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  return `${toText(median(values), digits)} (${toText(low, digits)}-${toText(high, digits)})`
}

export function toText(value: number, digits = 0): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
