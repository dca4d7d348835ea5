import assert from 'node:assert/strict'
import type { NewConnection } from '../connections.ts'
import { assertSame, notFound, type ContractCases } from './stage.ts'

const github: NewConnection = {
  key: 'github',
  id: 'c1',
  integration: 'github',
  userId: 'ada',
  grant: 'workspace',
  sealed: 'v1.x.y',
  method: null,
  expiresMs: null,
  refreshMs: null,
}
const slack: NewConnection = {
  key: 'slack',
  id: 'c2',
  integration: 'slack',
  userId: 'ada',
  grant: 'user',
  sealed: null,
  method: null,
  expiresMs: null,
  refreshMs: null,
}
const account = {
  email: 'a@example.org',
  first_name: null,
  last_name: null,
  username: null,
  user_id: null,
  avatar_url: null,
  organization: null,
}

export const connectionCases: ContractCases = {
  'connections are kept, found, replaced and removed': async (stage) => {
    const { id } = stage
    const { connections } = stage.store
    assert.equal(await connections.put(id, github), true)
    await connections.setAccount(id, 'github', { id: 'c1', account, error: null })
    await stage.crash()
    const kept = await stage.store.connections.find(id, 'github')
    assertSame(
      { ...kept, createdMs: 0, updatedMs: 0 },
      {
        ...github,
        workspaceId: id,
        account,
        accountError: null,
        broken: null,
        generation: 0,
        createdMs: 0,
        updatedMs: 0,
      },
    )
    stage.advance(1000)
    assert.equal(await stage.store.connections.put(id, { ...github, id: 'c3', sealed: 'v1.x.z' }), false)
    const replaced = await stage.store.connections.find(id, 'github')
    assertSame([replaced?.id, replaced?.sealed, replaced?.account], ['c3', 'v1.x.z', null])
    assert.equal(replaced?.createdMs, kept?.createdMs)
    assert.equal(replaced?.updatedMs, (kept?.updatedMs ?? 0) + 1000)
    assert.equal(await stage.store.connections.remove(id, 'github'), true)
    assert.equal(await stage.store.connections.remove(id, 'github'), false)
    assert.equal(await stage.store.connections.find(id, 'github'), undefined)
  },

  'what is found out about an account comes too late once the credentials were replaced': async ({ store, id }) => {
    await store.connections.put(id, github)
    await store.connections.put(id, { ...github, id: 'c9' })
    await store.connections.setAccount(id, 'github', { id: 'c1', account, error: null })
    assert.equal((await store.connections.find(id, 'github'))?.account, null)
    await store.connections.setAccount(id, 'github', { id: 'c9', account: null, error: 'refused' })
    assert.equal((await store.connections.find(id, 'github'))?.accountError, 'refused')
  },

  'connections are listed by key, for a user those that its keys may use': async ({ store, id }) => {
    for (const connection of [slack, github]) await store.connections.put(id, connection)
    const keys = async (page: Parameters<typeof store.connections.list>[1]): Promise<string[]> =>
      (await store.connections.list(id, page)).map(({ key }) => key)
    const holder = (userId: string, keyId = 'k0') => ({ after: '', limit: 9, holder: { userId, keyId } })
    assert.deepEqual(await keys({ after: '', limit: 9 }), ['github', 'slack'])
    assert.deepEqual(await keys({ after: 'github', limit: 9 }), ['slack'])
    assert.deepEqual(await keys({ after: '', limit: 1 }), ['github'])
    assert.deepEqual(await keys(holder('ada')), ['github', 'slack'])
    assert.deepEqual(await keys(holder('bob')), ['github'])
    assert.equal(await store.connections.setGrant(id, 'slack', { keys: ['k1', 'k2'] }), true)
    assert.deepEqual((await store.connections.find(id, 'slack'))?.grant, { keys: ['k1', 'k2'] })
    assert.deepEqual(await keys(holder('bob', 'k2')), ['github', 'slack'])
    assert.deepEqual(await keys(holder('bob', 'k')), ['github'])
    assert.deepEqual(await keys(holder('ada', 'k')), ['github', 'slack'])
    assert.equal(await store.connections.setGrant(id, 'none', 'user'), false)
  },

  'a workspace has its own, and takes them along when it is removed': async ({ store, id }) => {
    const { workspace } = await store.ensureWorkspace('connection-neighbour')
    await store.connections.put(workspace.id, github)
    assert.equal(await store.connections.find(id, 'github'), undefined)
    await store.deleteWorkspace('connection-neighbour')
    await assert.rejects(store.connections.put(workspace.id, github), notFound)
  },
}
