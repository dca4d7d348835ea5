import type { Advance, DueSchedule, NewSchedule, ScheduleRow, Schedules } from '../scheduled.ts'
import type { Store } from '../store.ts'
import { row, rows, type Database } from './database.ts'
import type { GroupCommit } from './group-commit.ts'
import { createScheduledEvents } from './scheduled.ts'
import { workspaceOf, type Engine } from './writer-state.ts'

const columns = `key, id, settings, status, next_ms as nextMs, last_ms as lastMs, last_error as lastError, created_ms as createdMs, updated_ms as updatedMs`

function findSchedule(db: Database, workspaceId: number, key: string): ScheduleRow | undefined {
  return row<ScheduleRow>(
    db.sql(`select ${columns} from schedule where workspace_id = ? and key = ?`),
    workspaceId,
    key,
  )
}

export function putSchedule(engine: Engine, workspaceId: number, schedule: NewSchedule): boolean {
  workspaceOf(engine, workspaceId)
  const { key, id, settings, nextMs } = schedule
  const isNew = findSchedule(engine.db, workspaceId, key) === undefined
  engine.db
    .sql(
      `insert into schedule (workspace_id, key, id, settings, status, next_ms, created_ms, updated_ms)
       values (?1, ?2, ?3, ?4, 'active', ?5, ?6, ?6)
       on conflict (workspace_id, key) do update set id = ?3, settings = ?4, next_ms = ?5, updated_ms = ?6`,
    )
    .run(workspaceId, key, id, settings, nextMs, engine.nowMs)
  return isNew
}

export function setScheduleStatus(
  { db, nowMs }: Engine,
  workspaceId: number,
  key: string,
  { status, nextMs }: Parameters<Schedules['setStatus']>[2],
): void {
  db.sql(`update schedule set status = ?, next_ms = ?, updated_ms = ? where workspace_id = ? and key = ?`).run(
    status,
    nextMs,
    nowMs,
    workspaceId,
    key,
  )
}

export function removeSchedule({ db }: Engine, workspaceId: number, key: string): boolean {
  return Number(db.sql(`delete from schedule where workspace_id = ? and key = ?`).run(workspaceId, key).changes) > 0
}

export function advanceSchedule(
  { db }: Engine,
  { workspaceId, key, id, nextMs: dueMs }: DueSchedule,
  { nextMs, error }: Advance,
): void {
  db.sql(
    `update schedule set next_ms = ?, last_ms = ?, last_error = ? where workspace_id = ? and key = ? and id = ? and next_ms = ?`,
  ).run(nextMs, dueMs, error, workspaceId, key, id, dueMs)
}

type Parts = { readonly group: GroupCommit; readonly db: Database; readonly nowMs: () => number }

/** What waits for its time. */
export function createTimetable(parts: Parts): Pick<Store, 'scheduled' | 'schedules'> {
  return { scheduled: createScheduledEvents(parts), schedules: createSchedules(parts) }
}

/** Reads on this thread, by key; writes in the writer's. */
function createSchedules({ group, db, nowMs }: Parts): Schedules {
  return {
    find: async (workspaceId, key) => findSchedule(db, workspaceId, key),
    list: async (workspaceId, { after, limit }) =>
      rows<ScheduleRow>(
        db.sql(`select ${columns} from schedule where workspace_id = ? and key > ? order by key limit ?`),
        workspaceId,
        after,
        limit,
      ),
    put: (workspaceId, schedule) => group.write('putSchedule', workspaceId, schedule),
    setStatus: async (workspaceId, key, change) => {
      await group.write('setScheduleStatus', workspaceId, key, change)
    },
    remove: (workspaceId, key) => group.write('removeSchedule', workspaceId, key),
    listDue: async (limit) => {
      const statement = db.sql(
        `select ${columns}, workspace_id as workspaceId from schedule where status = 'active' and next_ms <= ?
         order by next_ms limit ?`,
      )
      return rows<DueSchedule>(statement, nowMs(), limit)
    },
    advance: async (due, to) => {
      await group.write('advanceSchedule', due, to)
    },
  }
}
