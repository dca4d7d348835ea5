import {
  hourMs,
  keptMs,
  minuteMs,
  type Activity,
  type ActivityEntry,
  type ActivityRow,
  type FailureCount,
} from '../activity.ts'
import { row, rows, type Database } from './database.ts'
import type { GroupCommit } from './group-commit.ts'
import type { Engine } from './writer-state.ts'
import { findWorkspaceById } from './workspaces.ts'

export function addActivity({ db, nowMs }: Engine, entries: readonly ActivityEntry[]): void {
  const add = db.sql(
    `insert into activity (workspace_id, step_ms, at_ms, published, acknowledged, failed, dead, waiting, leased, oldest_ms)
     values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
     on conflict (workspace_id, step_ms, at_ms) do update set published = published + ?4, acknowledged = acknowledged + ?5,
       failed = failed + ?6, dead = dead + ?7, waiting = max(coalesce(waiting, ?8), coalesce(?8, waiting)),
       leased = max(coalesce(leased, ?9), coalesce(?9, leased)), oldest_ms = max(coalesce(oldest_ms, ?10), coalesce(?10, oldest_ms))`,
  )
  for (const entry of entries) {
    const { workspaceId, atMs, published, acknowledged, failed, dead, waiting, leased, oldestMs } = entry
    if (!findWorkspaceById(db, workspaceId)) continue
    for (const stepMs of [minuteMs, hourMs]) {
      const at = Math.floor(atMs / stepMs) * stepMs
      add.run(workspaceId, stepMs, at, published, acknowledged, failed, dead, waiting, leased, oldestMs)
      db.sql(`delete from activity where workspace_id = ? and step_ms = ? and at_ms < ?`).run(
        workspaceId,
        stepMs,
        nowMs - (keptMs[stepMs] ?? 0),
      )
    }
  }
}

/** Reads on this thread: some hundred rows by their key. */
export function createActivity({ group, db }: { readonly group: GroupCommit; readonly db: Database }): Activity {
  return {
    add: async (entries) => {
      if (entries.length > 0) await group.write('addActivity', entries)
    },
    list: async (workspaceId, { stepMs, fromMs, toMs }) =>
      rows<ActivityRow>(
        db.sql(
          `select at_ms as atMs, published, acknowledged, failed, dead, waiting, leased, oldest_ms as oldestMs from activity
           where workspace_id = ? and step_ms = ? and at_ms >= ? and at_ms < ? order by at_ms`,
        ),
        workspaceId,
        stepMs,
        fromMs,
        toMs,
      ),
    listBusy: async (sinceMs, limit) =>
      rows<{ workspaceId: number }>(
        db.sql(
          `select workspace_id as workspaceId from activity where step_ms = ${hourMs} and at_ms >= ?
           and published + acknowledged + failed > 0 group by workspace_id order by sum(published + acknowledged) desc limit ?`,
        ),
        sinceMs,
        limit,
      ).map(({ workspaceId }) => workspaceId),
    countFailures: async (afterId) => {
      const lastId = row<{ id: number | null }>(db.sql(`select max(id) as id from attempt`))?.id ?? 0
      if (afterId === undefined) return { lastId, failures: [] }
      const failures = rows<FailureCount>(
        db.sql(
          `select workspace_id as workspaceId, count(*) as failed, sum(outcome = 'dead') as dead from attempt
           join inbox on inbox.id = attempt.inbox_id where attempt.id > ? and attempt.id <= ? group by workspace_id`,
        ),
        afterId,
        lastId,
      )
      return { lastId, failures }
    },
  }
}
