import { randomInt } from 'node:crypto'
import { defaultInbox, defaultWorkspace } from '@sluice/protocol/defaults'
import { HubError } from '@sluice/protocol/error'
import { tagSpace } from '@sluice/protocol/event-id'
import type { Quotas } from '@sluice/protocol'
import type { WorkspaceRow } from '../store.ts'
import { toNewWorkspace, toRenewedTags, toWorkspaceRow, type WorkspaceColumns } from '../tags.ts'
import { eventTypeTables, integrationTables, scheduleTables } from '../moving.ts'
import { sourceTables } from '../sources.ts'
import { row, rows, type Database } from './database.ts'
import type { Engine } from './writer-state.ts'
import { createDefaultInbox, deleteInbox } from './inboxes.ts'
import { createLog, eventTable } from './log.ts'

const workspaceColumns = `id, key, tag, quotas, earlier_tags as earlierTags, created_ms as createdMs,
  coalesce((select unknown from event_type_setting where workspace_id = workspace.id), 'allow') as unknownEventTypes,
  coalesce((select revision from event_type_setting where workspace_id = workspace.id), 0) as eventTypesRevision`

export function findWorkspace(db: Database, key: string): WorkspaceRow | undefined {
  const found = row<WorkspaceColumns>(db.sql(`select ${workspaceColumns} from workspace where key = ?`), key)
  return found && toWorkspaceRow(found)
}

export function findWorkspaceById(db: Database, id: number): WorkspaceRow | undefined {
  const found = row<WorkspaceColumns>(db.sql(`select ${workspaceColumns} from workspace where id = ?`), id)
  return found && toWorkspaceRow(found)
}

export function listWorkspaces(db: Database, after: string, limit: number): WorkspaceRow[] {
  return rows<WorkspaceColumns>(
    db.sql(`select ${workspaceColumns} from workspace where key > ? order by key limit ?`),
    after,
    limit,
  ).map(toWorkspaceRow)
}

/** See `Moving`. */
export function renewTags({ db }: Engine): void {
  const found = rows<WorkspaceColumns & { head: number }>(
    db.sql(`select ${workspaceColumns}, head from workspace order by id`),
  )
  for (const { head, ...columns } of found) {
    const { tag, earlierTags } = toRenewedTags(toWorkspaceRow(columns), head)
    db.sql(`update workspace set tag = ?, earlier_tags = ? where id = ?`).run(
      tag,
      JSON.stringify(earlierTags),
      columns.id,
    )
  }
}

export function ensureWorkspace(engine: Engine, key: string): { workspace: WorkspaceRow; created: boolean } {
  const known = findWorkspace(engine.db, key)
  if (known) return { workspace: known, created: false }
  const tag = randomInt(tagSpace)
  const { lastInsertRowid } = engine.db
    .sql(`insert into workspace (key, tag, created_ms) values (?, ?, ?)`)
    .run(key, tag, engine.nowMs)
  const id = Number(lastInsertRowid)
  createLog(engine.db, id)
  createDefaultInbox(engine, id, defaultInbox)
  return { workspace: toNewWorkspace({ id, key, tag, createdMs: engine.nowMs }), created: true }
}

export function setQuotas({ db }: Engine, workspaceId: number, quotas: Quotas): void {
  db.sql(`update workspace set quotas = ? where id = ?`).run(JSON.stringify(quotas), workspaceId)
}

export function deleteWorkspace(engine: Engine, key: string): boolean {
  if (key === defaultWorkspace) throw new HubError('conflict', `the workspace "${defaultWorkspace}" cannot be removed`)
  const workspace = findWorkspace(engine.db, key)
  if (!workspace) return false
  const inboxes = rows<{ key: string }>(engine.db.sql(`select key from inbox where workspace_id = ?`), workspace.id)
  for (const inbox of inboxes) deleteInbox(engine, workspace.id, inbox.key)
  for (const table of [
    'dedup',
    'api_key',
    'audit',
    'activity',
    ...integrationTables,
    ...eventTypeTables,
    ...scheduleTables,
    ...sourceTables,
  ] as const) {
    engine.db.sql(`delete from ${table} where workspace_id = ?`).run(workspace.id)
  }
  engine.db.sql(`delete from workspace where id = ?`).run(workspace.id)
  engine.db.raw.exec(`drop table ${eventTable(workspace.id)}`)
  engine.workspaces.delete(workspace.id)
  return true
}
