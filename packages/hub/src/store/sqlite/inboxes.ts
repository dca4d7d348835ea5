import type { InboxSettings, InboxStatus } from '@sluice/protocol'
import { inboxDefaults } from '@sluice/protocol/defaults'
import { HubError } from '@sluice/protocol/error'
import { mergeRuns, printRuns, runsBelow } from '../runs.ts'
import type { InboxRow } from '../store.ts'
import { row } from './database.ts'
import { inboxOf, readInbox, wake, workspaceOf, type Engine, type InboxState } from './writer-state.ts'
import { promoteAll } from './key-order.ts'
import { noteHistory } from './inbox-history.ts'
import { listLeases } from './lease-rows.ts'
import { listParkedUpTo, runsOf } from './parked.ts'

export function toInboxRow({ key, settings, status, revision, generation, createdMs, next }: InboxState): InboxRow {
  return { key, settings, status, revision, generation, createdMs, next }
}

type NewInbox = { readonly key: string; readonly settings: InboxSettings; readonly start: number }

export function createInbox(
  engine: Engine,
  workspaceId: number,
  { key, settings, start }: NewInbox,
): { inbox: InboxRow; created: boolean } {
  workspaceOf(engine, workspaceId)
  if (readInbox(engine.db, workspaceId, key))
    return { inbox: toInboxRow(inboxOf(engine, workspaceId, key)), created: false }
  engine.db
    .sql(
      `insert into inbox (workspace_id, key, settings, status, revision, generation, created_ms, next, used)
       values (?, ?, ?, 'active', 1, 1, ?, ?, 0)`,
    )
    .run(workspaceId, key, JSON.stringify(settings), engine.nowMs, start)
  const inbox = inboxOf(engine, workspaceId, key)
  noteHistory(engine, inbox, { kind: 'settings', from: start, to: start, settings })
  return { inbox: toInboxRow(inbox), created: true }
}

/** What each workspace begins with. */
export function createDefaultInbox(engine: Engine, workspaceId: number, key: string): void {
  createInbox(engine, workspaceId, { key, settings: { ...inboxDefaults, start: 'earliest' }, start: 1 })
}

type Change = { readonly settings?: InboxSettings; readonly status?: InboxStatus }

export function updateInbox(engine: Engine, workspaceId: number, key: string, { settings, status }: Change): InboxRow {
  const inbox = inboxOf(engine, workspaceId, key)
  if (settings) {
    if (settings.ordering !== inbox.settings.ordering && isOccupied(engine, inbox)) {
      throw new HubError(
        'conflict',
        `inbox "${key}" holds leased or parked events; its ordering can change once they are settled, or after a seek`,
      )
    }
    if (settings.on_dead !== inbox.settings.on_dead) promoteAll(engine, inbox)
    inbox.settings = settings
    inbox.revision += 1
    noteHistory(engine, inbox, { kind: 'settings', from: inbox.next, to: inbox.next, settings })
  }
  if (status) inbox.status = status
  engine.db
    .sql(`update inbox set settings = ?, revision = ?, status = ? where id = ?`)
    .run(JSON.stringify(inbox.settings), inbox.revision, inbox.status, inbox.id)
  inbox.changed = true
  wake(engine, inbox)
  return toInboxRow(inbox)
}

function isOccupied(engine: Engine, inbox: InboxState): boolean {
  const lease = row(engine.db.sql(`select 1 from lease where inbox_id = ? limit 1`), inbox.id)
  return (
    lease !== undefined || row(engine.db.sql(`select 1 from parked where inbox_id = ? limit 1`), inbox.id) !== undefined
  )
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

/** A new generation: what was leased or parked is void; what stood before the new place says so in `explain`. */
export function seekInbox(engine: Engine, workspaceId: number, key: string, position: number): InboxRow {
  const inbox = inboxOf(engine, workspaceId, key)
  const leases = listLeases(engine.db, inbox.id)
  const held = leases.flatMap((lease) => lease.held.flatMap((part) => part.runs))
  const parked = listParkedUpTo(engine.db, inbox.id, position - 1).flatMap(runsOf)
  engine.db
    .sql(
      `insert or replace into void_lease (inbox_id, lease_id, at_ms)
       select inbox_id, lease_id, ? from lease where inbox_id = ?
       union select inbox_id, lease_id, ? from parked where inbox_id = ? and lease_id is not null`,
    )
    .run(engine.nowMs, inbox.id, engine.nowMs, inbox.id)
  for (const table of ['lease', 'lease_subject', 'parked'] as const) {
    engine.db.sql(`delete from ${table} where inbox_id = ?`).run(inbox.id)
  }
  inbox.generation += 1
  const passed = printRuns(runsBelow(mergeRuns([...held, ...parked]), position))
  noteHistory(engine, inbox, { kind: 'seek', from: inbox.next, to: position, positions: passed })
  inbox.next = position
  inbox.changed = true
  engine.db.sql(`update inbox set generation = ? where id = ?`).run(inbox.generation, inbox.id)
  wake(engine, inbox)
  return toInboxRow(inbox)
}
