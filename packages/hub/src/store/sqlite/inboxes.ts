import { inboxDefaults } from '@sluice/protocol/defaults'
import { toInboxRow } from '../inbox-rules/change.ts'
import { printDoor } from '../doors.ts'
import { wake } from '../inbox-rules/rows.ts'
import type { InboxRow, NewInbox } from '../store.ts'
import { inboxOf, readInbox, workspaceOf, type Engine } from './writer-state.ts'

export function createInbox(
  engine: Engine,
  workspaceId: number,
  { key, settings, start, door = null }: NewInbox & { readonly key: string },
): { inbox: InboxRow; created: boolean } {
  workspaceOf(engine, workspaceId)
  if (readInbox(engine.db, workspaceId, key))
    return { inbox: toInboxRow(inboxOf(engine, workspaceId, key)), created: false }
  engine.db
    .sql(
      `insert into inbox (workspace_id, key, settings, status, revision, generation, created_ms, next, used, door)
       values (?, ?, ?, 'active', 1, 1, ?, ?, 0, ?)`,
    )
    .run(workspaceId, key, JSON.stringify(settings), engine.nowMs, start, printDoor(door))
  const inbox = inboxOf(engine, workspaceId, key)
  engine.rows.noteHistory(inbox, { kind: 'settings', from: start, to: start, settings }, engine.nowMs)
  if (door) wake(engine, inbox)
  return { inbox: toInboxRow(inbox), created: true }
}

/** What each workspace begins with. */
export function createDefaultInbox(engine: Engine, workspaceId: number, key: string): void {
  createInbox(engine, workspaceId, { key, settings: { ...inboxDefaults, start: 'earliest' }, start: 1 })
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

export function deleteInbox(engine: Engine, workspaceId: number, key: string): boolean {
  const inbox = readInbox(engine.db, workspaceId, key)
  if (!inbox) return false
  for (const table of tablesOfInbox) engine.db.sql(`delete from ${table} where inbox_id = ?`).run(inbox.id)
  engine.db.sql(`delete from inbox where id = ?`).run(inbox.id)
  engine.inboxes.delete(`${workspaceId}/${key}`)
  return true
}
