import type { DatabaseSync } from 'node:sqlite'
import type { NewBatchEvent } from '@sluice/protocol'
import { noteTransaction } from '../../topics/open-transaction.ts'
import {
  scannedPerRow,
  toPlainId,
  toRefusedEvent,
  type ClaimOrder,
  type Outbox,
  type OutboxOptions,
  type OutboxRow,
  type OutboxStatus,
  type RefusedRow,
  type Settlement,
} from './outbox.ts'
import { toRows } from './rows.ts'
import { toSqliteSql } from './install-sql.ts'
import { defaultTable, parseTable, type TableNames } from './table.ts'

/** A handle of `node:sqlite`, or one that does the same. */
export type SqliteDatabase = Pick<DatabaseSync, 'prepare' | 'exec' | 'isTransaction'>

export type SqliteOutbox = Outbox & {
  /**
   * Writes events in the caller's transaction: they are sent if it commits, and gone if it is rolled back. Nothing is
   * awaited, so that nothing else gets between `begin` and `commit`.
   *
   * @param database in a transaction; any handle of the file that holds the outbox
   * @returns the idempotency keys under which the events are sent, in order
   * @throws EventValidationError for events that the hub would refuse; TypeError if no transaction is open; whatever SQLite throws
   * @example
   * database.exec('begin immediate')
   * database.prepare('insert into orders (id, total) values (?, ?)').run(7, 42)
   * outbox.add(database, [{ event_type: 'order.created', payload: { id: 7 }, subject: 'order-7' }])
   * database.exec('commit')
   */
  add(database: SqliteDatabase, events: readonly NewBatchEvent[]): readonly string[]
}

/**
 * An outbox in a table of a SQLite file.
 *
 * @param database for `install`, `status` and a relay, which waits while a transaction is open on it: give a relay a handle
 *   of its own. In the process of the application that needs no `timeout`: a busy file is waited for without holding up
 *   the program
 * @throws TypeError for a table that no table may be named
 * @example const outbox = sqliteOutbox(new DatabaseSync('app.db'), { source: 'shop' })
 */
export function sqliteOutbox(database: SqliteDatabase, options: OutboxOptions = {}): SqliteOutbox {
  const { table = defaultTable, source, newId = () => crypto.randomUUID() } = options
  const names = parseTable(table, { schemas: false })
  const installSql = toSqliteSql(names)
  const transact = async <Result>(work: () => Result): Promise<Result> => runInTransaction(database, work)
  return {
    table,
    add: (transaction, events) => {
      if (!transaction.isTransaction) throw new TypeError(noTransaction)
      const rows = toRows(events, { source, newId })
      const insert = transaction.prepare(
        `insert into ${names.table} (subject, event, created_ms) values (?, ?, ${nowMs})`,
      )
      for (const row of rows) insert.run(row.subject, row.text)
      noteTransaction(events, () => transaction.isTransaction)
      return rows.map(({ key }) => key)
    },
    install: () => transact(() => installSql.forEach((statement) => database.exec(statement))),
    status: async (wanted = {}) => readStatus(database, names, wanted.limit ?? 100),
    retry: (ids) => transact(() => retry(database, names, ids)),
    discard: (ids) => transact(() => discard(database, names, ids)),
    rows: {
      claim: async (order) => claim(database, names, order),
      settle: (settlement) => transact(() => settle(database, names, settlement)),
      countWaiting: async () => countWaiting(database, names),
      isPassing,
    },
  }
}

const noTransaction =
  'outbox.add needs the open transaction that the business rows are written in: call it between ' +
  "database.exec('begin immediate') and database.exec('commit')"

/** Of this machine, in whole ms since 1970. */
const nowMs = `cast(unixepoch('subsec') * 1000 as integer)`

/** All of it within one turn of the event loop. */
function runInTransaction<Result>(database: SqliteDatabase, work: () => Result): Result {
  // Never into the transaction of somebody else: what a relay deletes there could come back.
  if (database.isTransaction) throw Object.assign(new Error(inTransaction), { errcode: busy })
  database.exec('begin immediate')
  try {
    const result = work()
    database.exec('commit')
    return result
  } catch (error) {
    // Some errors have rolled back already.
    if (database.isTransaction) database.exec('rollback')
    throw error
  }
}

const inTransaction = 'a transaction is open on the handle of the outbox; give the relay a handle of its own'

