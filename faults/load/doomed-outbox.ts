import { flushCompileCache } from 'node:module'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSluice } from '@sluice/client'
import { postgresOutbox, relay, sqliteOutbox, type Outbox } from '@sluice/client/node'
import { Pool } from 'pg'
import { outboxEventType, parseOutboxOrder, subjects } from './outbox-order.ts'
import { createRandom } from './random.ts'
import { createStep, watchPool, watchSqlite, watchTransport, type WatchedPool } from './steps.ts'

// An application that writes rows and their events, or a relay that sends these, until it is killed.
const order = parseOutboxOrder(process.argv[2] ?? '')
const random = createRandom(order.run)
const step = createStep(order.dieAt)
let written = 0

// Node writes it at the end of a process, which these do not have. It halves the time until the next one is ready.
flushCompileCache()

process.stdout.write(`${JSON.stringify({ ready: true })}\n`)
if (order.store === 'sqlite') await runOnSqlite()
else await runOnPostgres()

async function runOnSqlite(): Promise<void> {
  const handle = new DatabaseSync(order.database, { timeout: 10_000 })
  const database = watchSqlite(handle, step)
  const outbox = sqliteOutbox(database)
  if (order.role === 'relay') return runRelay(outbox)
  for (;;) {
    const { name, subject, end } = choose()
    database.exec('begin immediate')
    const bump = 'update subject_of_app set number = number + 1 where subject = ? returning number'
    const number = Number(database.prepare(bump).get(subject)?.['number'])
    database.prepare('insert into row_of_app (name, subject, number) values (?, ?, ?)').run(name, subject, number)
    outbox.add(database, [toEvent({ name, subject, number })])
    database.exec(end)
    await sleep(random.between(0, 10))
  }
}

async function runOnPostgres(): Promise<void> {
  const pool = new Pool({ connectionString: order.database })
  const watched = watchPool(pool, step)
  const outbox = postgresOutbox(watched)
  if (order.role === 'relay') return runRelay(outbox)
  await Promise.all([1, 2, 3].map(() => writeOnPostgres(watched, outbox)))
}

async function writeOnPostgres(pool: WatchedPool, outbox: ReturnType<typeof postgresOutbox>): Promise<void> {
  for (;;) {
    const { name, subject, end } = choose()
    const client = await pool.connect()
    await client.query('begin')
    const bump = 'update subject_of_app set number = number + 1 where subject = $1 returning number'
    const number = Number((await client.query(bump, [subject])).rows[0]?.['number'])
    await client.query('insert into row_of_app (name, subject, number) values ($1, $2, $3)', [name, subject, number])
    await outbox.add(client, [toEvent({ name, subject, number })])
    await client.query(end)
    client.release()
    await sleep(random.between(0, 10))
  }
}

async function runRelay(outbox: Outbox): Promise<void> {
  const { url: baseUrl, apiKey } = order.target
  const sluice = createSluice({ baseUrl, apiKey, transport: watchTransport(step) })
  await relay(outbox, sluice, { pollMs: 5, leaseSeconds: 2, batch: random.between(1, 30), random: random.next })
}

type Row = { readonly name: string; readonly subject: string; readonly number: number }

function choose(): Pick<Row, 'name' | 'subject'> & { readonly end: 'commit' | 'rollback' } {
  written += 1
  const subject = subjects[random.between(0, subjects.length - 1)] ?? ''
  return { name: `${order.run}-${written}`, subject, end: random.chance(0.15) ? 'rollback' : 'commit' }
}

function toEvent({ name, subject, number }: Row) {
  return { event_type: outboxEventType, subject, payload: { name, number } }
}
