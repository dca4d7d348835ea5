import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { postgresOutbox, sqliteOutbox, type Outbox } from '@sluice/client/node'
import { Pool } from 'pg'
import type { StoredEvent, StoredRow } from './compare-outbox.ts'
import { applicationTables, outboxEventType, subjects } from './outbox-order.ts'
import type { Place } from './place.ts'
import { requireAnswer, type Target } from './request.ts'

/** The database of an application, with an outbox in it, as the suite sees it from outside. */
export type ApplicationDatabase = {
  /** for the orders of processes */
  readonly address: string
  readonly outbox: Outbox
  readonly readRows: () => Promise<readonly StoredRow[]>
  /** Ends the claims of relays that died, as time would. */
  readonly expireClaims: () => Promise<void>
  readonly close: () => Promise<void>
}

export async function openApplicationDatabase(place: Place, folder: string): Promise<ApplicationDatabase> {
  return place.postgres === undefined
    ? openSqlite(join(folder, 'app.db'))
    : openPostgres(await place.postgres.createDatabase())
}

const fill = `insert into subject_of_app (subject, number) values ${subjects.map((name) => `('${name}', 0)`).join(', ')}`
const read = 'select name, subject, number from row_of_app'

export async function openSqlite(address: string): Promise<ApplicationDatabase> {
  const database = new DatabaseSync(address, { timeout: 10_000 })
  database.exec('pragma journal_mode = wal')
  for (const statement of [...applicationTables, fill]) database.exec(statement)
  const outbox = sqliteOutbox(database)
  await outbox.install()
  return {
    address,
    outbox,
    // The columns of its table.
    readRows: async () => database.prepare(read).all() as unknown as readonly StoredRow[],
    expireClaims: async () =>
      database.exec('update sluice_outbox set claimed_until = 0 where claimed_until is not null'),
    close: async () => database.close(),
  }
}

export async function openPostgres(address: string): Promise<ApplicationDatabase> {
  const pool = new Pool({ connectionString: address })
  for (const statement of [...applicationTables, fill]) await pool.query(statement)
  const outbox = postgresOutbox(pool)
  await outbox.install()
  const expire = "update sluice_outbox set claimed_until = '-infinity' where claimed_until is not null"
  return {
    address,
    outbox,
    readRows: async () => (await pool.query<StoredRow>(read)).rows,
    expireClaims: async () => void (await pool.query(expire)),
    close: () => pool.end(),
  }
}

type Page = {
  readonly events: readonly {
    readonly event_id: string
    readonly subject: string
    readonly payload: { readonly name: string; readonly number: number }
  }[]
  readonly pagination: { readonly next_cursor: string | null; readonly has_more: boolean }
}

/** The events of the application, oldest first. */
export async function readOutboxEvents(target: Target): Promise<StoredEvent[]> {
  const events: StoredEvent[] = []
  const path = `/v1/events?limit=200&event_type=${outboxEventType}`
  let cursor = ''
  for (;;) {
    const page: Page = await requireAnswer<Page>(target, { path: `${path}${cursor}` })
    for (const { event_id: id, subject, payload } of page.events) events.push({ id, subject, ...payload })
    const { next_cursor: next, has_more: hasMore } = page.pagination
    if (!hasMore || next === null) return events.toReversed()
    cursor = `&cursor=${encodeURIComponent(next)}`
  }
}
