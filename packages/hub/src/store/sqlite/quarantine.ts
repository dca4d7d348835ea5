import type { Quarantine, QuarantineDraft, QuarantineOutcome, QuarantineRow, ReleaseDraft } from '../quarantine.ts'
import type { AppendOutcome, Draft } from '../store.ts'
import { appendEvents, findDuplicate } from './append.ts'
import { row, rows, type Database } from './database.ts'
import { workspaceOf, type Engine } from './writer-state.ts'

type Columns = Omit<QuarantineRow, 'dedup'> & { readonly dedup: string }

const columns = `id as place, quarantine_id as id, at_ms as atMs, event_type as eventType, source, subject, body, notes, dedup,
  version, faults`

const toRow = ({ dedup, ...rest }: Columns): QuarantineRow => ({ ...rest, dedup: JSON.parse(dedup) })

export function findRepetitions(
  db: Database,
  workspaceId: number,
  drafts: readonly Draft[],
  nowMs: number,
): (AppendOutcome | undefined)[] {
  return drafts.map((draft) => findDuplicate({ db, nowMs }, workspaceId, draft))
}

export function addQuarantined(
  engine: Engine,
  workspaceId: number,
  drafts: readonly QuarantineDraft[],
): QuarantineOutcome[] {
  workspaceOf(engine, workspaceId)
  return drafts.map((draft) => findKept(engine, workspaceId, draft) ?? keep(engine, workspaceId, draft))
}

/** What is kept under one of the draft's deduplication keys. */
export function findKept(
  { db }: Pick<Engine, 'db'>,
  workspaceId: number,
  { dedup }: Draft,
): QuarantineOutcome | undefined {
  for (const { key, fingerprint } of dedup) {
    const known = row<{ fingerprint: string; id: string; atMs: number }>(
      db.sql(
        `select quarantine_key.fingerprint, quarantine.quarantine_id as id, quarantine.at_ms as atMs from quarantine_key
         join quarantine using (workspace_id, quarantine_id) where workspace_id = ? and key = ?`,
      ),
      workspaceId,
      key,
    )
    if (!known) continue
    return known.fingerprint === fingerprint
      ? { status: 'repeated', id: known.id, atMs: known.atMs }
      : { status: 'mismatch' }
  }
  return undefined
}

function keep({ db, nowMs }: Engine, workspaceId: number, draft: QuarantineDraft): QuarantineOutcome {
  const { id, eventType, source, subject, body, notes, dedup, version, faults } = draft
  db.sql(
    `insert into quarantine (workspace_id, quarantine_id, at_ms, event_type, source, subject, body, notes, dedup, version, faults)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(workspaceId, id, nowMs, eventType, source, subject, body, notes, JSON.stringify(dedup), version, faults)
  const remember = db.sql(
    `insert or replace into quarantine_key (workspace_id, key, fingerprint, quarantine_id) values (?, ?, ?, ?)`,
  )
  for (const { key, fingerprint } of dedup) remember.run(workspaceId, key, fingerprint, id)
  return { status: 'added', id, atMs: nowMs }
}

type Page = Parameters<Quarantine['list']>[1]

export function listQuarantined(db: Database, workspaceId: number, { after, limit, eventType }: Page): QuarantineRow[] {
  const found =
    eventType === undefined
      ? rows<Columns>(
          db.sql(
            `select ${columns} from quarantine where workspace_id = ? and quarantine.id > ? order by quarantine.id limit ?`,
          ),
          workspaceId,
          after,
          limit,
        )
      : rows<Columns>(
          db.sql(
            `select ${columns} from quarantine where workspace_id = ? and event_type = ? and quarantine.id > ? order by quarantine.id limit ?`,
          ),
          workspaceId,
          eventType,
          after,
          limit,
        )
  return found.map(toRow)
}

export function findQuarantined(db: Database, workspaceId: number, ids: readonly string[]): QuarantineRow[] {
  const statement = db.sql(
    `select ${columns} from quarantine
     where workspace_id = ? and quarantine_id in (select value from json_each(?)) order by quarantine.id`,
  )
  return rows<Columns>(statement, workspaceId, JSON.stringify(ids)).map(toRow)
}

export function releaseQuarantined(
  engine: Engine,
  workspaceId: number,
  drafts: readonly ReleaseDraft[],
): (AppendOutcome | undefined)[] {
  const there = engine.db.sql(`select 1 as found from quarantine where workspace_id = ? and quarantine_id = ?`)
  return drafts.map((draft) => {
    if (!row(there, workspaceId, draft.id)) return undefined
    const [outcome] = appendEvents(engine, workspaceId, [draft])
    if (outcome?.status !== 'mismatch') removeQuarantined(engine, workspaceId, { ids: [draft.id] })
    return outcome
  })
}

export function removeQuarantined(
  { db }: Engine,
  workspaceId: number,
  choice: Parameters<Quarantine['remove']>[1],
): number {
  const chosen = 'ids' in choice ? `quarantine_id in (select value from json_each(?))` : `event_type = ?`
  const value = 'ids' in choice ? JSON.stringify(choice.ids) : choice.eventType
  db.sql(
    `delete from quarantine_key where workspace_id = ? and quarantine_id in
       (select quarantine_id from quarantine where workspace_id = ? and ${chosen})`,
  ).run(workspaceId, workspaceId, value)
  return Number(db.sql(`delete from quarantine where workspace_id = ? and ${chosen}`).run(workspaceId, value).changes)
}

export function countQuarantined(db: Database, workspaceId: number, eventType: string | undefined): number {
  const statement = db.sql(
    `select count(*) as count from quarantine where workspace_id = ? and (? is null or event_type = ?)`,
  )
  return row<{ count: number }>(statement, workspaceId, eventType ?? null, eventType ?? null)?.count ?? 0
}
