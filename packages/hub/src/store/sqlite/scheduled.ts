import type { DueEvent, ScheduledDraft, ScheduledEvents, ScheduledOutcome, ScheduledRow } from '../scheduled.ts'
import type { Draft } from '../store.ts'
import { row, rows, type Database } from './database.ts'
import type { GroupCommit } from './group-commit.ts'
import { workspaceOf, type Engine } from './writer-state.ts'

type Columns<Row> = Omit<Row, 'dedup'> & { readonly dedup: string }

const columns = `id as place, scheduled_id as id, due_ms as dueMs, at_ms as atMs, event_type as eventType, source, subject, body,
  notes, dedup`

const toRow = <Row extends ScheduledRow>({ dedup, ...rest }: Columns<Row>): Row =>
  ({ ...rest, dedup: JSON.parse(dedup) }) as unknown as Row // the columns above

export function addScheduled(
  engine: Engine,
  workspaceId: number,
  drafts: readonly ScheduledDraft[],
): ScheduledOutcome[] {
  workspaceOf(engine, workspaceId)
  return drafts.map((draft) => findKept(engine.db, workspaceId, draft) ?? keep(engine, workspaceId, draft))
}

/** What waits under one of the draft's deduplication keys. */
function findKept(db: Database, workspaceId: number, { dedup }: Draft): ScheduledOutcome | undefined {
  for (const { key, fingerprint } of dedup) {
    const known = row<{ fingerprint: string; id: string; atMs: number; dueMs: number }>(
      db.sql(
        `select scheduled_key.fingerprint, scheduled_event.scheduled_id as id, at_ms as atMs, due_ms as dueMs from scheduled_key
         join scheduled_event using (workspace_id, scheduled_id) where workspace_id = ? and key = ?`,
      ),
      workspaceId,
      key,
    )
    if (!known) continue
    const { id, atMs, dueMs } = known
    return known.fingerprint === fingerprint ? { status: 'repeated', id, atMs, dueMs } : { status: 'mismatch' }
  }
  return undefined
}

function keep({ db, nowMs }: Engine, workspaceId: number, draft: ScheduledDraft): ScheduledOutcome {
  const { id, dueMs, eventType, source, subject, body, notes, dedup } = draft
  db.sql(
    `insert into scheduled_event (workspace_id, scheduled_id, due_ms, at_ms, event_type, source, subject, body, notes, dedup)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(workspaceId, id, dueMs, nowMs, eventType, source, subject, body, notes, JSON.stringify(dedup))
  const remember = db.sql(
    `insert or replace into scheduled_key (workspace_id, key, fingerprint, scheduled_id) values (?, ?, ?, ?)`,
  )
  for (const { key, fingerprint } of dedup) remember.run(workspaceId, key, fingerprint, id)
  return { status: 'added', id, atMs: nowMs, dueMs }
}

function listScheduled(
  db: Database,
  workspaceId: number,
  { after, limit }: Parameters<ScheduledEvents['list']>[1],
): ScheduledRow[] {
  const statement = db.sql(
    `select ${columns} from scheduled_event where workspace_id = ? and (due_ms, scheduled_event.id) > (?, ?)
     order by due_ms, scheduled_event.id limit ?`,
  )
  return rows<Columns<ScheduledRow>>(statement, workspaceId, after.dueMs, after.place, limit).map(toRow)
}

function findScheduled(db: Database, workspaceId: number, id: string): ScheduledRow | undefined {
  const statement = db.sql(`select ${columns} from scheduled_event where workspace_id = ? and scheduled_id = ?`)
  const found = row<Columns<ScheduledRow>>(statement, workspaceId, id)
  return found && toRow(found)
}

export function claimDueScheduled({ db, nowMs }: Engine, limit: number, forMs: number): DueEvent[] {
  const statement = db.sql(
    `update scheduled_event set claimed_until_ms = ?1 where id in (
       select id from scheduled_event where due_ms <= ?2 and claimed_until_ms <= ?2 order by due_ms, id limit ?3)
     returning ${columns}, workspace_id as workspaceId`,
  )
  const claimed = rows<Columns<DueEvent>>(statement, nowMs + forMs, nowMs, limit).map(toRow)
  return claimed.toSorted((left, right) => left.dueMs - right.dueMs || left.place - right.place)
}

export function removeScheduled({ db }: Engine, workspaceId: number, ids: readonly string[]): number {
  const list = JSON.stringify(ids)
  const [keys, events] = ['scheduled_key', 'scheduled_event'].map((table) =>
    db.sql(`delete from ${table} where workspace_id = ? and scheduled_id in (select value from json_each(?))`),
  )
  keys?.run(workspaceId, list)
  return Number(events?.run(workspaceId, list).changes)
}

export function cancelScheduled(
  engine: Engine,
  workspaceId: number,
  id: string,
): Awaited<ReturnType<ScheduledEvents['cancel']>> {
  const found = row<{ untilMs: number }>(
    engine.db.sql(
      `select claimed_until_ms as untilMs from scheduled_event where workspace_id = ? and scheduled_id = ?`,
    ),
    workspaceId,
    id,
  )
  if (!found) return 'unknown'
  if (found.untilMs > engine.nowMs) return 'claimed'
  removeScheduled(engine, workspaceId, [id])
  return 'cancelled'
}

type Parts = { readonly group: GroupCommit; readonly db: Database; readonly nowMs: () => number }

/** Reads on this thread, by key; writes in the writer's. */
export function createScheduledEvents({ group, db, nowMs }: Parts): ScheduledEvents {
  return {
    findKept: async (workspaceId, drafts) => drafts.map((draft) => findKept(db, workspaceId, draft)),
    add: (workspaceId, drafts) => group.write('addScheduled', workspaceId, drafts),
    list: async (workspaceId, page) => listScheduled(db, workspaceId, page),
    find: async (workspaceId, id) => findScheduled(db, workspaceId, id),
    claimDue: async (limit, forMs) => {
      // Nothing is written while nothing is due: this is asked every second.
      const due = db.sql(`select 1 as due from scheduled_event where due_ms <= ? limit 1`)
      return row(due, nowMs()) === undefined ? [] : group.write('claimDueScheduled', limit, forMs)
    },
    count: async (workspaceId, most) => {
      const statement = db.sql(
        `select count(*) as count from (select 1 from scheduled_event where workspace_id = ? limit ?)`,
      )
      return row<{ count: number }>(statement, workspaceId, most)?.count ?? 0
    },
    remove: (workspaceId, ids) => group.write('removeScheduled', workspaceId, ids),
    cancel: (workspaceId, id) => group.write('cancelScheduled', workspaceId, id),
  }
}
