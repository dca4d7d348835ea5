import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { Pool } from 'pg'
import postgres from 'postgres'
import type { NewBatchEvent } from '@sluice/protocol'
import type { Transport, TransportRequest, TransportResponse } from '../../transport.ts'
import type { Outbox } from './outbox.ts'
import { postgresOutbox } from './postgres.ts'
import { sqliteOutbox } from './sqlite.ts'

/** An outbox in a database of one kind, and what an application does with it. */
export type Stage = {
  readonly outbox: Outbox
  /** events of one transaction, beside a row of the application; `end` decides about both */
  readonly write: (events: readonly NewBatchEvent[], end: 'commit' | 'rollback') => Promise<readonly string[]>
  /** rows of the application */
  readonly countRows: () => Promise<number>
  readonly exec: (sql: string) => Promise<unknown>
  readonly past: string
  readonly close: () => Promise<void>
}

type Kind = { readonly name: string; readonly skip: string | false; readonly open: () => Promise<Stage> }

/** @param database read only where it is not to be skipped */
export function toKinds(folder: string, database: { readonly url: string; readonly skip: string | false }): Kind[] {
  return [
    { name: 'node:sqlite', skip: false, open: () => openSqlite(folder) },
    { name: 'pg', skip: database.skip, open: () => openPool(database.url) },
    { name: 'postgres.js', skip: database.skip, open: () => openPostgresJs(database.url) },
  ]
}

/** Makes a `test` that is run on each of these; events of a case are told apart by their type. */
export function testOn(
  kinds: readonly Kind[],
): (title: string, run: (stage: Stage, eventType: string) => Promise<void>) => void {
  return (title, run) => {
    for (const { name, skip, open } of kinds) {
      void test(`${name}: ${title}`, { skip }, async () => {
        const stage = await open()
        try {
          await run(stage, `case.${stage.outbox.table}`)
        } finally {
          await stage.close()
        }
      })
    }
  }
}

let made = 0
export function newTable(): string {
  made += 1
  return `outbox_${made}`
}

export async function openSqlite(folder: string): Promise<Stage> {
  const table = newTable()
  const handle = new DatabaseSync(join(folder, `${table}.db`), { timeout: 5000 })
  handle.exec('pragma journal_mode = wal; create table app (n integer)')
  const outbox = sqliteOutbox(handle, { table, source: 'shop' })
  await outbox.install()
  return {
    outbox,
    write: async (events, end) => {
      handle.exec('begin immediate; insert into app (n) values (1)')
      try {
        const keys = outbox.add(handle, events)
        handle.exec(end)
        return keys
      } finally {
        if (handle.isTransaction) handle.exec('rollback')
      }
    },
    countRows: async () => Number(handle.prepare('select count(*) as rows from app').get()?.['rows']),
    exec: async (sql) => handle.exec(sql),
    past: '1',
    close: async () => handle.close(),
  }
}

export async function openPool(url: string): Promise<Stage> {
  const [table, app] = [newTable(), newTable()]
  const pool = new Pool({ connectionString: url })
  const outbox = postgresOutbox(pool, { table, source: 'shop' })
  await outbox.install()
  await pool.query(`create table ${app} (n integer)`)
  return {
    outbox,
    write: async (events, end) => {
      const client = await pool.connect()
      try {
        await client.query('begin')
        await client.query(`insert into ${app} (n) values (1)`)
        const keys = await outbox.add(client, events)
        await client.query(end)
        return keys
      } finally {
        if (client.getTransactionStatus() !== 'I') await client.query('rollback')
        client.release()
      }
    },
    countRows: async () => (await pool.query(`select n from ${app}`)).rows.length,
    exec: (sql) => pool.query(sql),
    past: "now() - interval '1 minute'",
    close: () => pool.end(),
  }
}

/** @param prepare false behind a pooler of transactions, where a prepared `commit` may not be there and ends as a rollback */
export async function openPostgresJs(url: string, prepare = true): Promise<Stage> {
  const [table, app] = [newTable(), newTable()]
  const sql = postgres(url, { max: 3, prepare, onnotice: () => undefined })
  const outbox = postgresOutbox(sql, { table: `public.${table}`, source: 'shop' })
  await outbox.install()
  await sql.unsafe(`create table ${app} (n integer)`)
  return {
    outbox,
    write: async (events, end) => {
      let keys: readonly string[] = []
      const giveUp = new Error('rolled back on purpose')
      await sql
        .begin(async (transaction) => {
          await transaction.unsafe(`insert into ${app} (n) values (1)`)
          keys = await outbox.add(transaction, events)
          if (end === 'rollback') throw giveUp
        })
        .catch((error: unknown) => {
          if (error !== giveUp) throw error
        })
      return keys
    },
    countRows: async () => (await sql.unsafe(`select n from ${app}`)).length,
    exec: (text) => sql.unsafe(text),
    past: "now() - interval '1 minute'",
    close: () => sql.end(),
  }
}

export function toEvents(eventType: string, count: number, more: Partial<NewBatchEvent> = {}): NewBatchEvent[] {
  return Array.from({ length: count }, (_, n) => ({ event_type: eventType, payload: { n }, ...more }))
}

/** A transport that may answer itself before the request leaves, and fail before the answer is seen. */
export function meddle(
  before: (request: TransportRequest) => Response | undefined,
  after: () => void = () => undefined,
): Transport {
  return async (request) => {
    const { url, headers, body = '' } = request
    const response = before(request) ?? (await fetch(url, { method: 'POST', headers, body }))
    after()
    return toResponse(response)
  }
}

function toResponse(response: Response): TransportResponse {
  return {
    status: response.status,
    header: (name) => response.headers.get(name),
    text: () => response.text(),
    stream: () => response.body,
  }
}
