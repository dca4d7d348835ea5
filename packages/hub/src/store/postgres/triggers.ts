import { randomUUID } from 'node:crypto'
import { HubError } from '@sluice/protocol/error'
import {
  pollsMs,
  seenMs,
  type ClaimedTrigger,
  type NewTrigger,
  type PollEnd,
  type PollRow,
  type TriggerRow,
  type Triggers,
} from '../triggers.ts'
import type { Connection } from './connections.ts'
import type { Parts } from './store-parts.ts'
import type { Transaction } from './transactions.ts'

const columns = `key, id, settings, status, generation, primed, state, last_poll_ms as "lastPollMs",
  next_poll_ms as "nextPollMs", failures, last_error as "lastError", created_ms as "createdMs", updated_ms as "updatedMs"`

/** Changes of a workspace's triggers follow one another; claims are made by the rows alone. */
export function createTriggers({ connections, transactions, nowMs }: Parts): Triggers {
  const { query } = connections
  const change = <Result>(workspaceId: number, work: (transaction: Transaction) => Promise<Result>): Promise<Result> =>
    transactions.run(`triggers/${workspaceId}`, work)
  return {
    find: (workspaceId, key) => findTrigger(connections, workspaceId, key),
    list: (workspaceId, { after, limit }) =>
      query<TriggerRow>(
        `select ${columns} from polling_trigger where workspace_id = $1 and key > $2 order by key limit $3`,
        [workspaceId, after, limit],
      ),
    put: (workspaceId, trigger) =>
      change(workspaceId, (transaction) => put(transaction, { workspaceId, nowMs: nowMs() }, trigger)),
    setStatus: (workspaceId, key, status) =>
      change(workspaceId, async ({ write }) =>
        write(`update polling_trigger set status = $3, updated_ms = $4 where workspace_id = $1 and key = $2`, [
          workspaceId,
          key,
          status,
          nowMs(),
        ]),
      ),
    remove: (workspaceId, key) => change(workspaceId, (transaction) => remove(transaction, workspaceId, key)),
    claimDue: (limit, forMs) =>
      query<ClaimedTrigger>(
        `update polling_trigger set token = $1, claimed_until_ms = $2 where (workspace_id, key) in (
           select workspace_id, key from polling_trigger
           where status = 'active' and next_poll_ms <= $3 and claimed_until_ms <= $3 order by next_poll_ms limit $4
           for update skip locked)
         returning ${columns}, workspace_id as "workspaceId", token`,
        [randomUUID(), nowMs() + forMs, nowMs(), limit],
      ),
    claim: async (workspaceId, key, forMs) => {
      const [claimed] = await query<ClaimedTrigger>(
        `update polling_trigger set token = $1, claimed_until_ms = $2 where workspace_id = $3 and key = $4 and claimed_until_ms <= $5
         returning ${columns}, workspace_id as "workspaceId", token`,
        [randomUUID(), nowMs() + forMs, workspaceId, key, nowMs()],
      )
      return claimed
    },
    findSeen: async ({ workspaceId, id }, digests) => {
      const found = await query<{ digest: string }>(
        `select digest from trigger_seen where workspace_id = $1 and trigger_id = $2 and digest = any($3::text[])`,
        [workspaceId, id, digests],
      )
      return found.map(({ digest }) => digest)
    },
    finish: (claimed, end) =>
      change(claimed.workspaceId, (transaction) => finish(transaction, { claimed, nowMs: nowMs() }, end)),
    listPolls: (workspaceId, key, { before, limit }) =>
      query<PollRow>(
        `select poll.id, at_ms as "atMs", ms, outcome, found, published, error from trigger_poll as poll
         join polling_trigger as of on of.workspace_id = poll.workspace_id and of.id = poll.trigger_id
         where of.workspace_id = $1 and of.key = $2 and poll.id < $3 order by poll.id desc limit $4`,
        [workspaceId, key, before, limit],
      ),
  }
}

async function findTrigger({ query }: Connection, workspaceId: number, key: string): Promise<TriggerRow | undefined> {
  const found = await query<TriggerRow>(`select ${columns} from polling_trigger where workspace_id = $1 and key = $2`, [
    workspaceId,
    key,
  ])
  return found[0]
}

type Place = { readonly workspaceId: number; readonly nowMs: number }

