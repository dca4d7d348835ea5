import { behindMs, type InboxState, type SubjectRows } from '../inbox-rules/rows.ts'
import { row, rows, type Database } from './database.ts'

/** For ordering by key: which subjects have an event out, or waiting. */
export function subjectRows(db: Database): SubjectRows {
  const isIn = (table: string, inbox: InboxState, subject: string): boolean =>
    row(db.sql(`select 1 from ${table} where inbox_id = ? and subject = ? limit 1`), inbox.id, subject) !== undefined
  /** The subject has an event out, or a dead letter that blocks it. */
  const isBusy = (inbox: InboxState, subject: string): boolean =>
    isIn('lease_subject', inbox, subject) || (inbox.settings.on_dead === 'block' && isIn('dead_letter', inbox, subject))
  return {
    countWaiting: (inbox) =>
      row<{ count: number }>(
        db.sql(`select count(*) as count from parked where inbox_id = ? and subject is not null`),
        inbox.id,
      )?.count ?? 0,
    occupiedAmong: (inbox, subjects) =>
      new Set(subjects.filter((subject) => isBusy(inbox, subject) || isIn('parked', inbox, subject))),
    hold: (inbox, events) => {
      const insert = db.sql(`insert into lease_subject (inbox_id, subject, position) values (?, ?, ?)`)
      for (const { subject, position } of events) insert.run(inbox.id, subject, position)
    },
    free: (inbox, positions) => {
      const remove = db.sql(`delete from lease_subject where inbox_id = ? and position = ? returning subject`)
      return positions.flatMap((position) =>
        rows<{ subject: string }>(remove, inbox.id, position).map(({ subject }) => subject),
      )
    },
    promote: (inbox, subjects) => {
      const update = db.sql(
        `update parked set available_ms = 0 where available_ms = ? and id =
           (select id from parked where inbox_id = ? and subject = ? order by first limit 1)`,
      )
      for (const subject of subjects) if (!isBusy(inbox, subject)) update.run(behindMs, inbox.id, subject)
    },
    promoteAll: (inbox) => {
      db.sql(
        `update parked set available_ms = 0 where inbox_id = ? and available_ms = ? and not exists
           (select 1 from parked as earlier where earlier.inbox_id = parked.inbox_id and earlier.subject = parked.subject
              and earlier.first < parked.first)`,
      ).run(inbox.id, behindMs)
    },
  }
}
