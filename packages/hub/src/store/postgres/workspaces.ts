import { randomInt } from 'node:crypto'
import { defaultInbox, defaultWorkspace, inboxDefaults } from '@sluice/protocol/defaults'
import { HubError } from '@sluice/protocol/error'
import { tagSpace } from '@sluice/protocol/event-id'
import type { WorkspaceRow } from '../store.ts'
import { toRenewedTags, toWorkspaceRow, type WorkspaceColumns } from '../tags.ts'
import type { Connection } from './connections.ts'
import { insertInbox } from './inboxes.ts'
import type { Locks } from './locks.ts'
import type { Transaction } from './transactions.ts'

const workspaceColumns = `id, key, tag, earlier_tags as "earlierTags", created_ms as "createdMs"`

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
  return { workspace: { id, key, tag, earlierTags: [], createdMs: nowMs }, created: true }
}

/**
 * From the commit on the workspace is gone for everybody; what it held is then removed in small steps by `purgeWorkspaces`,
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

/** Removed workspaces whose rows have not all gone yet: another node may have ended in between. */
export async function hasRemoved({ query }: Connection): Promise<boolean> {
  return (await query(`select 1 as found from workspace where key is null limit 1`)).length > 0
}

/** Removes what removed workspaces and inboxes held. */
export async function purgeRemoved({ query }: Connection): Promise<void> {
  const removed = await query<{ id: number }>(`select id from workspace where key is null`)
  for (const { id } of removed) {
    await query(`delete from inbox where workspace_id = $1`, [id])
    for (const table of ['event', 'dedup'] as const) {
      for (;;) {
        const gone = await query(
          `delete from ${table} where ctid = any(array(select ctid from ${table} where workspace_id = $1 limit ${purgeRows}))
           returning 1 as gone`,
          [id],
        )
        if (gone.length < purgeRows) break
      }
    }
  }
  // What a verb that ran at the same time has left behind.
  for (const table of tablesOfInbox) {
    await query(
      `delete from ${table} where inbox_id in (select distinct inbox_id from ${table}
         where not exists (select 1 from inbox where inbox.id = ${table}.inbox_id))`,
    )
  }
  for (const { id } of removed) await query(`delete from workspace where id = $1 and key is null`, [id])
}

/** Of one inbox, in the transaction that removes it. */
export function deleteRowsOf({ write }: Transaction, inboxId: number): void {
  for (const table of tablesOfInbox) write(`delete from ${table} where inbox_id = $1`, [inboxId])
}
