import { defaultInbox } from '@sluice/protocol/defaults'
import type { RetentionPolicy } from '../store.ts'
import type { Connections } from './connections.ts'
import { readLog } from './log.ts'
import type { Transaction, Transactions } from './transactions.ts'

type Parts = {
  readonly connections: Connections
  readonly transactions: Transactions
  readonly nowMs: () => number
  /** Notes in each of these inboxes what it never got to. */
  readonly expireBehind: (inboxes: readonly string[], last: number) => Promise<void>
}

/**
 * One small step. First the log says up to where it is trimmed, then the inboxes note what they have not seen, then the events
 * go: a step that is cut off in between is finished by the next one, on whichever node.
 */
export async function trimEvents(
  parts: Parts,
  workspaceId: number,
  policy: RetentionPolicy,
): Promise<{ removed: number; more: boolean }> {
  const { connections, nowMs } = parts
  const trimmed = await trimLog(parts, workspaceId, policy)
  const dedup = await connections.query(
    `delete from dedup where ctid = any(array(select ctid from dedup where expires_ms <= $1 limit $2)) returning 1 as gone`,
    [nowMs(), policy.maxRows],
  )
  const attempts = await connections.query(
    `delete from attempt where id in
       (select id from (select id, at_ms from attempt order by id limit $1) as oldest where at_ms <= $2) returning 1 as gone`,
    [policy.maxRows, nowMs() - policy.attemptsMs],
  )
  await connections.query(`delete from void_lease where at_ms <= $1`, [nowMs() - dayMs])
  await connections.query(`delete from commit_mark where at_ms <= $1`, [nowMs() - dayMs])
  const steps = [trimmed, dedup.length, attempts.length]
  return { removed: steps.reduce((sum, count) => sum + count, 0), more: steps.some((count) => count >= policy.maxRows) }
}

const dayMs = 86_400_000

async function trimLog(parts: Parts, workspaceId: number, policy: RetentionPolicy): Promise<number> {
  const { connections, transactions, nowMs } = parts
  const last = await transactions.run(`log/${workspaceId}`, (transaction) =>
    moveTrimmed(transaction, { workspaceId, policy, nowMs: nowMs() }),
  )
  if (last === undefined) return 0
  const inboxes = await connections.query<{ key: string }>(
    `select key from inbox where workspace_id = $1
       and (next <= $2 or exists (select 1 from parked where inbox_id = inbox.id and first <= $2))`,
    [workspaceId, last],
  )
  await parts.expireBehind(
    inboxes.map(({ key }) => key),
    last,
  )
  // What consumers wrote about an event goes with it: without it nobody could find what they wrote about a person.
  await connections.query(
    `update attempt set reason = null where inbox_id in (select id from inbox where workspace_id = $1)
     and position <= $2 and reason is not null`,
    [workspaceId, last],
  )
  const removed = await connections.query(
    `delete from event where workspace_id = $1 and position <= $2 returning 1 as gone`,
    [workspaceId, last],
  )
  return removed.length
}

type Step = { readonly workspaceId: number; readonly policy: RetentionPolicy; readonly nowMs: number }

/** The last position that is to go now, or undefined. */
async function moveTrimmed(
  transaction: Transaction,
  { workspaceId, policy, nowMs }: Step,
): Promise<number | undefined> {
  const [{ head, trimmedTo }, passed, oldest] = await Promise.all([
    readLog(transaction, workspaceId),
    passedByAll(transaction, workspaceId),
    transaction.query<{ position: number; acceptedMs: number }>(
      // Not from the beginning: rows that have just gone stand in the index for a while.
      `select position, accepted_ms as "acceptedMs" from event where workspace_id = $1
       and position > (select trimmed_to from log where workspace_id = $1) order by position limit $2`,
      [workspaceId, policy.maxRows],
    ),
  ])
  const floor = Math.min(head, passed)
  const kept = oldest.find(({ position, acceptedMs }) => {
    const age = nowMs - acceptedMs
    return age < policy.passedMs || (age < policy.anywayMs && position > floor)
  })
  const last = kept ? kept.position - 1 : oldest.at(-1)?.position
  if (last === undefined || last <= trimmedTo) return undefined
  transaction.write(`update log set trimmed_to = $2 where workspace_id = $1`, [workspaceId, last])
  return last
}

/** The last position that no inbox needs. The default inbox holds nothing back until somebody has used it. */
async function passedByAll({ query }: Transaction, workspaceId: number): Promise<number> {
  const [least] = await query<{ next: number | null; parked: number | null; leased: number | null }>(
    `select min(case when key <> $2 or used then next end) as next,
       min((select min(first) from parked where inbox_id = inbox.id)) as parked,
       min((select min(first) from lease where inbox_id = inbox.id)) as leased
     from inbox where workspace_id = $1`,
    [workspaceId, defaultInbox],
  )
  const holding = [least?.next, least?.parked, least?.leased].flatMap((position) => position ?? [])
  return Math.min(...holding, Number.MAX_SAFE_INTEGER) - 1
}
