import assert from 'node:assert/strict'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inboxDefaults } from '@sluice/protocol'
import { newDoor } from '../store/doors.ts'
import { sealedKinds, type SealedKind } from '../store/sealed.ts'
import { openSqliteStore } from '../store/sqlite/store.ts'
import { openHmacSecrets, sealHmacSecret } from './key-hmac.ts'
import { reseal } from './reseal.ts'
import { createSealing } from './sealing.ts'
import { openOAuthClient } from './connecting/oauth-clients.ts'
import { openSealed, sealSecret } from './connecting/tokens.ts'
import { openPush, sealPush } from './deliver/push-secrets.ts'
import { openSecrets, sealSecrets } from './sources/secrets.ts'

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
  const push = { secrets: [{ secret: 'whsec_a', untilMs: null }], headers: { authorization: 'Bearer b' } }
  const door = { ...newDoor, keyId, sealed: sealPush({ sealing: old, newId: () => 'p1' }, push) }
  await store.createInbox(workspaceId, 'pushed', { settings: inboxDefaults, start: 1, door })
  const sourceSecrets = sealSecrets(old, { id: 's1', texts: ['given'], nowMs: 1 })
  const source = { key: 'shop', id: 's1', settings: '{}', secrets: JSON.stringify(sourceSecrets) }
  await store.sources.create(workspaceId, source)
  assert.deepEqual(await reseal({ store, sealing: fresh }, { dryRun: true }), { resealed: 0, lost: 125 })
  assert.deepEqual(await reseal({ store, sealing: both }, { dryRun: true }), { resealed: 125, lost: 0 })
  assert.deepEqual(await reseal({ store, sealing: both }), { resealed: 125, lost: 0 })
  assert.deepEqual(await reseal({ store, sealing: both }), { resealed: 0, lost: 0 })
  const row = (await store.connections.find(workspaceId, 'mail')) ?? assert.fail('it is gone')
  assert.deepEqual(openSealed(fresh, row), { api_key: 'k' })
  assert.deepEqual(await openOAuthClient({ store, sealing: fresh }, workspaceId, 'mail'), client)
  const inbox = await store.findInbox(workspaceId, 'pushed')
  assert.deepEqual(openPush({ sealing: fresh }, inbox?.door ?? null), push)
  const kept = (await store.sources.find(workspaceId, 'shop')) ?? assert.fail('it is gone')
  assert.deepEqual(openSecrets(fresh, kept, 0).current, ['given'])
  // A key may be remembered for a moment.
  const [key] = await store.listKeys(workspaceId, { after: '', limit: 1 })
  assert.deepEqual(key && openHmacSecrets(fresh, key, 0), ['two', 'one'])
  await store.close()
  rmSync(path, { recursive: true })
})

test('whatever seals is known here: what a change of the secret key does not reach is lost with the old one', () => {
  const sealers: Readonly<Record<string, SealedKind | 'for a short time'>> = {
    'connecting/browser.ts': 'for a short time',
    'connecting/oauth-clients.ts': 'oauth_client',
    'connecting/tokens.ts': 'connection',
    'deliver/push-secrets.ts': 'inbox',
    'key-hmac.ts': 'api_key',
    'sources/secrets.ts': 'source',
  }
  const cwd = join(import.meta.dirname, '..')
  const found = globSync('**/*.ts', { cwd }).filter(
    (file) =>
      !/\.test\.ts$|^domain\/(reseal|sealing)\.ts$/.test(file) &&
      /sealing\.seal\(/.test(readFileSync(join(cwd, file), 'utf8')),
  )
  assert.deepEqual(
    found.toSorted(),
    Object.keys(sealers).map((file) => `domain/${file}`),
    'a new place is a line here, in store/sealed.ts and in domain/reseal.ts',
  )
  const kinds = new Set(Object.values(sealers))
  assert.deepEqual([...kinds].filter((kind) => kind !== 'for a short time').toSorted(), sealedKinds.toSorted())
})
