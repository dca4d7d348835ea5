import { dropErased } from '../inbox-rules/acknowledge.ts'
import { identityBytes, isIdentifiedBy } from '../identity.ts'
import type { Identified, IdentitySearch, Store } from '../store.ts'
import type { Connection } from './connections.ts'
import { onInbox } from './inbox-groups.ts'
import type { Parts } from './store-parts.ts'

export function erasureVerbs(parts: Parts): Pick<Store, 'findIdentified' | 'eraseEvents'> {
  return {
    findIdentified: (workspaceId, search) => findIdentified(parts.connections, workspaceId, search),
    eraseEvents: async (workspaceId, positions) =>
      positions.length === 0 ? 0 : eraseEvents(parts, workspaceId, positions),
  }
}

/** Rows that are read at a time. */
const partRows = 1000

/** Events first, then dead letters. */
async function findIdentified(
  connection: Connection,
  workspaceId: number,
  search: IdentitySearch,
): Promise<Identified> {
  const { values, afterPosition, lastPosition, afterDead, rowBudget } = search
  const log = await look({ values, after: afterPosition, budget: rowBudget }, (after, limit) =>
    connection.query<Candidate>(
      `select position as at, body, null as inbox from event where workspace_id = $1 and position > $2 and position <= $3
       order by position limit $4`,
      [workspaceId, after, lastPosition, limit],
    ),
  )
  const positions = log.found.map(({ at }) => at)
  if (!log.ended)
    return { positions, deadLetters: [], positionsTo: log.to, deadTo: afterDead, looked: log.looked, more: true }
  const dead = await look({ values, after: afterDead, budget: rowBudget - log.looked }, (after, limit) =>
    connection.query<Candidate>(
      `select dead_letter.id as at, position, body, inbox.key as inbox from dead_letter
       join inbox on inbox.id = dead_letter.inbox_id
       where inbox.workspace_id = $1 and dead_letter.id > $2 order by dead_letter.id limit $3`,
      [workspaceId, after, limit],
    ),
  )
  return {
    positions,
    deadLetters: dead.found.map(({ inbox, position }) => ({ inbox: inbox ?? '', position: position ?? 0 })),
    positionsTo: lastPosition,
    deadTo: dead.to,
    looked: log.looked + dead.looked,
    more: !dead.ended,
  }
}

type Candidate = {
  /** position, or row id of a dead letter */
  readonly at: number
  readonly position?: number
  readonly body: string | null
  readonly inbox: string | null
}

type LookFor = { readonly values: readonly string[]; readonly after: number; readonly budget: number }
type Looked = { readonly found: Candidate[]; readonly looked: number; readonly to: number; readonly ended: boolean }

async function look(
  { values, after, budget }: LookFor,
  read: (after: number, limit: number) => Promise<Candidate[]>,
): Promise<Looked> {
  const found: Candidate[] = []
  let [looked, bytes, to] = [0, 0, after]
  while (looked < budget && bytes < identityBytes) {
    const limit = Math.min(partRows, budget - looked)
    const part = await read(to, limit)
    for (const candidate of part) {
      if (candidate.body !== null && isIdentifiedBy(values, candidate.body)) found.push(candidate)
      bytes += candidate.body?.length ?? 0
      to = candidate.at
    }
    looked += part.length
    if (part.length < limit) return { found, looked, to, ended: true }
  }
  return { found, looked, to, ended: false }
}

/** The log first: from then on nobody is handed an event, and what is held is let go of by the inboxes, one after the other. */
async function eraseEvents(parts: Parts, workspaceId: number, positions: readonly number[]): Promise<number> {
  const count = await parts.transactions.run(`log/${workspaceId}`, async ({ query, write }) => {
    const gone = await query(
      `update event set body = null, subject = null, notes = null
       where workspace_id = $1 and position = any($2::bigint[]) and body is not null returning 1 as gone`,
      [workspaceId, positions],
    )
    // From here down a lease looks at each event instead of taking it for granted.
    write(`update log set irregular_to = greatest(irregular_to, least(head, $2)) where workspace_id = $1`, [
      workspaceId,
      Math.max(...positions),
    ])
    write(
      `update attempt set reason = null where position = any($2::bigint[]) and reason is not null
       and inbox_id in (select id from inbox where workspace_id = $1)`,
      [workspaceId, positions],
    )
    return gone.length
  })
  const holding = await parts.connections.query<{ key: string }>(
    `select key from inbox where workspace_id = $1 and (
       exists (select 1 from parked where inbox_id = inbox.id and first <= $3 and last >= $2)
       or exists (select 1 from lease where inbox_id = inbox.id and first <= $3 and last >= $2)
       or exists (select 1 from dead_letter where inbox_id = inbox.id and position between $2 and $3))`,
    [workspaceId, Math.min(...positions), Math.max(...positions)],
  )
  for (const { key } of holding)
    await onInbox(parts, { workspaceId, key }, (session, inbox) => dropErased(session, inbox, positions))
  return count
}
