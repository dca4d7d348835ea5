import type { NewBatchEvent } from '@sluice/protocol'
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
import {
  isSeenOpen,
  toQuery,
  toTransact,
  type PostgresDatabase,
  type PostgresTransaction,
  type Query,
  type Transact,
} from './postgres-handles.ts'
import { noteTransaction } from '../../topics/open-transaction.ts'
import { toRows } from './rows.ts'
import { toPostgresSql } from './install-sql.ts'
import { defaultTable, parseTable, type TableNames } from './table.ts'

export type PostgresOutbox = Outbox & {
  /**
   * Writes events in the caller's transaction: they are sent if it commits, and gone if it is rolled back. Until its end,
   * other transactions that add events of the same subject wait: so the events of a subject are sent in the order in
   * which their transactions committed.
   *
   * @param transaction a client of pg after `begin`, or the sql in `sql.begin` of postgres.js; not a pool
   * @returns the idempotency keys under which the events are sent, in order
   * @throws EventValidationError for events that the hub would refuse; TypeError if no transaction is open; whatever the database throws
   * @example
   * await client.query('begin')
   * await client.query('insert into orders (id, total) values ($1, $2)', [7, 42])
   * await outbox.add(client, [{ event_type: 'order.created', payload: { id: 7 }, subject: 'order-7' }])
   * await client.query('commit')
   */
  add(transaction: PostgresTransaction, events: readonly NewBatchEvent[]): Promise<readonly string[]>
}

/**
 * An outbox in a table of a Postgres database.
 *
 * @param database for `install`, `status` and a relay: a `Pool` of pg or the `sql` of postgres.js, which come back after the
 *   server was away; or a `Client` of pg that nobody else uses
 * @throws TypeError for a table that no table may be named
 * @example const outbox = postgresOutbox(pool, { source: 'shop' })
 */
export function postgresOutbox(database: PostgresDatabase, options: OutboxOptions = {}): PostgresOutbox {
  const { table = defaultTable, source, newId = () => crypto.randomUUID() } = options
  const names = parseTable(table, { schemas: true })
  const transact = toTransact(database)
  const installSql = toPostgresSql(names)
  return {
    table,
    add: async (transaction, events) => {
      const query = toQuery(transaction)
      const rows = toRows(events, { source, newId })
      if (rows.length > 0) await query(toAddSql(names), [JSON.stringify(rows)])
      noteTransaction(events, () => isSeenOpen(transaction))
      return rows.map(({ key }) => key)
    },
    install: () => transact((query) => install(query, names, installSql)),
    status: (wanted = {}) => transact((query) => readStatus(query, names, wanted.limit ?? 100)),
    retry: (ids) => transact((query) => retry(query, names, ids)),
    discard: (ids) => transact((query) => discard(query, names, ids)),
    rows: {
      claim: (order) => transact((query) => claim(query, names, order)),
      settle: (settlement) => settle(transact, names, settlement),
      countWaiting: () => transact((query) => countWaiting(query, names)),
      isPassing,
    },
  }
}

/** `create … if not exists` of two sessions at once can still collide. */
async function install(query: Query, { table }: TableNames, statements: readonly string[]): Promise<void> {
  await query('select pg_advisory_xact_lock(hashtextextended($1::text, 0))::text', [table])
  for (const statement of statements) await query(statement)
}

/**
 * The locks come first and in one order, for all subjects of the call: a subject's next id is taken only after the
 * transaction that took the one before has ended. The seed is the table's own, so that two outboxes do not wait for each other.
 */
function toAddSql({ table }: TableNames): string {
  return `with given as (
  select item ->> 'subject' as subject, item ->> 'text' as event, place
  from json_array_elements($1::text::json) with ordinality as rows (item, place)
), hashes as (
  select distinct hashtextextended(subject, '${table}'::regclass::oid::bigint) as hash
  from given where subject is not null order by hash
), locks as materialized (
  select count(pg_advisory_xact_lock(hash)::text) as taken from hashes
)
insert into ${table} (subject, event)
select subject, event from given cross join locks where taken >= 0 order by place`
}

/**
 * Claims are made one after the other: two at once could each take a row of one subject. The lock is a statement before,
 * because a statement sees what had been committed when it began. Its seed is negative, and so that of no subject.
 */
