import {
  failuresKept,
  outcomesMs,
  type NewSource,
  type SourceChange,
  type SourceFailureRow,
  type SourceHistory,
  type SourceNotes,
  type SourceRow,
  type Sources,
} from '../sources.ts'
import { row, rows, type Database } from './database.ts'
import type { GroupCommit } from './group-commit.ts'
import { workspaceOf, type Engine } from './writer-state.ts'

const columns = 'key, id, settings, secrets, revision, created_ms as createdMs, updated_ms as updatedMs'

function findSource(db: Database, workspaceId: number, key: string): SourceRow | undefined {
  return row<SourceRow>(db.sql(`select ${columns} from source where workspace_id = ? and key = ?`), workspaceId, key)
}

export function createSource(engine: Engine, workspaceId: number, source: NewSource): boolean {
  workspaceOf(engine, workspaceId)
  const { key, id, settings, secrets } = source
  const { changes } = engine.db
    .sql(
      `insert into source (workspace_id, key, id, settings, secrets, revision, created_ms, updated_ms)
       values (?1, ?2, ?3, ?4, ?5, 1, ?6, ?6) on conflict (workspace_id, key) do nothing`,
    )
    .run(workspaceId, key, id, settings, secrets, engine.nowMs)
  return Number(changes) > 0
}

export function updateSource(engine: Engine, workspaceId: number, change: SourceChange): SourceRow | undefined {
  const { key, id, revision, settings, secrets } = change
  return row<SourceRow>(
    engine.db.sql(
      `update source set settings = ?, secrets = ?, revision = revision + 1, updated_ms = ?
       where workspace_id = ? and key = ? and id = ? and revision = ? returning ${columns}`,
    ),
    settings,
    secrets,
    engine.nowMs,
    workspaceId,
    key,
    id,
    revision,
  )
}

export function removeSource({ db }: Engine, workspaceId: number, key: string): boolean {
  const found = findSource(db, workspaceId, key)
  if (!found) return false
  db.sql(`delete from source where workspace_id = ? and key = ?`).run(workspaceId, key)
  for (const table of ['source_outcome', 'source_failure'])
    db.sql(`delete from ${table} where workspace_id = ? and source_id = ?`).run(workspaceId, found.id)
  return true
}

export function noteSources({ db, nowMs }: Engine, workspaceId: number, { counts, failures }: SourceNotes): void {
  const isThere = db.sql(`select 1 from source where workspace_id = ? and id = ?`)
  const known = new Set([...counts, ...failures].map(({ id }) => id).filter((id) => row(isThere, workspaceId, id)))
  const count = db.sql(
    `insert into source_outcome (workspace_id, source_id, hour_ms, outcome, count) values (?, ?, ?, ?, ?)
     on conflict (workspace_id, source_id, hour_ms, outcome) do update set count = count + excluded.count`,
  )
  for (const { id, hourMs, outcome, count: n } of counts)
    if (known.has(id)) count.run(workspaceId, id, hourMs, outcome, n)
  const fail = db.sql(
    `insert into source_failure (workspace_id, source_id, at_ms, outcome, cause, reason) values (?, ?, ?, ?, ?, ?)`,
  )
  for (const { id, atMs, outcome, cause, reason } of failures)
    if (known.has(id)) fail.run(workspaceId, id, atMs, outcome, cause, reason)
  const forget = db.sql(`delete from source_outcome where workspace_id = ? and source_id = ? and hour_ms < ?`)
  const trim = db.sql(
    `delete from source_failure where workspace_id = ?1 and source_id = ?2 and id not in (
       select id from source_failure where workspace_id = ?1 and source_id = ?2 order by id desc limit ?3)`,
  )
  for (const id of known) {
    forget.run(workspaceId, id, nowMs - outcomesMs)
    trim.run(workspaceId, id, failuresKept)
  }
}

type Parts = { readonly group: GroupCommit; readonly db: Database }

/** Reads on this thread, by key; writes in the writer's. */
export function createSources({ group, db }: Parts): Sources {
  return {
    find: async (workspaceId, key) => findSource(db, workspaceId, key),
    list: async (workspaceId, { after, limit }) =>
      rows<SourceRow>(
        db.sql(`select ${columns} from source where workspace_id = ? and key > ? order by key limit ?`),
        workspaceId,
        after,
        limit,
      ),
    create: (workspaceId, source) => group.write('createSource', workspaceId, source),
    update: (workspaceId, change) => group.write('updateSource', workspaceId, change),
    remove: (workspaceId, key) => group.write('removeSource', workspaceId, key),
    note: async (workspaceId, notes) => {
      await group.write('noteSources', workspaceId, notes)
    },
    readReport: async (workspaceId, id, sinceMs) => readReport(db, { workspaceId, id, sinceMs }),
  }
}

type Asked = { readonly workspaceId: number; readonly id: string; readonly sinceMs: number }

function readReport(db: Database, { workspaceId, id, sinceMs }: Asked): SourceHistory {
  const hours = rows<SourceHistory['hours'][number]>(
    db.sql(
      `select hour_ms as hourMs, outcome, count from source_outcome
       where workspace_id = ? and source_id = ? and hour_ms >= ? order by hour_ms desc, outcome`,
    ),
    workspaceId,
    id,
    sinceMs,
  )
  const failures = rows<SourceFailureRow>(
    db.sql(
      `select at_ms as atMs, outcome, cause, reason from source_failure
       where workspace_id = ? and source_id = ? order by id desc limit ?`,
    ),
    workspaceId,
    id,
    failuresKept,
  )
  return { hours, failures }
}
