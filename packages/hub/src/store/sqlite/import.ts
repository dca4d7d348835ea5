import { defaultInbox } from '@sluice/protocol/defaults'
import { HubError } from '@sluice/protocol/error'
import {
  eventTypeTables,
  holdsSomething,
  integrationTables,
  isOfInbox,
  lateKinds,
  movedColumns,
  refuseGap,
  refuseHeld,
  refuseKey,
  refuseSecond,
  scheduleTables,
} from '../moving.ts'
import type { AnyRow, Held, ImportChunk, ImportState, MovedKind, MovedRow } from '../moving.ts'
import { sourceTables } from '../sources.ts'
import { row, rows, type Database } from './database.ts'
import { deleteInbox } from './inboxes.ts'
import { createLog, eventTable } from './log.ts'
import { findWorkspace } from './workspaces.ts'
import { flush, forget, type Engine } from './writer-state.ts'

type Unfinished = ImportState & { readonly workspaceId: number }

export function findImport(db: Database, workspace: string): Unfinished | undefined {
  return row<Unfinished>(
    db.sql(`select workspace_id as workspaceId, file, chunks, digest from unfinished_import where workspace = ?`),
    workspace,
  )
}

function requireImport(engine: Engine, workspace: string): Unfinished {
  const found = findImport(engine.db, workspace)
  if (!found) throw new HubError('conflict', `no import into workspace "${workspace}" is under way`)
  return found
}

export function beginImport(engine: Engine, workspace: string, file: string): void {
  if (findImport(engine.db, workspace)) throw refuseSecond(workspace)
  requireEmpty(engine, workspace)
  // A number that no workspace has had or will have: those of removed rows are not given out again.
  const { lastInsertRowid } = engine.db.sql(`insert into workspace (key, tag, created_ms) values ('/', 0, 0)`).run()
  const id = Number(lastInsertRowid)
  engine.db.sql(`delete from workspace where id = ?`).run(id)
  createLog(engine.db, id)
  engine.db
    .sql(`insert into unfinished_import (workspace, workspace_id, file, chunks, digest) values (?, ?, ?, 0, '')`)
    .run(workspace, id, file)
}

function requireEmpty(engine: Engine, workspace: string): void {
  const found = findWorkspace(engine.db, workspace)
  if (!found) return
  flush(engine)
  const held = row<Held>(
    engine.db.sql(
      `select head, (select count(*) from inbox where workspace_id = workspace.id and key <> ?) as inboxes,
         (select count(*) from event_type where workspace_id = workspace.id) as types,
         (select count(*) from quarantine where workspace_id = workspace.id) as kept,
         (select count(*) from connection where workspace_id = workspace.id) as connections,
         (select count(*) from oauth_client where workspace_id = workspace.id) as clients,
         (select count(*) from polling_trigger where workspace_id = workspace.id) as triggers,
         (select count(*) from budget where workspace_id = workspace.id) as budgets,
         (select count(*) from scheduled_event where workspace_id = workspace.id)
           + (select count(*) from schedule where workspace_id = workspace.id) as scheduled,
         (select count(*) from source where workspace_id = workspace.id) as sources
       from workspace where id = ?`,
    ),
    defaultInbox,
    found.id,
  )
  if (held && holdsSomething(held)) throw refuseHeld(workspace, held)
}

export function importChunk(engine: Engine, workspace: string, { number, digest, rows: all }: ImportChunk): void {
  const { workspaceId, chunks } = requireImport(engine, workspace)
  if (number !== chunks + 1) throw refuseGap(number, chunks)
  for (const moved of all) {
    if (moved.kind === 'api_key') refuseKnown(engine.db, moved.row.key_id)
    if (lateKinds.has(moved.kind)) keepForLater(engine.db, workspaceId, moved)
    else insert(engine.db, workspaceId, moved)
  }
  engine.db
    .sql(`update unfinished_import set chunks = ?, digest = ? where workspace = ?`)
    .run(number, digest, workspace)
}

function refuseKnown(db: Database, keyId: string): void {
  if (row(db.sql(`select 1 from api_key where key_id = ?`), keyId)) throw refuseKey(keyId)
}

function keepForLater(db: Database, workspaceId: number, { kind, row: content }: MovedRow): void {
  db.sql(`insert into late_row (workspace_id, kind, content) values (?, ?, ?)`).run(
    workspaceId,
    kind,
    JSON.stringify(content),
  )
}