async function put(transaction: Transaction, { workspaceId, nowMs }: Place, trigger: NewTrigger): Promise<boolean> {
  const { key, id, settings, nextPollMs } = trigger
  const [before, logs] = await Promise.all([
    findTrigger(transaction, workspaceId, key),
    transaction.query(`select 1 as found from log where workspace_id = $1`, [workspaceId]),
  ])
  if (logs.length === 0) throw new HubError('not-found', 'the workspace does not exist')
  if (before && before.id !== id) forget(transaction, workspaceId, before.id)
  transaction.write(
    `insert into polling_trigger (workspace_id, key, id, settings, status, generation, primed, next_poll_ms, failures,
       claimed_until_ms, created_ms, updated_ms) values ($1, $2, $3, $4, 'active', 1, false, $5, 0, 0, $6, $6)
     on conflict (workspace_id, key) do update set settings = excluded.settings, generation = polling_trigger.generation + 1,
       next_poll_ms = excluded.next_poll_ms, failures = 0, last_error = null, token = null, claimed_until_ms = 0,
       updated_ms = excluded.updated_ms, primed = polling_trigger.primed and polling_trigger.id = excluded.id,
       state = case when polling_trigger.id = excluded.id then polling_trigger.state end,
       last_poll_ms = case when polling_trigger.id = excluded.id then polling_trigger.last_poll_ms end, id = excluded.id`,
    [workspaceId, key, id, settings, nextPollMs, nowMs],
  )
  return before === undefined
}

function forget({ write }: Transaction, workspaceId: number, id: string): void {
  for (const table of ['trigger_seen', 'trigger_poll'])
    write(`delete from ${table} where workspace_id = $1 and trigger_id = $2`, [workspaceId, id])
}

async function remove(transaction: Transaction, workspaceId: number, key: string): Promise<boolean> {
  const before = await findTrigger(transaction, workspaceId, key)
  if (!before) return false
  forget(transaction, workspaceId, before.id)
  transaction.write(`delete from polling_trigger where workspace_id = $1 and key = $2`, [workspaceId, key])
  return true
}

type Finishing = { readonly claimed: ClaimedTrigger; readonly nowMs: number }

async function finish(transaction: Transaction, finishing: Finishing, end: PollEnd): Promise<boolean> {
  const { workspaceId, key, id, token } = finishing.claimed
  const [current] = await transaction.query<{ id: string; token: string | null }>(
    // For the row's sake: a claim is made without the slot.
    `select id, token from polling_trigger where workspace_id = $1 and key = $2 for update`,
    [workspaceId, key],
  )
  if (current?.id !== id) return false
  const isCurrent = current.token === token
  notePoll(transaction, finishing, end, isCurrent ? (end.good ? 'good' : 'failed') : 'superseded')
  if (!isCurrent) return false
  keep(transaction, finishing, end)
  return true
}

function keep(
  { write }: Transaction,
  { claimed, nowMs }: Finishing,
  { nextPollMs, error, good, startedMs }: PollEnd,
): void {
  const { workspaceId, key, id } = claimed
  write(
    `update polling_trigger set next_poll_ms = $3, token = null, claimed_until_ms = 0, last_error = $4,
       failures = case when $5 then 0 else failures + 1 end, primed = primed or $5,
       state = case when $5 then $6 else state end, last_poll_ms = case when $5 then $7 else last_poll_ms end
     where workspace_id = $1 and key = $2`,
    [workspaceId, key, nextPollMs, error, good !== undefined, good?.state ?? null, startedMs],
  )
  if (!good) return
  write(
    `insert into trigger_seen (workspace_id, trigger_id, digest, seen_ms) select $1, $2, unnest($3::text[]), $4
     on conflict (workspace_id, trigger_id, digest) do update set seen_ms = excluded.seen_ms`,
    [workspaceId, id, good.seen, nowMs],
  )
  write(`delete from trigger_seen where workspace_id = $1 and trigger_id = $2 and seen_ms < $3`, [
    workspaceId,
    id,
    nowMs - seenMs,
  ])
}

function notePoll(
  { write }: Transaction,
  { claimed, nowMs }: Finishing,
  end: PollEnd,
  outcome: PollRow['outcome'],
): void {
  const { workspaceId, id } = claimed
  const { startedMs, ms, found, published, error } = end
  write(
    `insert into trigger_poll (workspace_id, trigger_id, at_ms, ms, outcome, found, published, error)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [workspaceId, id, startedMs, ms, outcome, found, published, error],
  )
  write(`delete from trigger_poll where workspace_id = $1 and trigger_id = $2 and at_ms < $3`, [
    workspaceId,
    id,
    nowMs - pollsMs,
  ])
}
