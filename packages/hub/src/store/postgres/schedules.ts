import { HubError } from '@sluice/protocol/error'
import type { DueSchedule, ScheduleRow, Schedules } from '../scheduled.ts'
import type { Store } from '../store.ts'
import { createScheduledEvents } from './scheduled.ts'
import type { Parts } from './store-parts.ts'

const columns = `key, id, settings, status, next_ms as "nextMs", last_ms as "lastMs", last_error as "lastError", created_ms as "createdMs",
  updated_ms as "updatedMs"`

/** What waits for its time. */
export function createTimetable(parts: Parts): Pick<Store, 'scheduled' | 'schedules'> {
  return { scheduled: createScheduledEvents(parts), schedules: createSchedules(parts) }
}

/** Each change is one statement, but for making one: that must not meet the removal of its workspace. */
function createSchedules({ connections, transactions, nowMs }: Parts): Schedules {
  const { query } = connections
  return {
    find: async (workspaceId, key) => {
      const [found] = await query<ScheduleRow>(`select ${columns} from schedule where workspace_id = $1 and key = $2`, [
        workspaceId,
        key,
      ])
      return found
    },
    list: (workspaceId, { after, limit }) =>
      query<ScheduleRow>(`select ${columns} from schedule where workspace_id = $1 and key > $2 order by key limit $3`, [
        workspaceId,
        after,
        limit,
      ]),
    put: (workspaceId, { key, id, settings, nextMs }) =>
      transactions.run(`scheduled/${workspaceId}`, async (transaction) => {
        const [before, logs] = await Promise.all([
          transaction.query(`select 1 as found from schedule where workspace_id = $1 and key = $2`, [workspaceId, key]),
          transaction.query(`select 1 as found from log where workspace_id = $1`, [workspaceId]),
        ])
        if (logs.length === 0) throw new HubError('not-found', 'the workspace does not exist')
        transaction.write(
          `insert into schedule (workspace_id, key, id, settings, status, next_ms, created_ms, updated_ms)
           values ($1, $2, $3, $4, 'active', $5, $6, $6)
           on conflict (workspace_id, key) do update set id = excluded.id, settings = excluded.settings,
             next_ms = excluded.next_ms, updated_ms = excluded.updated_ms`,
          [workspaceId, key, id, settings, nextMs, nowMs()],
        )
        return before.length === 0
      }),
    setStatus: async (workspaceId, key, { status, nextMs }) => {
      await query(
        `update schedule set status = $3, next_ms = $4, updated_ms = $5 where workspace_id = $1 and key = $2`,
        [workspaceId, key, status, nextMs, nowMs()],
      )
    },
    remove: async (workspaceId, key) => {
      const gone = await query(`delete from schedule where workspace_id = $1 and key = $2 returning key`, [
        workspaceId,
        key,
      ])
      return gone.length > 0
    },
    listDue: (limit) =>
      query<DueSchedule>(
        `select ${columns}, workspace_id as "workspaceId" from schedule where status = 'active' and next_ms <= $1
           and exists (select 1 from log where log.workspace_id = schedule.workspace_id)
         order by next_ms limit $2`,
        [nowMs(), limit],
      ),
    advance: async ({ workspaceId, key, id, nextMs: dueMs }, { nextMs, error }) => {
      await query(
        `update schedule set next_ms = $1, last_ms = $2, last_error = $6 where workspace_id = $3 and key = $4 and id = $5 and next_ms = $2`,
        [nextMs, dueMs, workspaceId, key, id, error],
      )
    },
  }
}
