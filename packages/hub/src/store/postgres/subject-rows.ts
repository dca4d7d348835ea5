import { behindMs, type SubjectRows } from '../inbox-rules/rows.ts'
import type { Ahead } from './asked-ahead.ts'
import type { Transaction } from './transactions.ts'

/** For ordering by key: which subjects have an event out, or waiting. */
export function subjectRows({ query, write: send }: Transaction, ahead: Ahead): SubjectRows {
  const write: Transaction['write'] = (text, values) => {
    ahead.available = undefined
    send(text, values)
  }
  return {
    countWaiting: async (inbox) => {
      const [found] = await query<{ count: number }>(
        `select count(*) as count from parked where inbox_id = $1 and subject is not null`,
        [inbox.id],
      )
      return found?.count ?? 0
    },
    occupiedAmong: async (inbox, subjects) => {
      const found = await query<{ subject: string }>(
        `select asked.subject from unnest($2::text[]) as asked (subject)
         where exists (select 1 from lease_subject as held where held.inbox_id = $1 and held.subject = asked.subject)
           or exists (select 1 from parked where parked.inbox_id = $1 and parked.subject = asked.subject)
           or ($3::boolean and exists (select 1 from dead_letter as dead where dead.inbox_id = $1
             and dead.subject = asked.subject))`,
        [inbox.id, subjects, inbox.settings.on_dead === 'block'],
      )
      return new Set(found.map(({ subject }) => subject))
    },
    hold: (inbox, events) => {
      if (events.length === 0) return
      write(
        `insert into lease_subject (inbox_id, subject, position)
         select $1, made.* from unnest($2::text[], $3::bigint[]) as made`,
        [inbox.id, events.map(({ subject }) => subject), events.map(({ position }) => position)],
      )
    },
    free: async (inbox, positions) => {
      const found = await query<{ subject: string }>(
        `select subject from lease_subject where inbox_id = $1 and position = any($2::bigint[])`,
        [inbox.id, positions],
      )
      if (found.length > 0) {
        write(`delete from lease_subject where inbox_id = $1 and position = any($2::bigint[])`, [inbox.id, positions])
      }
      return found.map(({ subject }) => subject)
    },
    ...promotionRows(write),
  }
}

function promotionRows(write: Transaction['write']): Pick<SubjectRows, 'promote' | 'promoteAll'> {
  return {
    promote: (inbox, subjects) => {
      if (subjects.length === 0) return
      write(
        // The first of each subject by the index, whatever the planner thinks of how many there are.
        `update parked set available_ms = 0 from (
           select earliest.id from unnest($2::text[]) as asked (subject)
           cross join lateral (select id, available_ms from parked as waiting where waiting.inbox_id = $1
             and waiting.subject = asked.subject order by waiting.first limit 1) as earliest
           where earliest.available_ms = $3
             and not exists (select 1 from lease_subject as held where held.inbox_id = $1
               and held.subject = asked.subject offset 0)
             and not ($4::boolean and exists (select 1 from dead_letter as dead where dead.inbox_id = $1
               and dead.subject = asked.subject offset 0))) as first_of
         where parked.id = first_of.id`,
        [inbox.id, subjects, behindMs, inbox.settings.on_dead === 'block'],
      )
    },
    promoteAll: (inbox) =>
      write(
        `update parked set available_ms = 0 where inbox_id = $1 and available_ms = $2 and not exists
           (select 1 from parked as earlier where earlier.inbox_id = parked.inbox_id and earlier.subject = parked.subject
              and earlier.first < parked.first)`,
        [inbox.id, behindMs],
      ),
  }
}
