import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openSqliteStore } from '../store/sqlite/store.ts'
import { openHmacSecrets, sealHmacSecret } from './key-hmac.ts'
import { reseal } from './reseal.ts'
import { createSealing } from './sealing.ts'
import { openOAuthClient } from './connecting/oauth-clients.ts'
import { openSealed, sealSecret } from './connecting/tokens.ts'

const [oldKey, newKey] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
const [old, both, fresh] = [createSealing([oldKey]), createSealing([newKey, oldKey]), createSealing([newKey])]

test('what an earlier secret key has sealed is sealed anew, and then opens without that key', async () => {
  const path = mkdtempSync(join(tmpdir(), 'sluice-reseal-'))
  const store = await openSqliteStore({ path })
  const { id: workspaceId } = (await store.findWorkspace('default')) ?? assert.fail('there is no workspace')
  const connection = {
    key: 'mail',
    id: 'c1',
    integration: 'mail',
    userId: 'ada',
    grant: 'workspace',
    method: null,
    sealed: sealSecret(old, 'c1', { api_key: 'k' }),
    expiresMs: null,
    refreshMs: null,
  } as const
  await store.connections.put(workspaceId, connection)
  await store.connections.put(workspaceId, { ...connection, key: 'open', id: 'c2', sealed: null })
  for (let index = 0; index < 120; index += 1)
    await store.connections.put(workspaceId, {
      ...connection,
      key: `many-${index}`,
      id: `m${index}`,
      sealed: sealSecret(old, `m${index}`, {}),
    })
  const client = { clientId: 'app', clientSecret: 's' }
  const sealedClient = old.seal('oauth-client/o1', JSON.stringify(client))
  await store.oauthClients.put(workspaceId, { integration: 'mail', id: 'o1', clientId: 'app', sealed: sealedClient })
  const keyId = '0123456789abcdef'
  await store.insertKey({
    keyId,
    workspaceId,
    secretHash: 'h',
    previousHash: null,
    previousUntilMs: null,
    userId: 'u',
    userEmail: null,
    role: 'creator',
    allowedEventTypes: null,
    allowedActions: null,
    rateLimit: null,
    expiresMs: null,
    status: 'active',
    createdMs: 1,
    lastUsedMs: null,
    hmac: {
      required: false,
      secrets: [
        { sealed: sealHmacSecret(fresh, keyId, 'two'), untilMs: null },
        { sealed: sealHmacSecret(old, keyId, 'one'), untilMs: null },
      ],
    },
  })
  assert.deepEqual(await reseal({ store, sealing: fresh }, { dryRun: true }), { resealed: 0, lost: 123 })
  assert.deepEqual(await reseal({ store, sealing: both }, { dryRun: true }), { resealed: 123, lost: 0 })
  assert.deepEqual(await reseal({ store, sealing: both }), { resealed: 123, lost: 0 })
  assert.deepEqual(await reseal({ store, sealing: both }), { resealed: 0, lost: 0 })
  const row = (await store.connections.find(workspaceId, 'mail')) ?? assert.fail('it is gone')
  assert.deepEqual(openSealed(fresh, row), { api_key: 'k' })
  assert.deepEqual(await openOAuthClient({ store, sealing: fresh }, workspaceId, 'mail'), client)
  // A key may be remembered for a moment.
  const [key] = await store.listKeys(workspaceId, { after: '', limit: 1 })
  assert.deepEqual(key && openHmacSecrets(fresh, key, 0), ['two', 'one'])
  await store.close()
  rmSync(path, { recursive: true })
})
