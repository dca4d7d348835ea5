import { HubError } from '@sluice/protocol/error'
import type { InboxState, Session } from '../inbox-rules/rows.ts'
import { parseDoor } from '../doors.ts'
import { row, rows, type Database } from './database.ts'
import { createRows } from './rows.ts'

/**
 * What the verbs of the writer work on: its connection, the time of the group, and the rows that every group touches, kept
 * in memory because the writer alone changes them. `flush` writes them back before each commit; a rollback forgets them.
 */
export type Engine = Session & {
  readonly db: Database
  nowMs: number
  readonly workspaces: Map<number, WorkspaceState>
  readonly inboxes: Map<string, InboxState>
}

export type WorkspaceState = {
  readonly id: number
  head: number
  acceptedMs: number
  trimmedTo: number
  irregularTo: number
  changed: boolean
}

export function createEngine(db: Database): Engine {
  const engine: Engine = {
    db,
    rows: createRows(db, (workspaceId) => workspaceOf(engine, workspaceId)),
    nowMs: 0,
    workspaces: new Map(),
    inboxes: new Map(),
    wakes: new Set(),
    rowsScanned: 0,
  }
  return engine
}

export function forget(engine: Engine): void {
  engine.workspaces.clear()
  engine.inboxes.clear()
}

export function workspaceOf(engine: Engine, id: number): WorkspaceState {
  const known = engine.workspaces.get(id)
  if (known) return known
  const found = row<{ head: number; acceptedMs: number; trimmedTo: number; irregularTo: number }>(
    engine.db.sql(
      `select head, accepted_ms as acceptedMs, trimmed_to as trimmedTo, irregular_to as irregularTo from workspace where id = ?`,
    ),
    id,
  )
  if (!found) throw new HubError('not-found', 'the workspace does not exist')
  const state = { id, ...found, changed: false }
  engine.workspaces.set(id, state)
  return state
}

export type InboxColumns = Omit<InboxState, 'settings' | 'door' | 'used' | 'storedNext' | 'changed' | 'sweptMs'> & {
  settings: string
  door: string | null
  used: number
}

export const inboxColumns = `id, workspace_id as workspaceId, key, settings, status, revision, generation, created_ms as createdMs, next, door, used`

export function toInboxState(columns: InboxColumns): InboxState {
  return {
    ...columns,
    settings: JSON.parse(columns.settings),
    door: parseDoor(columns.door),
    used: columns.used === 1,
    storedNext: columns.next,
    changed: false,
    sweptMs: 0,
  }
}

/** The inbox as stored; the readers' view. */
export function readInbox(db: Database, workspaceId: number, key: string): InboxState | undefined {
  const found = row<InboxColumns>(
    db.sql(`select ${inboxColumns} from inbox where workspace_id = ? and key = ?`),
    workspaceId,
    key,
  )
  return found && toInboxState(found)
}

export function readInboxes(db: Database, workspaceId: number, after: string, limit: number): InboxState[] {
  const statement = db.sql(`select ${inboxColumns} from inbox where workspace_id = ? and key > ? order by key limit ?`)
  return rows<InboxColumns>(statement, workspaceId, after, limit).map(toInboxState)
}

export function requireInbox(found: InboxState | undefined, key: string): InboxState {
  if (!found) throw new HubError('not-found', `inbox "${key}" does not exist; PUT /v1/inboxes/${key} makes it`)
  return found
}

/** The inbox as the writer knows it. */
export function inboxOf(engine: Engine, workspaceId: number, key: string): InboxState {
  const name = `${workspaceId}/${key}`
  const known = engine.inboxes.get(name)
  if (known) return known
  const state = requireInbox(readInbox(engine.db, workspaceId, key), key)
  engine.inboxes.set(name, state)
  return state
}

/** Every inbox of a workspace, in the writer's view. */
export function inboxesOf(engine: Engine, workspaceId: number): InboxState[] {
  const keys = rows<{ key: string }>(engine.db.sql(`select key from inbox where workspace_id = ?`), workspaceId)
  return keys.map(({ key }) => inboxOf(engine, workspaceId, key))
}

/** Writes back what the group changed. */
export function flush(engine: Engine): void {
  for (const workspace of engine.workspaces.values()) {
    if (!workspace.changed) continue
    engine.db
      .sql(`update workspace set head = ?, accepted_ms = ?, trimmed_to = ?, irregular_to = ? where id = ?`)
      .run(workspace.head, workspace.acceptedMs, workspace.trimmedTo, workspace.irregularTo, workspace.id)
    workspace.changed = false
  }
  for (const inbox of engine.inboxes.values()) {
    if (!inbox.changed) continue
    engine.db.sql(`update inbox set next = ?, used = ? where id = ?`).run(inbox.next, inbox.used ? 1 : 0, inbox.id)
    inbox.storedNext = inbox.next
    inbox.changed = false
  }
}
