import pg from 'pg'
import { after } from 'node:test'
import { usePostgres } from '../../../../../scripts/use-postgres.ts'
import type { OpenedStore } from '../contract/stage.ts'
import { storeContract } from '../store-contract.ts'
import { storeModel } from '../store-model.ts'
import type { Store } from '../store.ts'
import { openPostgresStore } from './store.ts'

const postgres = await usePostgres()
const admin = new pg.Pool({ connectionString: postgres.skip ? '' : postgres.url, max: 2 })
admin.on('error', () => {})
after(() => admin.end())

let schemas = 0

/** Each store in a schema of its own. */
async function openTemporaryStore(): Promise<OpenedStore> {
  const schema = `store_${(schemas += 1)}`
  await admin.query(`create schema ${schema}`)
  const url = new URL(postgres.url)
  url.searchParams.set('options', `-c search_path=${schema}`)
  url.searchParams.set('application_name', schema)
  let nowMs = 1_800_000_000_000
  const open = (): Promise<Store> => openPostgresStore({ url: url.href, clock: () => nowMs })
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
      await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1`, [schema])
      store = await open()
      await crashed.close()
      return store
    },
    close: async () => {
      await store.close()
      await admin.query(`drop schema ${schema} cascade`)
    },
  }
}

const { skip } = postgres
storeContract('postgres', openTemporaryStore, { skip })
const runs = process.env['SLUICE_MODEL_RUNS']
storeModel('postgres', openTemporaryStore, {
  skip,
  ...(runs ? { runs: Number(runs) } : { runs: 20, seed: 20_261_121 }),
})
