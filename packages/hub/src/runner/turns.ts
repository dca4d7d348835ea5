/** Who waits for something: the smaller the rank, the more urgent. */
export type Claim = { readonly rank: number; readonly user: string }

/** Whose turn it is among those who wait: the most urgent, and of these the one whose user was served longest ago. */
export type Turns = {
  readonly first: <Waiting extends Claim>(waiting: readonly Waiting[]) => Waiting | undefined
  readonly serve: (user: string) => void
}

const maxUsers = 10_000

export function createTurns(): Turns {
  // As a count of all that were served.
  const served = new Map<string, number>()
  let count = 0
  const isBefore = (one: Claim, other: Claim): boolean => {
    if (one.rank !== other.rank) return one.rank < other.rank
    return (served.get(one.user) ?? 0) < (served.get(other.user) ?? 0)
  }
  return {
    first: <Waiting extends Claim>(waiting: readonly Waiting[]) =>
      waiting.reduce<Waiting | undefined>((best, one) => (best && !isBefore(one, best) ? best : one), undefined),
    serve: (user) => {
      if (served.size >= maxUsers) served.clear()
      count += 1
      served.set(user, count)
    },
  }
}
