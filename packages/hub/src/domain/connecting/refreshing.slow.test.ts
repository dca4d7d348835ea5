import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../test-eventually.ts'
import { openTestHub } from '../../test-hub.ts'

test('connections whose method is gone do not stay first in line', async () => {
  const integrations = new URL('../../test-integrations', import.meta.url).pathname
  await using t = await openTestHub({ integrations, roles: ['schedule'], clock: Date.now })
  const { store } = t.hub
  const { id } = (await store.findWorkspace('default')) ?? assert.fail('there is no workspace')
  const row = { userId: 'u', grant: 'workspace', sealed: null, expiresMs: null } as const
  for (let at = 0; at < 40; at += 1) {
    const key = `gone-${at}`
    await store.connections.put(id, { ...row, key, id: key, integration: 'mail', method: 'gone', refreshMs: 1 })
  }
  await store.connections.put(id, {
    ...row,
    key: 'last',
    id: 'last',
    integration: 'away',
    method: 'gone',
    refreshMs: 2,
  })
  const refreshMs = async (): Promise<number> => (await store.connections.find(id, 'last'))?.refreshMs ?? 0
  assert.ok((await eventually(refreshMs, (ms) => ms > 2)) > Date.now())
})
