import { freshRate, learnLimits, takeRequests, type RateBudgets, type RateState } from '../rate-budgets.ts'

const maxAccounts = 100_000

/** In memory: one process serves an embedded store, and what an account may do after a restart its service says. */
export function createRateBudgets(nowMs: () => number): RateBudgets {
  const states = new Map<string, RateState>()
  const stateOf = (place: string): RateState => states.get(place) ?? freshRate
  const keep = (place: string, state: RateState): void => {
    if (states.size >= maxAccounts) states.clear()
    states.set(place, state)
  }
  return {
    take: async (workspaceId, connection, order) => {
      const place = `${workspaceId}/${connection}`
      const { state, taken } = takeRequests(stateOf(place), order, nowMs())
      keep(place, state)
      return taken
    },
    learn: async (workspaceId, connection, news) => {
      const place = `${workspaceId}/${connection}`
      keep(place, learnLimits(stateOf(place), news, nowMs()))
    },
  }
}
