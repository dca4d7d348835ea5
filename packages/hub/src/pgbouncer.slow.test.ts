import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Lease } from '@sluice/protocol'
import { skipWithoutPgBouncer, startPgBouncer, type PgBouncer } from '../../../scripts/pgbouncer.ts'
import { openPostgres } from '../../../scripts/postgres-databases.ts'
import { usePostgres } from '../../../scripts/use-postgres.ts'
import { startHub, type Hub } from './main.ts'
import type { OpenedStore } from './store/contract/stage.ts'
import { openPostgresStore } from './store/postgres/store.ts'
import { storeContract } from './store/store-contract.ts'
import type { Store } from './store/store.ts'

/** The store and two hubs behind a PgBouncer in transaction mode, where each transaction may run on another connection. */
const postgres = await usePostgres()
const skip = postgres.skip || skipWithoutPgBouncer()
const server = openPostgres(postgres.skip ? 'postgres://nowhere' : postgres.url, '')

let pooler: PgBouncer
before(async () => {
  if (!skip) pooler = await startPgBouncer({ url: postgres.url })
})
after(async () => {
  if (!skip) await pooler.stop()
})

function pooled(directUrl: string): string {
  const url = new URL(pooler.url)
  url.pathname = new URL(directUrl).pathname
  return url.href
}

/** Databases that no store uses: making one takes longer than emptying it. */
const free: string[] = []

/** Each store in a database of its own: PgBouncer does not hand on a search path. */
async function openTemporaryStore(): Promise<OpenedStore> {
  const directUrl = free.pop() ?? (await server.createDatabase())
  let nowMs = 1_800_000_000_000
  const open = (): Promise<Store> => openPostgresStore({ url: pooled(directUrl), directUrl, clock: () => nowMs })
  let store = await open()
  return {
    store,
    advance: (ms) => {
      nowMs += ms
    },
    reopen: async () => {
      await store.close()
      store = await open()
      return store
    },
    crash: async () => {
      const crashed = store
      const name = new URL(directUrl).pathname.slice(1)
      await server.exec(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`)
      store = await open()
      await crashed.close()
      return store
    },
    close: async () => {
      await store.close()
      await server.exec('drop schema public cascade; create schema public', directUrl)
      free.push(directUrl)
    },
  }
}

storeContract('postgres through pgbouncer', openTemporaryStore, { skip })

void describe('two hubs through pgbouncer', { skip }, () => {
  let hubs: Hub[]
  let key: string | null

  before(async () => {
    const database = { url: pooler.url, directUrl: postgres.url }
    const start = (): Promise<Hub> =>
      startHub({
        data: '/nowhere',
        database,
        host: '127.0.0.1',
        port: 0,
        secretKeys: [new Uint8Array(32).fill(7)],
        logLevel: 'silent',
        trustProxy: [],
        corsOrigins: [],
      })
    const one = await start()
    key = one.apiKey
    hubs = [one, await start()]
    for (const hub of hubs) while ((await hub.app.request('/health')).status !== 200);
  })
  after(async () => {
    await Promise.all(hubs.map((hub) => hub.close()))
    // Not after the last test of the file: the database that this is done from has gone by then.
    for (const url of free) await server.dropDatabase(url)
  })

  async function post<Body>(node: number, path: string, body: object): Promise<Body> {
    const response = await hubs[node]!.app.request(path, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    assert.ok(response.ok, `${path}: ${response.status}`)
    return response.json() as Promise<Body>
  }

  test('what one publishes wakes who waits at the other, and is acknowledged at the first', async () => {
    const told = new Promise<void>((resolve) => {
      hubs[1]!.store.onWake(({ appended }) => appended?.some(({ eventType }) => eventType === 'woken') && resolve())
    })
    const waiting = post<Lease>(1, '/v1/inboxes/default/lease', { lease_id: 'l', wait_seconds: 20 })
    await post(0, '/v1/events', { event_type: 'woken', payload: {} })
    await told
    assert.equal((await waiting).events.length, 1)
    const { results } = await post<{ results: { status: string }[] }>(0, '/v1/inboxes/default/ack', { lease_id: 'l' })
    assert.deepEqual(
      results.map(({ status }) => status),
      ['acked'],
    )
  })

  test('batches at both at once: each event is stored once and handed out once', async () => {
    const batch = (n: number): Promise<unknown> => {
      const events = Array.from({ length: 50 }, (_, index) => ({ event_type: 'many', payload: { n, index } }))
      return post(n % 2, '/v1/events/batch', { events })
    }
    await Promise.all(Array.from({ length: 20 }, (_, n) => batch(n)))
    const drain = async (node: number): Promise<string[]> => {
      const ids: string[] = []
      for (;;) {
        const body = { lease_id: `drain-${node}-${ids.length}`, limit: 100, lease_seconds: 600 }
        const { events } = await post<Lease>(node, '/v1/inboxes/default/lease', body)
        if (events.length === 0) return ids
        ids.push(...events.map(({ event_id: id }) => id))
      }
    }
    const ids = (await Promise.all([drain(0), drain(1)])).flat()
    assert.deepEqual([ids.length, new Set(ids).size], [1000, 1000])
  })
})
