import { hourMs, keptMs, minuteMs, type Activity, type ActivityRow, type FailureCount } from '../activity.ts'
import type { Parts } from './store-parts.ts'

export function createActivity({ connections, nowMs }: Pick<Parts, 'connections' | 'nowMs'>): Activity {
  const { query } = connections
  return {
    add: async (entries) => {
      for (const { workspaceId, atMs, published, acknowledged, failed, dead, waiting, leased, oldestMs } of entries) {
        for (const stepMs of [minuteMs, hourMs]) {
          const at = Math.floor(atMs / stepMs) * stepMs
          await query(
            `insert into activity as kept (workspace_id, step_ms, at_ms, published, acknowledged, failed, dead, waiting, leased, oldest_ms)
             select $1::int, $2::int, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::bigint, $8::bigint, $9::bigint, $10::bigint
             where exists (select 1 from log where workspace_id = $1::int)
             on conflict (workspace_id, step_ms, at_ms) do update set published = kept.published + excluded.published,
               acknowledged = kept.acknowledged + excluded.acknowledged, failed = kept.failed + excluded.failed,
               dead = kept.dead + excluded.dead, waiting = greatest(kept.waiting, excluded.waiting),
               leased = greatest(kept.leased, excluded.leased), oldest_ms = greatest(kept.oldest_ms, excluded.oldest_ms)`,
            [workspaceId, stepMs, at, published, acknowledged, failed, dead, waiting, leased, oldestMs],
          )
          await query(`delete from activity where workspace_id = $1 and step_ms = $2 and at_ms < $3`, [
            workspaceId,
            stepMs,
            nowMs() - (keptMs[stepMs] ?? 0),
          ])
        }
      }
    },
    list: (workspaceId, { stepMs, fromMs, toMs }) =>
      query<ActivityRow>(
        `select at_ms as "atMs", published, acknowledged, failed, dead, waiting, leased, oldest_ms as "oldestMs" from activity
         where workspace_id = $1 and step_ms = $2 and at_ms >= $3 and at_ms < $4 order by at_ms`,
        [workspaceId, stepMs, fromMs, toMs],
      ),
    listBusy: async (sinceMs, limit) => {
      const found = await query<{ workspaceId: number }>(
        `select workspace_id as "workspaceId" from activity where step_ms = ${hourMs} and at_ms >= $1
         and published + acknowledged + failed > 0 group by workspace_id order by sum(published + acknowledged) desc limit $2`,
        [sinceMs, limit],
      )
      return found.map(({ workspaceId }) => workspaceId)
    },
    countFailures: async (afterId) => {
      const [last] = await query<{ id: number | null }>(`select max(id) as id from attempt`)
      const lastId = last?.id ?? 0
      if (afterId === undefined) return { lastId, failures: [] }
      const failures = await query<FailureCount>(
        `select workspace_id as "workspaceId", count(*) as failed, count(*) filter (where outcome = 'dead') as dead from attempt
         join inbox on inbox.id = attempt.inbox_id where attempt.id > $1 and attempt.id <= $2 group by workspace_id`,
        [afterId, lastId],
      )
      return { lastId, failures }
    },
  }
}
