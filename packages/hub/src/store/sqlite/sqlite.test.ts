import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { toDraft, type OpenedStore } from '../contract/stage.ts'
import { storeContract } from '../store-contract.ts'
import { storeModel } from '../store-model.ts'
import type { Store } from '../store.ts'
import { openSqliteStore } from './store.ts'

async function openTemporaryStore(): Promise<OpenedStore> {
  const root = mkdtempSync(join(tmpdir(), 'sluice-store-'))
  let nowMs = 1_800_000_000_000
  let folder = join(root, '0')
  const open = (): Promise<Store> => openSqliteStore({ path: folder, clock: () => nowMs })
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
      // What a killed process leaves on the disk: the database and its write-ahead log, without any farewell.
      const before = folder
      folder = join(root, String(Number(folder.slice(root.length + 1)) + 1))
      const left = readdirSync(before).filter((name) => !name.endsWith('-shm') && !name.endsWith('.lock'))
      for (const name of left) cpSync(join(before, name), join(folder, name), { recursive: true })
      const crashed = store
      store = await open()
      await crashed.close()
      return store
    },
    close: async () => {
      await store.close()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

storeContract('sqlite', openTemporaryStore)
// The same few each time, so that a failure is the change's; more and new ones find more: SLUICE_MODEL_RUNS=500 node --test --test-name-pattern='random histories|^in the order' sqlite.test.ts
const runs = process.env['SLUICE_MODEL_RUNS']
storeModel('sqlite', openTemporaryStore, runs ? { runs: Number(runs) } : { runs: 20, seed: 20_261_121 })

describe('sqlite store', () => {
  it('has no gaps between positions', async () => {
    const opened = await openTemporaryStore()
    try {
      const { workspace } = await opened.store.ensureWorkspace('dense')
      const repeated = { dedup: [{ key: 'k', fingerprint: 'f' }] }
      const calls = await Promise.all(
        Array.from({ length: 20 }, () => opened.store.appendEvents(workspace.id, [toDraft(), toDraft(repeated)])),
      )
      const positions = calls.flat().flatMap((outcome) => (outcome.status === 'stored' ? [outcome.position] : []))
      assert.deepEqual(
        positions.toSorted((a, b) => a - b),
        Array.from({ length: 21 }, (_, index) => index + 1),
      )
    } finally {
      await opened.close()
    }
  })
})