function insert(db: Database, workspaceId: number, { kind, row: content }: MovedRow): void {
  const values: AnyRow = content
  const names = Object.keys(movedColumns[kind]).filter((name) => name !== 'inbox')
  const ofInbox = isOfInbox(kind)
  const owner = ofInbox ? [workspaceId, values['inbox'] ?? null] : kind === 'event' ? [] : [workspaceId]
  db.sql(insertText(kind, names, workspaceId)).run(
    ...owner.map(toStored),
    ...names.map((name) => toStored(values[name] ?? null)),
  )
}

const toStored = (value: string | number | boolean | null): string | number | null =>
  typeof value === 'boolean' ? Number(value) : value

function insertText(kind: MovedKind, names: readonly string[], workspaceId: number): string {
  const columns = names.join(', ')
  const places = names.map(() => '?').join(', ')
  if (kind === 'event') return `insert into ${eventTable(workspaceId)} (${columns}) values (${places})`
  if (!isOfInbox(kind)) return `insert into ${kind} (workspace_id, ${columns}) values (?, ${places})`
  return `insert into ${kind} (inbox_id, ${columns})
    values ((select id from inbox where workspace_id = ? and key = ?), ${places})`
}

export function finishImport(engine: Engine, workspace: string): void {
  const { workspaceId } = requireImport(engine, workspace)
  requireEmpty(engine, workspace)
  replace(engine, workspace, workspaceId)
  const late = engine.db.sql(`select kind, content from late_row where workspace_id = ? order by id`)
  for (const { kind, content } of rows<{ kind: MovedKind; content: string }>(late, workspaceId)) {
    const moved = { kind, row: JSON.parse(content) } as MovedRow // as importChunk has written it
    if (moved.kind === 'log') putLog(engine.db, { workspace, workspaceId }, moved.row)
    else insert(engine.db, workspaceId, moved)
  }
  endImport(engine, workspaceId)
  // Other rows of the workspace that it replaces may be remembered.
  forget(engine)
}

type Place = { readonly workspace: string; readonly workspaceId: number }

function putLog(db: Database, { workspace, workspaceId }: Place, log: Extract<MovedRow, { kind: 'log' }>['row']): void {
  const names = Object.keys(movedColumns.log)
  const values: AnyRow = log
  db.sql(`insert into workspace (id, key, ${names.join(', ')}) values (?, ?, ${names.map(() => '?').join(', ')})`).run(
    workspaceId,
    workspace,
    ...names.map((name) => toStored(values[name] ?? null)),
  )
}

/** The empty workspace of that key goes; its keys and its audit stay. */
function replace(engine: Engine, workspace: string, workspaceId: number): void {
  const found = findWorkspace(engine.db, workspace)
  if (!found) return
  for (const table of ['api_key', 'audit'] as const) {
    engine.db.sql(`update ${table} set workspace_id = ? where workspace_id = ?`).run(workspaceId, found.id)
  }
  deleteInbox(engine, found.id, defaultInbox)
  for (const table of [
    'dedup',
    'event_type_setting',
    ...integrationTables,
    ...scheduleTables,
    ...sourceTables,
  ] as const) {
    engine.db.sql(`delete from ${table} where workspace_id = ?`).run(found.id)
  }
  engine.db.sql(`delete from workspace where id = ?`).run(found.id)
  engine.db.raw.exec(`drop table ${eventTable(found.id)}`)
}

function endImport({ db }: Engine, workspaceId: number): void {
  db.sql(`delete from late_row where workspace_id = ?`).run(workspaceId)
  db.sql(`delete from unfinished_import where workspace_id = ?`).run(workspaceId)
}

export function discardImport(engine: Engine, workspace: string): boolean {
  const found = findImport(engine.db, workspace)
  if (!found) return false
  const { workspaceId } = found
  const inboxes = rows<{ key: string }>(engine.db.sql(`select key from inbox where workspace_id = ?`), workspaceId)
  for (const { key } of inboxes) deleteInbox(engine, workspaceId, key)
  for (const table of [
    'dedup',
    'audit',
    ...eventTypeTables,
    ...integrationTables,
    ...scheduleTables,
    ...sourceTables,
  ] as const) {
    engine.db.sql(`delete from ${table} where workspace_id = ?`).run(workspaceId)
  }
  engine.db.raw.exec(`drop table ${eventTable(workspaceId)}`)
  endImport(engine, workspaceId)
  return true
}
