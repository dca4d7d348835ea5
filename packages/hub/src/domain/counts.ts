/** What this process has done since it began; `/metrics` shows it. */
export type Counts = {
  published: number
  duplicates: number
  leased: number
  acknowledged: number
  warned: number
  refused: number
  quarantined: number
  released: number
  unnotedRuns: number
}

export const createCounts = (): Counts => ({
  published: 0,
  duplicates: 0,
  leased: 0,
  acknowledged: 0,
  warned: 0,
  refused: 0,
  quarantined: 0,
  released: 0,
  unnotedRuns: 0,
})
