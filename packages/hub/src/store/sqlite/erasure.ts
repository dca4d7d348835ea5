import { dropErased } from '../inbox-rules/acknowledge.ts'
import { identityBytes, isIdentifiedBy } from '../identity.ts'
import type { Identified, IdentitySearch } from '../store.ts'
import type { Database } from './database.ts'
import { row, rows } from './database.ts'
import { eventTable } from './log.ts'
import { inboxOf, workspaceOf, type Engine } from './writer-state.ts'

type Found = { readonly at: number; readonly body: string | null }

/** Events first, then dead letters. */
export function findIdentified(db: Database, workspaceId: number, search: IdentitySearch): Identified {
  const { values, afterPosition, lastPosition, afterDead, rowBudget } = search
  const events = db.sql(
    `select position as at, body from ${eventTable(workspaceId)} where position > ? and position <= ? order by position limit ?`,
  )
  const log = look(events.iterate(afterPosition, lastPosition, rowBudget) as Iterable<unknown>, values, rowBudget)
  const positionsTo = log.ended ? lastPosition : log.to
  if (!log.ended)
    return { positions: log.found, deadLetters: [], positionsTo, deadTo: afterDead, looked: log.looked, more: true }
  const left = rowBudget - log.looked
  const letters = db.sql(
    `select dead_letter.id as at, body from dead_letter join inbox on inbox.id = dead_letter.inbox_id
     where inbox.workspace_id = ? and dead_letter.id > ? order by dead_letter.id limit ?`,
  )
  const dead = look(letters.iterate(workspaceId, afterDead, left) as Iterable<unknown>, values, left)
  return {
    positions: log.found,
    deadLetters: dead.found.flatMap((id) => findLetter(db, id) ?? []),
    positionsTo,
    deadTo: Math.max(afterDead, dead.to),
    looked: log.looked + dead.looked,
    more: !dead.ended,
  }
}

function findLetter(db: Database, id: number): { inbox: string; position: number } | undefined {
  return row(
    db.sql(
      `select inbox.key as inbox, position from dead_letter join inbox on inbox.id = dead_letter.inbox_id where dead_letter.id = ?`,
    ),
    id,
  )
}

type Looked = { readonly found: number[]; readonly looked: number; readonly to: number; readonly ended: boolean }

function look(candidates: Iterable<unknown>, values: readonly string[], budget: number): Looked {
  const found: number[] = []
  let [looked, bytes, to] = [0, 0, 0]
  for (const candidate of candidates) {
    const { at, body } = candidate as Found // the columns of both statements
    looked += 1
    to = at
    if (body !== null && isIdentifiedBy(values, body)) found.push(at)
    bytes += body?.length ?? 0
    if (bytes >= identityBytes) return { found, looked, to, ended: false }
  }
  return { found, looked, to, ended: looked < budget }
}

export async function eraseEvents(engine: Engine, workspaceId: number, positions: readonly number[]): Promise<number> {
  const workspace = workspaceOf(engine, workspaceId)
  const erase = engine.db.sql(
    `update ${eventTable(workspaceId)} set body = null, subject = null, notes = null where position = ? and body is not null`,
  )
  const gone = positions.filter((position) => Number(erase.run(position).changes) > 0)
  // From here down a lease looks at each event instead of taking it for granted.
  workspace.irregularTo = Math.max(workspace.irregularTo, ...positions.filter((position) => position <= workspace.head))
  workspace.changed = true
  forgetReasons(engine, workspaceId, positions)
  for (const key of inboxesAround(engine, workspaceId, positions))
    await dropErased(engine, inboxOf(engine, workspaceId, key), positions)
  return gone.length
}

function forgetReasons({ db }: Engine, workspaceId: number, positions: readonly number[]): void {
  db.sql(
    `update attempt set reason = null where inbox_id in (select id from inbox where workspace_id = ?)
     and position between ? and ? and position in (select value from json_each(?))`,
  ).run(workspaceId, Math.min(...positions), Math.max(...positions), JSON.stringify(positions))
}

/** Inboxes that hold something in the span of the positions. */
function inboxesAround({ db }: Engine, workspaceId: number, positions: readonly number[]): string[] {
  const [first, last] = [Math.min(...positions), Math.max(...positions)]
  const statement = db.sql(
    `select key from inbox where workspace_id = ?1 and (
       exists (select 1 from parked where inbox_id = inbox.id and first <= ?3 and last >= ?2)
       or exists (select 1 from lease where inbox_id = inbox.id and first <= ?3 and last >= ?2)
       or exists (select 1 from dead_letter where inbox_id = inbox.id and position between ?2 and ?3))`,
  )
  return rows<{ key: string }>(statement, workspaceId, first, last).map(({ key }) => key)
}
