import { grantMs, type Rank, type RateLimit, type RateNews } from '../../store/rate-budgets.ts'

/** Leave that a node has taken for one account and not used yet. */
export type Blocks = {
  readonly use: (rank: Rank) => boolean
  readonly has: (rank: Rank) => boolean
  readonly giveBack: (rank: Rank) => void
  readonly add: (rank: Rank, requests: number, limit: RateLimit | undefined) => void
  /** How much to take: more each time that the last block was used up. */
  readonly toWant: (waiting: number) => number
  /** Whether the store should hear of it: not each answer costs a commit. */
  readonly isNews: (news: RateNews) => boolean
}

/** A block is no larger than this part of the limit: what one node holds, the others do not have. */
const share = 20
const largest = 1000
/** Of what is left, and changes with each answer, the store hears so often. */
const newsEveryMs = 5000

export function createBlocks(nowMs: () => number): Blocks {
  let held: { rank: Rank; left: number; untilMs: number }[] = []
  let [size, cap] = [1, largest]
  let told = ''
  let toldMs = Number.NEGATIVE_INFINITY
  // What was left for the more urgent, the less urgent do not take.
  const find = (wanted: Rank) => held.find(({ rank, untilMs }) => rank >= wanted && untilMs > nowMs())
  return {
    has: (rank) => find(rank) !== undefined,
    use: (rank) => {
      const now = nowMs()
      if (held.some(({ untilMs }) => untilMs <= now)) {
        held = held.filter(({ untilMs }) => untilMs > now)
        size = 1
      }
      const block = find(rank)
      if (!block) return false
      block.left -= 1
      if (block.left === 0) held = held.filter((one) => one !== block)
      return true
    },
    giveBack: (rank) => void held.push({ rank, left: 1, untilMs: nowMs() + grantMs / 2 }),
    add: (rank, requests, limit) => {
      cap = limit ? Math.max(1, Math.min(largest, Math.floor(limit.requests / share))) : largest
      size = Math.min(cap, size * 2)
      held.push({ rank, left: requests, untilMs: nowMs() + grantMs })
    },
    toWant: (waiting) => Math.min(cap, Math.max(size, waiting)),
    isNews: ({ limit, left, holdMs }) => {
      const now = nowMs()
      const isUrgent = holdMs !== undefined || left?.requests === 0
      if (isUrgent) held = []
      const policy = limit ? `${limit.requests}/${limit.perMs}` : told
      const isNew = policy !== told || isUrgent || (left !== undefined && now - toldMs >= newsEveryMs)
      if (!isNew) return false
      told = policy
      toldMs = now
      return true
    },
  }
}
