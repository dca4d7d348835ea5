/** What this process has done since it began; `/metrics` shows it. */
export type Counts = { published: number; duplicates: number; leased: number; acknowledged: number }

export const createCounts = (): Counts => ({ published: 0, duplicates: 0, leased: 0, acknowledged: 0 })
