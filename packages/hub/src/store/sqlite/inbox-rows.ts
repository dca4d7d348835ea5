import type { HistoryRow, InboxRows } from '../inbox-rules/rows.ts'
import { printDoor } from '../doors.ts'
import { row, rows, type Database } from './database.ts'

const historyColumns = `kind, revision, generation, from_position as "from", to_position as "to", settings, positions`

export function inboxRows(db: Database): InboxRows {
  return {
    putInbox: (inbox) => {
      db.sql(`update inbox set settings = ?, revision = ?, status = ?, generation = ?, door = ? where id = ?`).run(
        JSON.stringify(inbox.settings),
        inbox.revision,
        inbox.status,
        inbox.generation,
        printDoor(inbox.door),
        inbox.id,
      )
    },
    noteHistory: (inbox, { kind, from, to, settings, positions }, nowMs) => {
      db.sql(
        `insert into inbox_history (inbox_id, kind, at_ms, revision, generation, from_position, to_position, settings, positions)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ).run(
        inbox.id,
        kind,
        nowMs,
        inbox.revision,
        inbox.generation,
        from,
        to,
        settings ? JSON.stringify(settings) : null,
        positions ?? null,
      )
    },
    readHistory: (inbox) =>
      rows<HistoryRow>(db.sql(`select ${historyColumns} from inbox_history where inbox_id = ? order by id`), inbox.id),
    readLastHistory: (inbox) =>
      row<HistoryRow>(
        db.sql(`select ${historyColumns} from inbox_history where inbox_id = ? order by id desc limit 1`),
        inbox.id,
      ),
    extendLastHistory: (inbox, { to, positions }) => {
      db.sql(
        `update inbox_history set to_position = ?, positions = ? where id =
           (select id from inbox_history where inbox_id = ? order by id desc limit 1)`,
      ).run(to, positions ?? null, inbox.id)
    },
    readSettings: (inbox, revision) => {
      const found = row<{ settings: string }>(
        db.sql(`select settings from inbox_history where inbox_id = ? and kind = 'settings' and revision = ?`),
        inbox.id,
        revision,
      )
      return found && JSON.parse(found.settings)
    },
  }
}