async function claim(
  database: SqliteDatabase,
  { table }: TableNames,
  order: ClaimOrder,
): Promise<readonly OutboxRow[]> {
  // A transaction that writes would hold up the writers of the application, at each poll.
  const first = database.prepare(`select id from ${table} where id > 0 limit 1`).get()
  if (first === undefined) return []
  return runInTransaction(database, () => {
    const rows = database
      .prepare(
        `with oldest as (
  select id, subject, event, claimed_until from ${table} where id > 0 order by id limit ?1 * ${scannedPerRow}
)
select cast(id as text) as id, event as text from oldest as candidate
where (claimed_until is null or claimed_until <= ${nowMs})
  and not exists (select 1 from ${table} as held where held.subject = candidate.subject and held.claimed_until > ${nowMs})
order by candidate.id limit ?1`,
      )
      .all(order.limit)
    database
      .prepare(`update ${table} set claim = ?, claimed_until = ${nowMs} + ? where ${idsOf}`)
      .run(order.token, order.leaseSeconds * 1000, JSON.stringify(rows.map((row) => row['id'])))
    // Both columns are texts and not null.
    return rows as unknown as readonly OutboxRow[]
  })
}

const idsOf = 'id in (select cast(value as integer) from json_each(?))'

/** What was accepted is deleted whoever has claimed it since: it is in the hub, and sent again it would be a duplicate. */
function settle(database: SqliteDatabase, { table }: TableNames, settlement: Settlement): void {
  const { token, accepted, refused, again } = settlement
  database.prepare(`delete from ${table} where ${idsOf}`).run(JSON.stringify(accepted))
  const refuse = database.prepare(
    `update ${table} set id = -id, refused = ?, claim = null, claimed_until = null where id = ? and claim = ?`,
  )
  for (const { id, reason } of refused) refuse.run(reason, Number(id), token)
  database
    .prepare(`update ${table} set claim = null, claimed_until = null where ${idsOf} and claim = ?`)
    .run(JSON.stringify(again), token)
}

function countWaiting(database: SqliteDatabase, { table }: TableNames): number {
  return Number(database.prepare(`select count(*) as waiting from ${table} where id > 0`).get()?.['waiting'])
}

function readStatus(database: SqliteDatabase, { table }: TableNames, limit: number): OutboxStatus {
  const row = database
    .prepare(
      `select count(*) filter (where id > 0) as waiting,
  count(*) filter (where id > 0 and claimed_until > ${nowMs}) as claimed,
  count(*) filter (where id < 0) as refused,
  ${nowMs} - min(created_ms) filter (where id > 0) as oldest_ms
from ${table}`,
    )
    .get()
  const refused = database
    .prepare(`select id, event, refused from ${table} where id < 0 order by id limit ?`)
    .all(limit)
  const oldestMs = row?.['oldest_ms'] ?? null
  return {
    waiting: Number(row?.['waiting']),
    claimed: Number(row?.['claimed']),
    refused: Number(row?.['refused']),
    oldest_seconds: oldestMs === null ? null : Math.max(0, Number(oldestMs) / 1000),
    // A row of negative id has its reason.
    refused_events: (refused as unknown as readonly RefusedRow[]).map(toRefusedEvent),
  }
}

function retry(database: SqliteDatabase, { table }: TableNames, ids: readonly string[] | undefined): number {
  const negated = JSON.stringify(ids?.map((id) => `-${toPlainId(id)}`))
  const chosen = ids === undefined ? '' : ` and ${idsOf}`
  const update = database.prepare(`update ${table} set id = -id, refused = null where id < 0${chosen}`)
  return Number((ids === undefined ? update.run() : update.run(negated)).changes)
}

function discard(database: SqliteDatabase, { table }: TableNames, ids: readonly string[]): number {
  const negated = JSON.stringify(ids.map((id) => `-${toPlainId(id)}`))
  return Number(database.prepare(`delete from ${table} where id < 0 and ${idsOf}`).run(negated).changes)
}

const busy = 5
/** busy, locked, an I/O error, a full disk, a file that cannot be opened just now */
const passing: ReadonlySet<number> = new Set([busy, 6, 10, 13, 14])

function isPassing(error: unknown): boolean {
  // An extended code has the plain one in its low byte.
  return error instanceof Error && 'errcode' in error && passing.has(Number(error.errcode) & 0xff)
}
