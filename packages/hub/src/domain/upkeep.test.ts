import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openSqliteStore } from '../store/sqlite/store.ts'
import type { Draft, Store } from '../store/store.ts'
import { startUpkeep } from './upkeep.ts'

let folder: string
let store: Store
let nowMs = Date.UTC(2026, 0, 1)

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-upkeep-'))
  store = await openSqliteStore({ path: folder, clock: () => nowMs })
})
after(async () => {
  await store.close()
  await rm(folder, { recursive: true })
})

const draft: Draft = {
  eventType: 'a',
  source: null,
  subject: null,
  body: '{"event_type":"a","payload":{}}',
  notes: null,
  dedup: [],
}
const dayMs = 86_400_000

test('leases that ran out are given back, and old events go, in every workspace', async () => {
  const { workspace } = await store.ensureWorkspace('acme')
  await store.appendEvents(workspace.id, [draft, draft])
  await store.leaseEvents(workspace.id, 'default', { leaseId: 'l', limit: 1, leaseMs: 1000 })
  const policy = { passedMs: dayMs, anywayMs: 2 * dayMs, attemptsMs: dayMs, maxRows: 1 }
  const errors: unknown[] = []
  const woken = new Promise<void>((resolve) => {
    store.onWake((wake) => wake.workspaceId === workspace.id && wake.inbox === 'default' && resolve())
  })
  const upkeep = startUpkeep(store, {
    holder: 'test',
    policy,
    expireEveryMs: 1,
    trimEveryMs: 1,
    onError: (error) => errors.push(error),
  })
  nowMs += 2000
  await woken
  nowMs += 3 * dayMs
  while ((await store.readHead(workspace.id)).trimmedTo < 2) await new Promise((resolve) => setImmediate(resolve))
  await upkeep.close()
  assert.deepEqual(errors, [])
})

test('a store that fails is tried again, and its errors are told', async () => {
  let calls = 0
  let tell: (error: unknown) => void = () => undefined
  const told = new Promise((resolve) => (tell = resolve))
  const failing: Store = {
    ...store,
    expireLeases: async () => {
      calls += 1
      throw new Error(`failure ${calls}`)
    },
  }
  const upkeep = startUpkeep(failing, {
    holder: 'test',
    expireEveryMs: 1,
    onError: (error) => calls > 1 && tell(error),
  })
  assert.match(String(await told), /failure 2/)
  await upkeep.close()
})