async function claim(query: Query, { table }: TableNames, order: ClaimOrder): Promise<readonly OutboxRow[]> {
  await query(`select pg_advisory_xact_lock(hashtextextended('claim', -'${table}'::regclass::oid::bigint))::text`)
  const rows = await query(
    `with oldest as (
  select id, subject, claimed_until from ${table} where id > 0 order by id limit $1::text::int * ${scannedPerRow}
), picked as (
  select id from oldest as candidate
  where (claimed_until is null or claimed_until <= clock_timestamp())
    and not exists (
      select from ${table} as held
      where held.subject = candidate.subject and held.claimed_until > clock_timestamp()
    )
  order by id limit $1::text::int
), claimed as (
  update ${table} as row
  set claim = $2::text, claimed_until = clock_timestamp() + $3::text::float8 * interval '1 second'
  from picked where row.id = picked.id
  returning row.id, row.event
)
select id::text as id, event as text from claimed order by claimed.id`,
    [String(order.limit), order.token, String(order.leaseSeconds)],
  )
  // Both columns are `not null`.
  return rows as unknown as readonly OutboxRow[]
}

/** What was accepted is deleted whoever has claimed it since: it is in the hub, and sent again it would be a duplicate. */
async function settle(transact: Transact, { table }: TableNames, settlement: Settlement): Promise<void> {
  const { token, accepted, refused, again } = settlement
  await transact(async (query) => {
    if (accepted.length > 0) {
      await query(`delete from ${table} where id in (${idsOf('$1')})`, [JSON.stringify(accepted)])
    }
    if (refused.length > 0) {
      await query(
        `update ${table} as row set id = -row.id, refused = item.reason, claim = null, claimed_until = null
from json_to_recordset($1::text::json) as item (id bigint, reason text)
where row.id = item.id and row.claim = $2::text`,
        [JSON.stringify(refused), token],
      )
    }
    if (again.length > 0) {
      await query(
        `update ${table} set claim = null, claimed_until = null where id in (${idsOf('$1')}) and claim = $2::text`,
        [JSON.stringify(again), token],
      )
    }
  })
}

function idsOf(parameter: string): string {
  return `select value::bigint from json_array_elements_text(${parameter}::text::json)`
}

async function countWaiting(query: Query, { table }: TableNames): Promise<number> {
  const [row] = await query(`select count(*)::text as waiting from ${table} where id > 0`)
  return Number(row?.['waiting'])
}

async function readStatus(query: Query, { table }: TableNames, limit: number): Promise<OutboxStatus> {
  const [row] = await query(
    `select count(*) filter (where id > 0)::text as waiting,
  count(*) filter (where id > 0 and claimed_until > clock_timestamp())::text as claimed,
  count(*) filter (where id < 0)::text as refused,
  extract(epoch from clock_timestamp() - min(created_at) filter (where id > 0))::text as oldest
from ${table}`,
  )
  const refused = await query(
    `select id::text as id, event, refused from ${table} where id < 0 order by ${table}.id limit $1::text::int`,
    [String(limit)],
  )
  const oldest = row?.['oldest'] ?? null
  return {
    waiting: Number(row?.['waiting']),
    claimed: Number(row?.['claimed']),
    refused: Number(row?.['refused']),
    oldest_seconds: oldest === null ? null : Math.max(0, Math.round(Number(oldest) * 1000) / 1000),
    // A row of negative id has its reason.
    refused_events: (refused as unknown as readonly RefusedRow[]).map(toRefusedEvent),
  }
}

async function retry(query: Query, { table }: TableNames, ids: readonly string[] | undefined): Promise<number> {
  const chosen = ids === undefined ? '' : ` and -id in (${idsOf('$1')})`
  const rows = await query(
    `update ${table} set id = -id, refused = null where id < 0${chosen} returning id::text as id`,
    ids && [JSON.stringify(ids.map(toPlainId))],
  )
  return rows.length
}

async function discard(query: Query, { table }: TableNames, ids: readonly string[]): Promise<number> {
  const sql = `delete from ${table} where id < 0 and -id in (${idsOf('$1')}) returning id::text as id`
  return (await query(sql, [JSON.stringify(ids.map(toPlainId))])).length
}

/**
 * Syntax, types, names, rights and wrong passwords stay as they are until somebody does something; all else (connections,
 * restarts, full disks, deadlocks, a standby that is not promoted yet) may pass.
 */
function isPassing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return !/^(0A|22|23|28|3D|3F|42)[0-9A-Z]{3}$/.test(code)
}
