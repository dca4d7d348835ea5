import type { UnknownEventTypes } from '@sluice/protocol'
import type { EventTypeChange, EventTypeRow, EventTypeVersionRow } from '../event-types.ts'
import { row, rows, type Database } from './database.ts'
import { workspaceOf, type Engine } from './writer-state.ts'

const columns = `name, description, schema, category, entity, action, mode, version, revision, created_ms as createdMs,
  updated_ms as updatedMs`

export function findEventTypes(db: Database, workspaceId: number, names: readonly string[]): EventTypeRow[] {
  const statement = db.sql(`select ${columns} from event_type where workspace_id = ? and name = ?`)
  return names.flatMap((name) => row<EventTypeRow>(statement, workspaceId, name) ?? [])
}

type Page = { readonly after: string; readonly limit: number; readonly category?: string }

export function listEventTypes(db: Database, workspaceId: number, { after, limit, category }: Page): EventTypeRow[] {
  const statement = db.sql(
    `select ${columns} from event_type where workspace_id = ? and name > ? and (? is null or category = ?)
     order by name limit ?`,
  )
  return rows<EventTypeRow>(statement, workspaceId, after, category ?? null, category ?? null, limit)
}

export function listVersions(db: Database, workspaceId: number, name: string, limit: number): EventTypeVersionRow[] {
  const statement = db.sql(
    `select version, schema, created_ms as createdMs from event_type_version where workspace_id = ? and name = ?
     order by version desc limit ?`,
  )
  return rows<EventTypeVersionRow>(statement, workspaceId, name, limit)
}

/** See `EventTypes.save`. */
export function saveEventTypes(engine: Engine, workspaceId: number, changes: readonly EventTypeChange[]): boolean {
  workspaceOf(engine, workspaceId)
  const known = findEventTypes(
    engine.db,
    workspaceId,
    changes.map(({ name }) => name),
  )
  const before = new Map(known.map((found) => [found.name, found]))
  if (changes.some(({ name, expects }) => (before.get(name)?.revision ?? 0) !== expects)) return false
  const revision = countUp(engine, workspaceId)
  for (const change of changes) {
    put(engine, { workspaceId, revision }, change)
    if (change.version !== (before.get(change.name)?.version ?? 0)) keepVersion(engine, workspaceId, change)
  }
  return true
}

type Place = { readonly workspaceId: number; readonly revision: number }

function put(engine: Engine, { workspaceId, revision }: Place, change: EventTypeChange): void {
  const { name, description, schema, category, entity, action, mode, version } = change
  engine.db
    .sql(
      `insert into event_type (workspace_id, name, description, schema, category, entity, action, mode, version, revision,
         created_ms, updated_ms) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       on conflict (workspace_id, name) do update set description = excluded.description, schema = excluded.schema,
         category = excluded.category, entity = excluded.entity, action = excluded.action, mode = excluded.mode,
         version = excluded.version, revision = excluded.revision, updated_ms = excluded.updated_ms`,
    )
    .run(
      workspaceId,
      name,
      description,
      schema,
      category,
      entity,
      action,
      mode,
      version,
      revision,
      engine.nowMs,
      engine.nowMs,
    )
}

function keepVersion(engine: Engine, workspaceId: number, { name, version, schema }: EventTypeChange): void {
  engine.db
    .sql(`insert into event_type_version (workspace_id, name, version, schema, created_ms) values (?, ?, ?, ?, ?)`)
    .run(workspaceId, name, version, schema, engine.nowMs)
}

/** The next revision of the workspace's definitions. */
function countUp({ db }: Engine, workspaceId: number): number {
  const counted = row<{ revision: number }>(
    db.sql(
      `insert into event_type_setting (workspace_id, unknown, revision) values (?, 'allow', 1)
       on conflict (workspace_id) do update set revision = revision + 1 returning revision`,
    ),
    workspaceId,
  )
  return counted?.revision ?? 1
}

export function removeEventType(engine: Engine, workspaceId: number, name: string): boolean {
  const { changes } = engine.db.sql(`delete from event_type where workspace_id = ? and name = ?`).run(workspaceId, name)
  if (Number(changes) === 0) return false
  engine.db.sql(`delete from event_type_version where workspace_id = ? and name = ?`).run(workspaceId, name)
  countUp(engine, workspaceId)
  return true
}

export function setUnknownEventTypes(engine: Engine, workspaceId: number, unknown: UnknownEventTypes): void {
  workspaceOf(engine, workspaceId)
  countUp(engine, workspaceId)
  engine.db.sql(`update event_type_setting set unknown = ? where workspace_id = ?`).run(unknown, workspaceId)
}
