import type { InboxState, FailureRows } from '../inbox-rules/rows.ts'
import { deliveredKept } from '../doors.ts'
import type { AttemptRow, DeadLetterRow } from '../store.ts'
import type { Connection } from './connections.ts'
import type { Transaction } from './transactions.ts'

const attemptColumns = `id, position, accepted_ms as "acceptedMs", attempt, outcome, reason, at_ms as "atMs", lease_id as "leaseId", ms, result`

const deadLetterColumns = `position, accepted_ms as "acceptedMs", event_type as "eventType", attempts, reason, dead_ms as "deadMs", body`

export function failureRows(transaction: Transaction): FailureRows {
  const attempts = attemptRows(transaction)
  return { ...attempts, ...deadLetterRows(transaction, attempts.noteAttempts) }
}

type AttemptVerb = 'noteAttempts' | 'noteDelivered' | 'readAttempts' | 'forgetReasons'

function attemptRows({ query, write }: Transaction): Pick<FailureRows, AttemptVerb> {
  const noteAttempts = insertAttempts(write)
  return {
    noteAttempts,
    noteDelivered: (inbox, delivery, nowMs) => {
      noteAttempts(inbox, { ...delivery, outcome: 'delivered', reason: null }, nowMs)
      write(
        `delete from attempt where inbox_id = $1 and outcome = 'delivered' and id <= (select id from attempt
           where inbox_id = $1 and outcome = 'delivered' order by id desc limit 1 offset ${deliveredKept})`,
        [inbox.id],
      )
    },
    readAttempts: (inbox, position) =>
      query<AttemptRow>(`select ${attemptColumns} from attempt where inbox_id = $1 and position = $2 order by id`, [
        inbox.id,
        position,
      ]),
    forgetReasons: (inbox, positions) =>
      write(
        `update attempt set reason = null where inbox_id = $1 and position = any($2::bigint[]) and reason is not null`,
        [inbox.id, positions],
      ),
  }
}

function insertAttempts(write: Transaction['write']): FailureRows['noteAttempts'] {
  return (inbox, failure, nowMs) =>
    write(
      `insert into attempt (inbox_id, position, accepted_ms, attempt, outcome, reason, at_ms, lease_id, ms, result)
       select $1, asked.position, coalesce(event.accepted_ms, 0), $4, $5, $6, $7, $8, $9, $10
       from unnest($3::bigint[]) with ordinality as asked (position, place)
       left join event on event.workspace_id = $2 and event.position = asked.position order by asked.place`,
      [
        inbox.id,
        inbox.workspaceId,
        failure.positions,
        failure.attempt,
        failure.outcome,
        failure.reason,
        nowMs,
        failure.leaseId,
        failure.note?.ms ?? null,
        failure.note?.result ?? null,
      ],
    )
}

function deadLetterRows(
  { query, write }: Transaction,
  noteAttempts: FailureRows['noteAttempts'],
): Omit<FailureRows, AttemptVerb> {
  const deadAmong = async (inbox: InboxState, positions: readonly number[]): Promise<number[]> => {
    const found = await query<{ position: number }>(
      `select position from dead_letter where inbox_id = $1 and position = any($2::bigint[]) order by position`,
      [inbox.id, positions],
    )
    return found.map(({ position }) => position)
  }
  return {
    bury: (inbox, death, nowMs) => {
      noteAttempts(inbox, { ...death, outcome: 'dead' }, nowMs)
      write(
        `insert into dead_letter (inbox_id, position, accepted_ms, event_type, subject, attempts, reason, dead_ms, body)
         select $1, position, accepted_ms, event_type, subject, $4, $5, $6, body from event
         where workspace_id = $2 and position = any($3::bigint[]) and body is not null
         on conflict (inbox_id, position) do update set attempts = excluded.attempts, reason = excluded.reason,
           dead_ms = excluded.dead_ms, body = excluded.body`,
        [inbox.id, inbox.workspaceId, death.positions, death.attempt, death.reason, nowMs],
      )
    },
    findDeadLetter: async (inbox, position) =>
      (
        await query<DeadLetterRow>(
          `select ${deadLetterColumns} from dead_letter where inbox_id = $1 and position = $2`,
          [inbox.id, position],
        )
      )[0],
    deadAmong: async (inbox, positions) => new Set(await deadAmong(inbox, positions)),
    countDead: async (inbox) =>
      (await query<{ count: number }>(`select count(*) as count from dead_letter where inbox_id = $1`, [inbox.id]))[0]
        ?.count ?? 0,
    chooseDead: async (inbox, { positions, eventType, afterMs, beforeMs }) => {
      if (positions) return deadAmong(inbox, positions)
      const found = await query<{ position: number }>(
        `select position from dead_letter where inbox_id = $1 and ($2::text is null or event_type like $2)
         and dead_ms >= $3 and dead_ms < $4 order by position`,
        [
          inbox.id,
          eventType === undefined ? null : toLike(eventType),
          afterMs ?? 0,
          beforeMs ?? Number.MAX_SAFE_INTEGER,
        ],
      )
      return found.map(({ position }) => position)
    },
    removeDead: async (inbox, positions) => {
      const found = await query<{ subject: string | null }>(
        `select subject from dead_letter where inbox_id = $1 and position = any($2::bigint[])`,
        [inbox.id, positions],
      )
      if (found.length > 0) {
        write(`delete from dead_letter where inbox_id = $1 and position = any($2::bigint[])`, [inbox.id, positions])
      }
      return found.map(({ subject }) => subject)
    },
  }
}

/** A glob as a pattern of `like`. */
function toLike(glob: string): string {
  return glob.replaceAll(/[\\%_]/g, (character) => `\\${character}`).replaceAll('*', '%')
}

export function listDeadLetters(
  { query }: Connection,
  inboxId: number,
  page: { after: number; limit: number },
): Promise<DeadLetterRow[]> {
  return query<DeadLetterRow>(
    `select ${deadLetterColumns} from dead_letter where inbox_id = $1 and position > $2 order by position limit $3`,
    [inboxId, page.after, page.limit],
  )
}

export function listAttempts(
  { query }: Connection,
  inboxId: number,
  page: { before: number; limit: number },
): Promise<AttemptRow[]> {
  return query<AttemptRow>(
    `select ${attemptColumns} from attempt where inbox_id = $1 and id < $2 order by id desc limit $3`,
    [inboxId, page.before, page.limit],
  )
}
