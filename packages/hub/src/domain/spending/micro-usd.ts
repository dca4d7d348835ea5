/** Millionths of a dollar: sums of them are exact, which sums of fractions are not. */
export type MicroUsd = number

const micros = 1_000_000
/** No single run costs a million dollars: whoever says so means something else. */
const maxUsd = 1_000_000

/** @param costUsd what a handler says; null for what is no cost, and for unknown */
export function toMicroUsd(costUsd: unknown): MicroUsd | null {
  if (typeof costUsd !== 'number' || !(costUsd >= 0 && costUsd <= maxUsd)) return null
  return Math.round(costUsd * micros)
}

/** @param limitUsd checked at the edge: at most six decimals */
export const toLimit = (limitUsd: number): MicroUsd => Math.round(limitUsd * micros)

export const toUsd = (microUsd: MicroUsd): number => microUsd / micros
