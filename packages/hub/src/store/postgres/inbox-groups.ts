import type { InboxState, Session } from '../inbox-rules/rows.ts'
import { createGroups, type Groups, type Size } from './group-commit.ts'
import { runVerbs, type InboxPlace, type InboxVerb } from './inboxes.ts'
import type { Parts } from './store-parts.ts'
import { createProgress } from './progress-memo.ts'

/** Verbs on one inbox in one transaction. */
const groupVerbs = 64

/** Verbs on each inbox, in groups. */
export function openInboxGroups({
  transactions,
  wakes,
  nowMs,
  counts,
}: Pick<Parts, 'transactions' | 'wakes' | 'nowMs'> & { counts: { rowsScanned: number } }): Groups<InboxVerb> {
  const progress = createProgress()
  const seen = new Map<string, InboxState>()
  return createGroups({
    maxWeight: groupVerbs,
    isBlocked: transactions.isInDoubt,
    run: async (slot, verbs) => {
      const [, id = '', key = ''] = slot.split('/')
      const workspaceId = Number(id)
      const group = await transactions.run(slot, (transaction) =>
        runVerbs(transaction, { workspaceId, key, nowMs: nowMs(), verbs, progress, before: seen.get(slot) }),
      )
      if (seen.size >= maxSeen) seen.clear()
      seen.set(slot, group.inbox)
      counts.rowsScanned += group.rowsScanned
      if (group.wakes.length > 0) wakes.announce({ workspaceId, inbox: key })
      return group.outcomes
    },
  })
}

/** Inboxes whose last state is remembered, to ask ahead for what verbs on them will want. */
const maxSeen = 10_000

const oneVerb: Size = { events: 1, bytes: 0, weight: 1 }

/** Runs a verb with the inbox for itself, on whichever node. */
export async function onInbox<Value>(
  { inboxVerbs: groups }: Pick<Parts, 'inboxVerbs'>,
  { workspaceId, key }: InboxPlace,
  run: (session: Session, inbox: InboxState) => Promise<Value>,
  ask?: InboxVerb['ask'],
): Promise<Value> {
  return groups.add(`inbox/${workspaceId}/${key}`, { run, ask }, oneVerb) as Promise<Value> // what the verb answers
}
