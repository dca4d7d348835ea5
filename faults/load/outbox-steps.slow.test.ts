import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { createSluice } from '@sluice/client'
import { postgresOutbox, relay, sqliteOutbox, type Outbox } from '@sluice/client/node'
import { startHub } from '@sluice/hub'
import { Pool } from 'pg'
import { usePostgres } from '../../scripts/use-postgres.ts'
import { compareOutbox } from './compare-outbox.ts'
import { openPostgres, openSqlite, readOutboxEvents, type ApplicationDatabase } from './outbox-database.ts'
import { outboxEventType, subjects } from './outbox-order.ts'
import { watchPool, watchSqlite, watchTransport, type Step } from './steps.ts'

// An application and a relay are cut off before, within and after each of their statements and requests, one after the other.

const postgres = await usePostgres()
const folder = mkdtempSync(join(tmpdir(), 'sluice-steps-'))
after(() => rmSync(folder, { recursive: true }))

class CutOff extends Error {
  // To a relay on Postgres an error that does not pass.
  readonly code = '42000'
}

/** Lets `steps` steps happen, and from then on nothing any more: what was cut off does not even roll back. */
function createCut(steps: number): { readonly step: Step; readonly isCut: () => boolean } {
  let count = 0
  return {
    step: () => {
      count += 1
      if (count > steps) throw new CutOff('cut off')
    },
    isCut: () => count > steps,
  }
}

type Kind = {
  readonly open: () => Promise<ApplicationDatabase>
  /** one row and its event in one transaction */
  readonly write: (address: string, step: Step, name: string) => Promise<void>
  readonly withOutbox: (address: string, step: Step, work: (outbox: Outbox) => Promise<unknown>) => Promise<void>
}

const subject = subjects[0] ?? ''
const bump = 'update subject_of_app set number = number + 1 where subject ='
const toEvent = (name: string, number: number) => ({ event_type: outboxEventType, subject, payload: { name, number } })

const onSqlite: Kind = {
  open: () => openSqlite(join(folder, 'app.db')),
  write: async (address, step, name) => {
    const handle = new DatabaseSync(address)
    try {
      const database = watchSqlite(handle, step)
      database.exec('begin immediate')
      const number = Number(database.prepare(`${bump} ? returning number`).get(subject)?.['number'])
      database.prepare('insert into row_of_app (name, subject, number) values (?, ?, ?)').run(name, subject, number)
      sqliteOutbox(database).add(database, [toEvent(name, number)])
      database.exec('commit')
    } finally {
      handle.close()
    }
  },
  withOutbox: async (address, step, work) => {
    const handle = new DatabaseSync(address)
    await work(sqliteOutbox(watchSqlite(handle, step))).finally(() => handle.close())
  },
}

const onPostgres: Kind = {
  open: () => openPostgres(postgres.url),
  write: async (address, step, name) => {
    const pool = new Pool({ connectionString: address })
    const client = await watchPool(pool, step).connect()
    try {
      await client.query('begin')
      const { rows } = await client.query(`${bump} $1 returning number`, [subject])
      const number = Number(rows[0]?.['number'])
      await client.query('insert into row_of_app (name, subject, number) values ($1, $2, $3)', [name, subject, number])
      await postgresOutbox(pool).add(client, [toEvent(name, number)])
      await client.query('commit')
    } finally {
      // Closes the connection, whatever is under way on it.
      client.release(true)
      await pool.end()
    }
  },
  withOutbox: async (address, step, work) => {
    const pool = new Pool({ connectionString: address })
    await work(postgresOutbox(watchPool(pool, step))).finally(() => pool.end())
  },
}

const ignoreCut = (error: unknown): void => assert.ok(error instanceof CutOff, String(error))

for (const [name, kind, skip] of [
  ['sqlite', onSqlite, false],
  ['postgres', onPostgres, postgres.skip],
] as const) {
  test(
    `${name}: cut off at each step, application and relay leave one event for each row and none without`,
    { skip },
    async (context) => {
      const data = join(folder, name)
      const hub = await startHub({
        data,
        host: '127.0.0.1',
        port: 0,
        secretKeys: [new Uint8Array(32)],
        logLevel: 'silent',
        trustProxy: [],
        corsOrigins: [],
      })
      context.after(() => hub.close())
      const connection = { baseUrl: hub.url, apiKey: hub.apiKey ?? '' }
      const database = await kind.open()
      context.after(() => database.close())
      let steps = 0
      for (let isCut = true; isCut; steps += 1) {
        const cut = createCut(steps)
        await kind.write(database.address, cut.step, `application ${steps}`).catch(ignoreCut)
        isCut = cut.isCut()
      }
      const ofApplication = steps
      steps = 0
      for (let isCut = true; isCut; steps += 1) {
        await kind.write(database.address, () => undefined, `relay ${steps}`)
        await database.expireClaims()
        const cut = createCut(steps)
        const sluice = createSluice({ ...connection, transport: watchTransport(cut.step) })
        const run = (outbox: Outbox) => relay(outbox, sluice, { once: true, pollMs: 1, random: () => 0 })
        await kind.withOutbox(database.address, cut.step, run).catch(ignoreCut)
        isCut = cut.isCut()
      }
      assert.ok(ofApplication > 10 && steps > 20, `${ofApplication} and ${steps} steps`)
      const rows = await database.readRows()
      const events = await readOutboxEvents({ url: hub.url, apiKey: connection.apiKey })
      assert.deepEqual(compareOutbox(rows, events).faults, [])
      assert.ok(rows.length >= steps)
    },
  )
}
