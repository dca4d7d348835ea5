import { defaultInbox } from '@sluice/protocol/defaults'
import { expireBehind } from '../inbox-rules/change.ts'
import type { InboxState } from '../inbox-rules/rows.ts'
import type { RetentionPolicy } from '../store.ts'
import { row, rows } from './database.ts'
import { eventTable } from './log.ts'
import { inboxesOf, workspaceOf, type Engine } from './writer-state.ts'

/** One small step: a bounded number of rows of each kind, so that publishes never wait for it. */
export async function trimEvents(
  engine: Engine,
  workspaceId: number,
  policy: RetentionPolicy,
): Promise<{ removed: number; more: boolean }> {
  const trimmed = await trimLog(engine, workspaceId, policy)
  const dedup = engine.db
    .sql(
      `delete from dedup where (workspace_id, key) in (select workspace_id, key from dedup where expires_ms <= ? limit ?)`,
    )
    .run(engine.nowMs, policy.maxRows)
  const attempts = engine.db
    .sql(
      `delete from attempt where id in (select id from (select id, at_ms from attempt order by id limit ?) where at_ms <= ?)`,
    )
    .run(policy.maxRows, engine.nowMs - policy.attemptsMs)
  engine.db.sql(`delete from void_lease where at_ms <= ?`).run(engine.nowMs - 86_400_000)
  const steps = [trimmed, Number(dedup.changes), Number(attempts.changes)]
  // Pages that became free go back to the file system, a few at a time.
  if (steps.some((count) => count > 0)) engine.db.raw.exec('pragma incremental_vacuum(256)')
  return { removed: steps.reduce((sum, count) => sum + count, 0), more: steps.some((count) => count >= policy.maxRows) }
}

async function trimLog(engine: Engine, workspaceId: number, policy: RetentionPolicy): Promise<number> {
  const workspace = workspaceOf(engine, workspaceId)
  const inboxes = inboxesOf(engine, workspaceId)
  const floor = Math.min(workspace.head, passedByAll(engine, workspaceId, inboxes))
  const oldest = rows<{ position: number; acceptedMs: number }>(
    engine.db.sql(
      `select position, accepted_ms as acceptedMs from ${eventTable(workspaceId)} order by position limit ?`,
    ),
    policy.maxRows,
  )
  const kept = oldest.find(({ position, acceptedMs }) => {
    const age = engine.nowMs - acceptedMs
    return age < policy.passedMs || (age < policy.anywayMs && position > floor)
  })
  const last = kept ? kept.position - 1 : oldest.at(-1)?.position
  if (last === undefined || last <= workspace.trimmedTo) return 0
  const parked = inboxesParkedUpTo(engine, workspaceId, last)
  for (const inbox of inboxes) if (inbox.next <= last || parked.has(inbox.id)) await expireBehind(engine, inbox, last)
  forgetReasons(engine, { workspaceId, from: workspace.trimmedTo + 1, to: last })
  engine.db.sql(`delete from ${eventTable(workspaceId)} where position <= ?`).run(last)
  workspace.trimmedTo = last
  workspace.changed = true
  return oldest.filter(({ position }) => position <= last).length
}

type Span = { readonly workspaceId: number; readonly from: number; readonly to: number }

/** What consumers wrote about an event goes with it: without it nobody could find what they wrote about a person. */
function forgetReasons({ db }: Engine, { workspaceId, from, to }: Span): void {
  db.sql(
    `update attempt set reason = null where inbox_id in (select id from inbox where workspace_id = ?)
     and position between ? and ?`,
  ).run(workspaceId, from, to)
}

/** The last position that no inbox needs. The default inbox holds nothing back until somebody has used it. */
function passedByAll(engine: Engine, workspaceId: number, inboxes: readonly InboxState[]): number {
  const holding = inboxes.filter((inbox) => inbox.key !== defaultInbox || inbox.used)
  const next = holding.reduce((least, inbox) => Math.min(least, inbox.next), Number.MAX_SAFE_INTEGER)
  // One statement for all of them: a thousand inboxes would take two thousand. An unused inbox has no such rows.
  const firsts = row<{ parked: number | null; leased: number | null }>(
    engine.db.sql(
      `select min((select min(first) from parked where inbox_id = inbox.id)) as parked,
         min((select min(first) from lease where inbox_id = inbox.id)) as leased
       from inbox where workspace_id = ?`,
    ),
    workspaceId,
  )
  return Math.min(next, firsts?.parked ?? next, firsts?.leased ?? next) - 1
}

function inboxesParkedUpTo(engine: Engine, workspaceId: number, last: number): ReadonlySet<number> {
  const statement = engine.db.sql(
    `select id from inbox where workspace_id = ? and exists (select 1 from parked where inbox_id = inbox.id and first <= ?)`,
  )
  return new Set(rows<{ id: number }>(statement, workspaceId, last).map(({ id }) => id))
}
