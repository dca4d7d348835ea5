import { createTurns } from '../../runner/turns.ts'
import type { Asking } from './rate-budgets.ts'

export type Waiter = Pick<Asking, 'rank' | 'user'> & {
  readonly asking: Asking
  readonly untilMs: number
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/** Those who wait for one account. */
export type Line = {
  readonly join: (waiter: Waiter) => void
  readonly leave: (waiter: Waiter) => void
  readonly first: () => Waiter | undefined
  readonly serve: (waiter: Waiter) => void
  /** Those for whom there is a reason leave with it. */
  readonly refuse: (toReason: (waiter: Waiter) => unknown) => void
  readonly size: () => number
}

export function createLine(): Line {
  const waiting = new Set<Waiter>()
  const turns = createTurns()
  return {
    join: (waiter) => void waiting.add(waiter),
    leave: (waiter) => void waiting.delete(waiter),
    first: () => turns.first([...waiting]),
    serve: (waiter) => {
      waiting.delete(waiter)
      turns.serve(waiter.user)
      waiter.resolve()
    },
    refuse: (toReason) => {
      for (const waiter of waiting) {
        const reason = toReason(waiter)
        if (reason === undefined) continue
        waiting.delete(waiter)
        waiter.reject(reason)
      }
    },
    size: () => waiting.size,
  }
}
