import { HubError } from '@sluice/protocol/error'
import {
  failuresKept,
  outcomesMs,
  type NewSource,
  type SourceFailureRow,
  type SourceHistory,
  type SourceNotes,
  type SourceRow,
  type Sources,
} from '../sources.ts'
import type { Connection } from './connections.ts'
import type { Parts } from './store-parts.ts'
import type { Transaction } from './transactions.ts'

const columns = 'key, id, settings, secrets, revision, created_ms as "createdMs", updated_ms as "updatedMs"'

/** Changes of a workspace's sources follow one another. */
export function createSources({ connections, transactions, nowMs }: Parts): Sources {
  const { query } = connections
  const change = <Value>(workspaceId: number, work: (transaction: Transaction) => Promise<Value>): Promise<Value> =>
    transactions.run(`sources/${workspaceId}`, work)
  return {
    find: (workspaceId, key) => findSource(connections, workspaceId, key),
    list: (workspaceId, { after, limit }) =>
      query<SourceRow>(`select ${columns} from source where workspace_id = $1 and key > $2 order by key limit $3`, [
        workspaceId,
        after,
        limit,
      ]),
    create: (workspaceId, source) =>
      change(workspaceId, (transaction) => create(transaction, { workspaceId, nowMs: nowMs() }, source)),
    update: (workspaceId, { key, id, revision, settings, secrets }) =>
      change(workspaceId, async (transaction) => {
        const [changed] = await transaction.query<SourceRow>(
          `update source set settings = $5, secrets = $6, revision = revision + 1, updated_ms = $7
           where workspace_id = $1 and key = $2 and id = $3 and revision = $4 returning ${columns}`,
          [workspaceId, key, id, revision, settings, secrets, nowMs()],
        )
        return changed
      }),
    remove: (workspaceId, key) => change(workspaceId, (transaction) => remove(transaction, workspaceId, key)),
    note: (workspaceId, notes) =>
      change(workspaceId, (transaction) => note(transaction, { workspaceId, nowMs: nowMs() }, notes)),
    readReport: (workspaceId, id, sinceMs) => readReport(connections, { workspaceId, id, sinceMs }),
  }
}

async function findSource({ query }: Connection, workspaceId: number, key: string): Promise<SourceRow | undefined> {
  const text = `select ${columns} from source where workspace_id = $1 and key = $2`
  const [found] = await query<SourceRow>(text, [workspaceId, key])
  return found
}

type Place = { readonly workspaceId: number; readonly nowMs: number }

async function create({ query }: Transaction, { workspaceId, nowMs }: Place, source: NewSource): Promise<boolean> {
  const logs = await query(`select 1 as found from log where workspace_id = $1`, [workspaceId])
  if (logs.length === 0) throw new HubError('not-found', 'the workspace does not exist')
  const { key, id, settings, secrets } = source
  const made = await query(
    `insert into source (workspace_id, key, id, settings, secrets, revision, created_ms, updated_ms)
     values ($1, $2, $3, $4, $5, 1, $6, $6) on conflict (workspace_id, key) do nothing returning 1 as made`,
    [workspaceId, key, id, settings, secrets, nowMs],
  )
  return made.length > 0
}

async function remove(transaction: Transaction, workspaceId: number, key: string): Promise<boolean> {
  const found = await findSource(transaction, workspaceId, key)
  if (!found) return false
  transaction.write(`delete from source where workspace_id = $1 and key = $2`, [workspaceId, key])
  for (const table of ['source_outcome', 'source_failure'])
    transaction.write(`delete from ${table} where workspace_id = $1 and source_id = $2`, [workspaceId, found.id])
  return true
}

async function note({ query, write }: Transaction, place: Place, { counts, failures }: SourceNotes): Promise<void> {
  const { workspaceId, nowMs } = place
  const ids = [...new Set([...counts, ...failures].map(({ id }) => id))]
  const found = await query<{ id: string }>(`select id from source where workspace_id = $1 and id = any($2::text[])`, [
    workspaceId,
    ids,
  ])
  const known = found.map(({ id }) => id)
  for (const { id, hourMs, outcome, count } of counts.filter((one) => known.includes(one.id)))
    write(
      `insert into source_outcome (workspace_id, source_id, hour_ms, outcome, count) values ($1, $2, $3, $4, $5)
       on conflict (workspace_id, source_id, hour_ms, outcome) do update set count = source_outcome.count + excluded.count`,
      [workspaceId, id, hourMs, outcome, count],
    )
  for (const { id, atMs, outcome, cause, reason } of failures.filter((one) => known.includes(one.id)))
    write(
      `insert into source_failure (workspace_id, source_id, at_ms, outcome, cause, reason) values ($1, $2, $3, $4, $5, $6)`,
      [workspaceId, id, atMs, outcome, cause, reason],
    )
  for (const id of known) {
    write(`delete from source_outcome where workspace_id = $1 and source_id = $2 and hour_ms < $3`, [
      workspaceId,
      id,
      nowMs - outcomesMs,
    ])
    write(
      `delete from source_failure where workspace_id = $1 and source_id = $2 and id not in (
         select id from source_failure where workspace_id = $1 and source_id = $2 order by id desc limit $3)`,
      [workspaceId, id, failuresKept],
    )
  }
}

type Asked = { readonly workspaceId: number; readonly id: string; readonly sinceMs: number }

async function readReport({ query }: Connection, { workspaceId, id, sinceMs }: Asked): Promise<SourceHistory> {
  const [hours, failures] = await Promise.all([
    query<SourceHistory['hours'][number]>(
      `select hour_ms as "hourMs", outcome, count from source_outcome
       where workspace_id = $1 and source_id = $2 and hour_ms >= $3 order by hour_ms desc, outcome`,
      [workspaceId, id, sinceMs],
    ),
    query<SourceFailureRow>(
      `select at_ms as "atMs", outcome, cause, reason from source_failure
       where workspace_id = $1 and source_id = $2 order by id desc limit $3`,
      [workspaceId, id, failuresKept],
    ),
  ])
  return { hours, failures }
}
