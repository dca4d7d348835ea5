/** What services have refused, so that a refusal which new tokens do not mend is no reason to ask for others each time. */
export type Renewals = {
  /** Notes how a use of credentials ended. Answers whether others should be asked for. */
  readonly note: (use: string, isRefused: boolean) => boolean
}

/** A use that is refused again, with others or the same, may ask once more after this: a scope that is missing stays so. */
const againMs = 600_000
const maxUses = 10_000

export function createRenewals(nowMs: () => number): Renewals {
  const askedMs = new Map<string, number>()
  return {
    note: (use, isRefused) => {
      const before = askedMs.get(use)
      if (!isRefused) {
        askedMs.delete(use)
        return false
      }
      if (before !== undefined && nowMs() < before + againMs) return false
      const [oldest] = askedMs.keys()
      if (askedMs.size >= maxUses && oldest !== undefined) askedMs.delete(oldest)
      askedMs.delete(use)
      askedMs.set(use, nowMs())
      return true
    },
  }
}
