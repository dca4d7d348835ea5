import type { InboxState, Session } from '../inbox/rows.ts'
import { createGroups, type Groups, type Size } from './groups.ts'
import { runVerbs, type InboxVerb } from './inboxes.ts'
import type { Parts } from './parts.ts'
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
  return createGroups({
    maxWeight: groupVerbs,
    run: async (slot, verbs) => {
      const [, id = '', key = ''] = slot.split('/')
      const workspaceId = Number(id)
      const group = await transactions.run(slot, (transaction) =>
        runVerbs(transaction, { workspaceId, key, nowMs: nowMs(), verbs, progress }),
      )
      counts.rowsScanned += group.rowsScanned
      if (group.wakes.length > 0) wakes.announce({ workspaceId, inbox: key })
      return group.outcomes
    },
  })
}

const oneVerb: Size = { events: 1, bytes: 0, weight: 1 }

/** Runs a verb with the inbox for itself, on whichever node. */
export async function onInbox<Value>(
  { inboxVerbs: groups }: Pick<Parts, 'inboxVerbs'>,
  workspaceId: number,
  key: string,
  verb: (session: Session, inbox: InboxState) => Promise<Value>,
): Promise<Value> {
  return groups.add(`inbox/${workspaceId}/${key}`, verb, oneVerb) as Promise<Value> // what the verb answers
}
