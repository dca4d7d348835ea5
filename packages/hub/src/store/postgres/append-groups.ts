import type { Draft } from '../store.ts'
import { appendEvents } from './append.ts'
import { createGroups, type Groups } from './group-commit.ts'
import type { Parts } from './store-parts.ts'

/** Events in one transaction, unless a single request brings more. Larger groups gain nothing and cost latency. */
const groupEvents = 512

/** Appends of each workspace, in groups. */
export function openAppends({
  transactions,
  wakes,
  nowMs,
}: Pick<Parts, 'transactions' | 'wakes' | 'nowMs'>): Groups<readonly Draft[]> {
  return createGroups({
    maxWeight: groupEvents,
    isBlocked: transactions.isInDoubt,
    run: async (slot, orders) => {
      const workspaceId = Number(slot.slice(slot.indexOf('/') + 1))
      const outcomes = await transactions.run(slot, (transaction) =>
        appendEvents(transaction, workspaceId, orders.flat(), nowMs()),
      )
      const appended = orders.flat().filter((_, index) => outcomes[index]?.status === 'stored')
      if (appended.length > 0) wakes.announce({ workspaceId, appended })
      let from = 0
      return orders.map((drafts) => ({ value: outcomes.slice(from, (from += drafts.length)) }))
    },
  })
}
