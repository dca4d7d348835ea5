import { randomInt } from 'node:crypto'
import { defaultInbox, defaultWorkspace, inboxDefaults } from '@sluice/protocol/defaults'
import { HubError } from '@sluice/protocol/error'
import { tagSpace } from '@sluice/protocol/event-id'
import { eventTypeTables, integrationTables, scheduleTables } from '../moving.ts'
import { sourceTables } from '../sources.ts'
import type { WorkspaceRow } from '../store.ts'
import { toNewWorkspace, toRenewedTags, toWorkspaceRow, type WorkspaceColumns } from '../tags.ts'
import type { Connection } from './connections.ts'
import { insertInbox } from './inboxes.ts'
import type { Locks } from './locks.ts'
import type { Transaction } from './transactions.ts'

const workspaceColumns = `id, key, tag, quotas, earlier_tags as "earlierTags", created_ms as "createdMs",
  coalesce((select unknown from event_type_setting where workspace_id = workspace.id), 'allow') as "unknownEventTypes",
  coalesce((select revision from event_type_setting where workspace_id = workspace.id), 0) as "eventTypesRevision"`

export async function findWorkspace({ query }: Connection, key: string): Promise<WorkspaceRow | undefined> {
  const found = await query<WorkspaceColumns>(`select ${workspaceColumns} from workspace where key = $1`, [key])
  return found.map(toWorkspaceRow)[0]
}

export async function findWorkspaceById({ query }: Connection, id: number): Promise<WorkspaceRow | undefined> {
  const found = await query<WorkspaceColumns>(
    `select ${workspaceColumns} from workspace where id = $1 and key is not null`,
    [id],
  )
  return found.map(toWorkspaceRow)[0]
}

export async function listWorkspaces({ query }: Connection, after: string, limit: number): Promise<WorkspaceRow[]> {
  const found = await query<WorkspaceColumns>(
    `select ${workspaceColumns} from workspace where key > $1 order by key limit $2`,
    [after, limit],
  )
  return found.map(toWorkspaceRow)
}

/** See `Moving`. */
export async function renewTags({ query, write }: Transaction): Promise<void> {
  const found = await query<WorkspaceColumns & { head: number }>(
    `select ${workspaceColumns}, log.head from workspace join log on log.workspace_id = workspace.id
     where key is not null order by id`,
  )
  for (const { head, ...columns } of found) {
    const { tag, earlierTags } = toRenewedTags(toWorkspaceRow(columns), head)
    write(`update workspace set tag = $2, earlier_tags = $3 where id = $1`, [
      columns.id,
      tag,
      JSON.stringify(earlierTags),
    ])
  }
}

/** In the transaction of the slot that all changes to workspaces and keys share. */
export async function ensureWorkspace(
  transaction: Transaction,
  key: string,
  nowMs: number,
): Promise<{ workspace: WorkspaceRow; created: boolean }> {
  const known = await findWorkspace(transaction, key)
  if (known) return { workspace: known, created: false }
  const tag = randomInt(tagSpace)
  // The number is wanted at once; the row that it belongs to is written with the others.
  const [made] = await transaction.query<{ id: number }>(
    `select nextval(pg_get_serial_sequence('workspace', 'id'))::int as id`,
  )
  const id = made?.id ?? 0
  transaction.write(
    `insert into workspace (id, key, tag, created_ms) overriding system value values ($1, $2, $3, $4)`,
    [id, key, tag, nowMs],
  )
  transaction.write(`insert into log (workspace_id) values ($1)`, [id])
  insertInbox(transaction, {
    workspaceId: id,
    key: defaultInbox,
    nowMs,
    start: 1,
    settings: { ...inboxDefaults, start: 'earliest' },
  })
  return { workspace: toNewWorkspace({ id, key, tag, createdMs: nowMs }), created: true }
}

/**
 * From the commit on the workspace is gone for everybody; what it held is then removed in small steps by `purgeRemoved`,
 * also by another node if this one ends before.
 */
export async function deleteWorkspace(transaction: Transaction, locks: Locks, key: string): Promise<boolean> {
  if (key === defaultWorkspace) throw new HubError('conflict', `the workspace "${defaultWorkspace}" cannot be removed`)
  const workspace = await findWorkspace(transaction, key)
  if (!workspace) return false
  const { id } = workspace
  // After whoever is appending to it; nobody takes these two locks in the other order.
  await transaction.query(locks.take, [...locks.key(`log/${id}`)])
  transaction.write(`update workspace set key = null where id = $1`, [id])
  transaction.write(`delete from log where workspace_id = $1`, [id])
  transaction.write(`delete from api_key where workspace_id = $1`, [id])
  transaction.write(`delete from audit where workspace_id = $1`, [id])
  return true
}

const tablesOfInbox = [
  'inbox_history',
  'lease',
  'lease_subject',
  'void_lease',
  'parked',
  'dead_letter',
  'attempt',
] as const

/** Rows that one statement removes. */
const purgeRows = 10_000

/** A verb that was under way while its inbox was removed may leave rows for so long. */
const lateMs = 60_000

/** Rows of removed workspaces and inboxes that have not all gone yet: another node may have ended in between. */
export async function hasRemoved({ query }: Connection): Promise<boolean> {
  const found = await query(
    `select 1 as found where exists (select 1 from workspace where key is null) or exists (select 1 from removed_inbox)`,
  )
  return found.length > 0
}

/** Removes what removed workspaces and inboxes held, in steps that hold nobody up. */
export async function purgeRemoved(connection: Connection, nowMs: number): Promise<void> {
  const { query } = connection
  await query(
    `with gone as (delete from inbox where workspace_id in (select id from workspace where key is null) returning id)
     insert into removed_inbox (inbox_id, at_ms) select id, $1 from gone`,
    [nowMs],
  )
  const inboxes = await query<{ id: number; atMs: number }>(
    `select inbox_id as id, at_ms as "atMs" from removed_inbox order by inbox_id`,
  )
  for (const { id, atMs } of inboxes) {
    for (const table of tablesOfInbox) await purge(connection, table, 'inbox_id', id)
    if (atMs < nowMs - lateMs) await query(`delete from removed_inbox where inbox_id = $1`, [id])
  }
  for (const { id } of await query<{ id: number }>(`select id from workspace where key is null`)) {
    for (const table of [
      'event',
      'dedup',
      'activity',
      'rate_budget',
      ...integrationTables,
      ...eventTypeTables,
      ...scheduleTables,
      ...sourceTables,
    ] as const)
      await purge(connection, table, 'workspace_id', id)
    await query(`delete from workspace where id = $1 and key is null`, [id])
  }
}

async function purge({ query }: Connection, table: string, column: string, id: number): Promise<void> {
  for (;;) {
    const gone = await query(
      `delete from ${table} where ctid = any(array(select ctid from ${table} where ${column} = $1 limit ${purgeRows}))
       returning 1 as gone`,
      [id],
    )
    if (gone.length < purgeRows) return
  }
}

/** Of one inbox, in the transaction that removes it. */
export function deleteRowsOf({ write }: Transaction, inboxId: number): void {
  for (const table of tablesOfInbox) write(`delete from ${table} where inbox_id = $1`, [inboxId])
}
