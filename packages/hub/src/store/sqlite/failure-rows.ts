import type { Failure, InboxState, FailureRows } from '../inbox-rules/rows.ts'
import { deliveredKept } from '../doors.ts'
import type { AttemptRow, DeadLetterChoice, DeadLetterRow } from '../store.ts'
import { row, rows, type Database } from './database.ts'
import { readEvent, readAcceptTimes } from './log.ts'
import { toRuns } from '../runs.ts'

const attemptColumns = `id, position, accepted_ms as acceptedMs, attempt, outcome, reason, at_ms as atMs, lease_id as leaseId, ms, result`

const deadLetterColumns = `position, accepted_ms as acceptedMs, event_type as eventType, attempts, reason, dead_ms as deadMs, body`

export function failureRows(db: Database): FailureRows {
  const findDeadLetter = (inbox: InboxState, position: number): DeadLetterRow | undefined =>
    row<DeadLetterRow>(
      db.sql(`select ${deadLetterColumns} from dead_letter where inbox_id = ? and position = ?`),
      inbox.id,
      position,
    )
  return {
    noteAttempts: (inbox, failure, nowMs) => noteAttempts(db, inbox, failure, nowMs),
    noteDelivered: (inbox, delivery, nowMs) => {
      noteAttempts(db, inbox, { ...delivery, outcome: 'delivered', reason: null }, nowMs)
      db.sql(
        `delete from attempt where inbox_id = ?1 and outcome = 'delivered' and id <= (select id from attempt
           where inbox_id = ?1 and outcome = 'delivered' order by id desc limit 1 offset ${deliveredKept})`,
      ).run(inbox.id)
    },
    bury: (inbox, death, nowMs) => {
      const { positions, attempt, reason } = death
      noteAttempts(db, inbox, { ...death, outcome: 'dead' }, nowMs)
      const insert = db.sql(
        `insert or replace into dead_letter (inbox_id, position, accepted_ms, event_type, subject, attempts, reason, dead_ms, body)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      for (const position of positions) {
        const event = readEvent(db, inbox.workspaceId, position)
        if (!event || event.body === null) continue
        const { acceptedMs, eventType, subject, body } = event
        insert.run(inbox.id, position, acceptedMs, eventType, subject, attempt, reason, nowMs, body)
      }
    },
    readAttempts: (inbox, position) =>
      rows<AttemptRow>(
        db.sql(`select ${attemptColumns} from attempt where inbox_id = ? and position = ? order by id`),
        inbox.id,
        position,
      ),
    findDeadLetter,
    deadAmong: (inbox, positions) => new Set(positions.filter((position) => findDeadLetter(inbox, position))),
    countDead: (inbox) =>
      row<{ count: number }>(db.sql(`select count(*) as count from dead_letter where inbox_id = ?`), inbox.id)?.count ??
      0,
    chooseDead: (inbox, { positions, ...choice }) =>
      positions
        ? [...new Set(positions)].filter((position) => findDeadLetter(inbox, position))
        : chooseDead(db, inbox, choice),
    removeDead: (inbox, positions) => {
      const remove = db.sql(`delete from dead_letter where inbox_id = ? and position = ? returning subject`)
      return positions.flatMap((position) =>
        rows<{ subject: string | null }>(remove, inbox.id, position).map(({ subject }) => subject),
      )
    },
    forgetReasons: (inbox, positions) => {
      const forget = db.sql(`update attempt set reason = null where inbox_id = ? and position = ?`)
      for (const position of positions) forget.run(inbox.id, position)
    },
  }
}

function noteAttempts(
  db: Database,
  inbox: InboxState,
  { positions, attempt, outcome, reason, leaseId, note }: Failure,
  nowMs: number,
): void {
  const accepted = readAcceptTimes(db, inbox.workspaceId, toRuns(positions))
  const insert = db.sql(
    `insert into attempt (inbox_id, position, accepted_ms, attempt, outcome, reason, at_ms, lease_id, ms, result)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  for (const position of positions) {
    const acceptedMs = accepted.get(position) ?? 0
    const { ms = null, result = null } = note ?? {}
    insert.run(inbox.id, position, acceptedMs, attempt, outcome, reason, nowMs, leaseId, ms, result)
  }
}

function chooseDead(
  db: Database,
  inbox: InboxState,
  { eventType, afterMs, beforeMs }: Omit<DeadLetterChoice, 'positions'>,
): number[] {
  const statement = db.sql(
    `select position from dead_letter where inbox_id = ? and (? is null or event_type glob ?) and dead_ms >= ? and dead_ms < ? order by position`,
  )
  const glob = eventType === undefined ? null : eventType.replace(/[[?]/g, (character) => `[${character}]`)
  const [from, to] = [afterMs ?? 0, beforeMs ?? Number.MAX_SAFE_INTEGER]
  return rows<{ position: number }>(statement, inbox.id, glob, glob, from, to).map(({ position }) => position)
}

export function listDeadLetters(
  db: Database,
  inboxId: number,
  page: { after: number; limit: number },
): DeadLetterRow[] {
  const statement = db.sql(
    `select ${deadLetterColumns} from dead_letter where inbox_id = ? and position > ? order by position limit ?`,
  )
  return rows<DeadLetterRow>(statement, inboxId, page.after, page.limit)
}

export function listAttempts(db: Database, inboxId: number, page: { before: number; limit: number }): AttemptRow[] {
  const statement = db.sql(
    `select ${attemptColumns} from attempt where inbox_id = ? and id < ? order by id desc limit ?`,
  )
  return rows<AttemptRow>(statement, inboxId, page.before, page.limit)
}
