import { toHeld, toHeldText } from '../inbox-rules/held.ts'
import type { HeldLease, LeaseRows } from '../inbox-rules/rows.ts'
import { row, rows, type Database } from './database.ts'

type Columns = { leaseId: string; untilMs: number; held: string }

const columns = `lease_id as leaseId, until_ms as untilMs, held`

const toLease = ({ held, ...lease }: Columns): HeldLease => ({ ...lease, held: toHeld(held) })

export function leaseRows(db: Database): LeaseRows {
  return {
    findLease: (inbox, leaseId) => {
      const statement = db.sql(`select ${columns} from lease where inbox_id = ? and lease_id = ?`)
      const found = row<Columns>(statement, inbox.id, leaseId)
      return found && toLease(found)
    },
    listLeases: (inbox) =>
      rows<Columns>(db.sql(`select ${columns} from lease where inbox_id = ?`), inbox.id).map(toLease),
    leasesAround: (inbox, positions) => {
      const statement = db.sql(`select ${columns} from lease where inbox_id = ? and first <= ? and last >= ?`)
      const found = positions.flatMap((position) => rows<Columns>(statement, inbox.id, position, position))
      return [...new Map(found.map((lease) => [lease.leaseId, lease])).values()].map(toLease)
    },
    dueLeases: (inbox, nowMs) =>
      rows<Columns>(db.sql(`select ${columns} from lease where inbox_id = ? and until_ms <= ?`), inbox.id, nowMs).map(
        toLease,
      ),
    nextExpiryMs: (inbox) =>
      row<{ at: number | null }>(db.sql(`select min(until_ms) as at from lease where inbox_id = ?`), inbox.id)?.at ??
      null,
    putLease: (inbox, { leaseId, untilMs, held }) => {
      const { text, first, last } = toHeldText(held)
      db.sql(
        `insert or replace into lease (inbox_id, lease_id, until_ms, first, last, held) values (?, ?, ?, ?, ?, ?)`,
      ).run(inbox.id, leaseId, untilMs, first, last, text)
    },
    removeLease: (inbox, leaseId) => {
      db.sql(`delete from lease where inbox_id = ? and lease_id = ?`).run(inbox.id, leaseId)
    },
    extendLease: (inbox, leaseId, untilMs) =>
      Number(
        db.sql(`update lease set until_ms = ? where inbox_id = ? and lease_id = ?`).run(untilMs, inbox.id, leaseId)
          .changes,
      ) > 0,
    isVoid: (inbox, leaseId) =>
      row(db.sql(`select 1 from void_lease where inbox_id = ? and lease_id = ?`), inbox.id, leaseId) !== undefined,
    forgetVoid: (inbox, leaseId) => {
      db.sql(`delete from void_lease where inbox_id = ? and lease_id = ?`).run(inbox.id, leaseId)
    },
    voidAll: (inbox, nowMs) => {
      db.sql(
        `insert or replace into void_lease (inbox_id, lease_id, at_ms)
         select inbox_id, lease_id, ? from lease where inbox_id = ?
         union select inbox_id, lease_id, ? from parked where inbox_id = ? and lease_id is not null`,
      ).run(nowMs, inbox.id, nowMs, inbox.id)
      for (const table of ['lease', 'lease_subject', 'parked'] as const) {
        db.sql(`delete from ${table} where inbox_id = ?`).run(inbox.id)
      }
    },
  }
}
