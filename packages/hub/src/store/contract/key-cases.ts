import assert from 'node:assert/strict'
import type { KeyRow } from '../store.ts'
import { assertSame, type ContractCases } from './stage.ts'

const key: KeyRow = {
  keyId: '0123456789abcdef',
  workspaceId: 0,
  secretHash: 'a'.repeat(64),
  previousHash: null,
  previousUntilMs: null,
  userId: 'ada',
  userEmail: null,
  role: 'creator',
  allowedEventTypes: ['order.*'],
  allowedActions: null,
  rateLimit: 60,
  expiresMs: null,
  status: 'active',
  createdMs: 1,
  lastUsedMs: null,
  hmac: null,
}

export const keyCases: ContractCases = {
  'keys are kept, found, changed and listed by status': async (stage) => {
    const { store, id } = stage
    const other = (await store.ensureWorkspace('other')).workspace.id
    const keys = ['c', 'a', 'b'].map((keyId) => ({ ...key, keyId, workspaceId: id }))
    for (const each of keys) await store.insertKey(each)
    await store.insertKey({
      ...key,
      keyId: 'z',
      workspaceId: other,
      allowedEventTypes: null,
      rateLimit: null,
      expiresMs: 5,
      userEmail: 'a@b.c',
    })
    const listed = async (
      page: { after?: string; limit?: number; status?: KeyRow['status'] },
      workspaceId = id,
    ): Promise<string[]> =>
      (await store.listKeys(workspaceId, { after: '', limit: 100, ...page })).map(({ keyId }) => keyId)
    assert.deepEqual(await listed({}), ['a', 'b', 'c'])
    assert.deepEqual(await listed({ after: 'a', limit: 1 }), ['b'])
    assert.deepEqual(await listed({}, other), ['z'])
    const found = await store.findKey('b')
    assertSame(found, { ...key, keyId: 'b', workspaceId: id })
    assert.equal(await store.findKey('nobody'), undefined)
    const changed = await store.updateKey('b', {
      status: 'revoked',
      lastUsedMs: 9,
      previousHash: 'x',
      previousUntilMs: 10,
      allowedActions: ['crm.*'],
    })
    assertSame(changed, {
      ...key,
      keyId: 'b',
      workspaceId: id,
      status: 'revoked',
      lastUsedMs: 9,
      previousHash: 'x',
      previousUntilMs: 10,
      allowedActions: ['crm.*'],
    })
    stage.advance(501)
    assertSame(await store.findKey('b'), changed, 'felt after half a second at the latest')
    assert.equal(await store.updateKey('nobody', { status: 'revoked' }), undefined)
    assert.deepEqual(await listed({ status: 'revoked' }), ['b'])
    assert.deepEqual(await listed({ status: 'active' }), ['a', 'c'])
    await stage.crash()
    assertSame(await stage.store.findKey('b'), changed)
  },

  'sealed secrets of a key are kept and rotated with an overlap': async (stage) => {
    const { store, id } = stage
    const hmac = { required: true, secrets: [{ sealed: 'v1.a.b', untilMs: null }] }
    await store.insertKey({ ...key, workspaceId: id, hmac })
    await store.insertKey({ ...key, keyId: 'plain', workspaceId: id })
    assertSame((await store.findKey(key.keyId))?.hmac, hmac)
    await store.updateKey(key.keyId, { lastUsedMs: 2 })
    const rotate = (sealed: string, previousUntilMs: number | null) =>
      store.updateKey(key.keyId, { newHmacSecret: { sealed, previousUntilMs } })
    await rotate('v1.a.c', 100)
    const twice = await rotate('v1.a.d', 50)
    const secrets = [
      { sealed: 'v1.a.d', untilMs: null },
      { sealed: 'v1.a.c', untilMs: 50 },
      { sealed: 'v1.a.b', untilMs: 50 },
    ]
    assertSame(twice?.hmac, { required: true, secrets })
    assertSame((await store.updateKey(key.keyId, { requireHmac: false }))?.hmac, { required: false, secrets })
    await stage.crash()
    assertSame((await stage.store.findKey(key.keyId))?.hmac, { required: false, secrets })
    assertSame(
      (await stage.store.listKeys(id, { after: '', limit: 9 })).map((row) => row.hmac?.secrets.length),
      [3, undefined],
    )
    await assert.rejects(stage.store.updateKey('plain', { requireHmac: true }), { code: 'conflict' })
    assert.deepEqual(
      (await stage.store.updateKey(key.keyId, { newHmacSecret: { sealed: 'v1.a.e', previousUntilMs: null } }))?.hmac
        ?.secrets.length,
      1,
    )
  },

  'the audit log is listed newest first, each workspace its own': async ({ store, id, advance }) => {
    const other = (await store.ensureWorkspace('other')).workspace.id
    for (const verb of ['one', 'two', 'three']) {
      await store.appendAudit({ workspaceId: id, actor: 'a', verb, target: 't', details: { n: [verb] } })
      advance(10)
    }
    await store.appendAudit({ workspaceId: other, actor: 'b', verb: 'x', target: 't', details: {} })
    const all = await store.listAudit(id, { before: Number.MAX_SAFE_INTEGER, limit: 10 })
    assert.deepEqual(
      all.map(({ verb, details }) => [verb, details['n']]),
      [
        ['three', ['three']],
        ['two', ['two']],
        ['one', ['one']],
      ],
    )
    assert.equal(all[0]?.atMs, store.nowMs() - 10)
    assertSame(await store.listAudit(id, { before: all[0].id, limit: 1 }), all.slice(1, 2))
  },

  'a limited key is refused until its minute is over': async ({ store, advance }) => {
    const states = [
      await store.takeRequest('a', 3),
      await store.takeRequest('a', 3),
      await store.takeRequest('a', 3),
      await store.takeRequest('a', 3),
    ]
    assert.deepEqual(
      states.map(({ allowed }) => allowed),
      [true, true, true, false],
    )
    assert.deepEqual(
      states.map(({ remaining }) => remaining),
      [2, 1, 0, 0],
    )
    for (const { resetSeconds } of states) assert.ok(resetSeconds >= 1 && resetSeconds <= 60)
    assert.ok((await store.takeRequest('b', 3)).allowed, 'each key by itself')
    advance(60_000)
    assert.deepEqual(await store.takeRequest('a', 3).then(({ allowed, remaining }) => [allowed, remaining]), [true, 2])
  },
}
