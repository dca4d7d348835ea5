import assert from 'node:assert/strict'
import { inboxDefaults } from '@sluice/protocol'
import type { NewConnection, RefreshClaim } from '../connections.ts'
import { newDoor } from '../doors.ts'
import { sealedKinds } from '../sealed.ts'
import { assertSame, type ContractCases, type Stage } from './stage.ts'

const lockMs = 30_000

/** A connection whose tokens are due in a minute. */
async function connect({ store, id }: Stage, more: Partial<NewConnection> = {}): Promise<void> {
  const nowMs = store.nowMs()
  await store.connections.put(id, {
    key: 'mail',
    id: 'first',
    integration: 'mail',
    userId: 'ada',
    grant: 'workspace',
    sealed: 'v1.x.0',
    method: 'oauth2',
    expiresMs: nowMs + 120_000,
    refreshMs: nowMs + 60_000,
    ...more,
  })
}

const claim = ({ store, id }: Stage, generation = 0, of = 'first'): Promise<RefreshClaim | undefined> =>
  store.connections.claimRefresh(id, 'mail', { id: of, generation }, lockMs)

async function mustClaim(stage: Stage, generation = 0): Promise<RefreshClaim> {
  return (await claim(stage, generation)) ?? assert.fail('the lock is held')
}

const tokens = (sealed: string) => ({ kind: 'tokens', sealed, expiresMs: 9e12, refreshMs: 8e12 }) as const

/** Of this workspace: the store may hold others. */
const due = async ({ store, id }: Stage): Promise<string[]> =>
  (await store.connections.listDue(1000)).flatMap(({ workspaceId, key }) => (workspaceId === id ? [key] : []))

const read = async ({ store, id }: Stage) =>
  (await store.connections.find(id, 'mail')) ?? assert.fail('there is no connection')

export const refreshCases: ContractCases = {
  'tokens are due at their time, unless somebody refreshes them': async (stage) => {
    await connect(stage)
    assert.deepEqual(await due(stage), [])
    stage.advance(60_000)
    assert.deepEqual(await due(stage), ['mail'])
    await mustClaim(stage)
    assert.deepEqual(await due(stage), [])
    stage.advance(lockMs)
    assert.deepEqual(await due(stage), ['mail'])
  },

  'of several that want the lock one has it, each with a higher fence than the one before': async (stage) => {
    await connect(stage)
    const claims = await Promise.all([claim(stage), claim(stage), claim(stage)])
    const [held, ...others] = claims.filter((one) => one !== undefined)
    assert.ok(held && others.length === 0)
    assert.deepEqual([held.key, held.sealed, held.unanswered], ['mail', 'v1.x.0', 0])
    stage.advance(lockMs - 1)
    assert.equal(await claim(stage), undefined)
    assert.equal(await stage.store.connections.renewRefresh(held, lockMs), true)
    stage.advance(lockMs - 1)
    assert.equal(await claim(stage), undefined)
    stage.advance(1)
    const next = await mustClaim(stage)
    assert.ok(next.fence > held.fence)
    assert.equal(await stage.store.connections.renewRefresh(held, lockMs), false)
    assert.equal(await stage.store.connections.noteSending(held, lockMs), false)
  },

  'a lock is taken for the tokens that were seen, not for others': async (stage) => {
    await connect(stage)
    const held = await mustClaim(stage)
    assert.equal(await stage.store.connections.finishRefresh(held, tokens('v1.x.1')), true)
    assert.equal(await claim(stage, 0), undefined)
    assert.equal(await claim(stage, 1, 'other'), undefined)
    const next = await mustClaim(stage, 1)
    assertSame([next.sealed, next.generation, next.expiresMs, next.refreshMs], ['v1.x.1', 1, 9e12, 8e12])
  },

  'that a request leaves is known to whoever comes after, also after a crash': async (stage) => {
    await connect(stage)
    assert.equal(await stage.store.connections.noteSending(await mustClaim(stage), lockMs), true)
    await stage.crash()
    stage.advance(2 * lockMs - 1)
    assert.equal(await claim(stage), undefined)
    stage.advance(1)
    const second = await mustClaim(stage)
    assert.equal(second.unanswered, 1)
    assert.equal(await stage.store.connections.noteSending(second, lockMs), true)
    assert.equal(
      await stage.store.connections.finishRefresh(second, {
        kind: 'later',
        refreshMs: stage.store.nowMs() + 5,
        unanswered: 2,
      }),
      true,
    )
    assert.equal((await mustClaim(stage)).unanswered, 2)
  },

  'tokens that come late are kept while those that they were got with are the present ones': async (stage) => {
    await connect(stage)
    const slow = await mustClaim(stage)
    await stage.store.connections.noteSending(slow, lockMs)
    stage.advance(2 * lockMs)
    const quick = await mustClaim(stage)
    assert.equal(await stage.store.connections.finishRefresh(slow, { kind: 'broken', reason: 'refused' }), false)
    assert.equal(await stage.store.connections.finishRefresh(quick, { kind: 'broken', reason: 'refused' }), true)
    assert.deepEqual([(await read(stage)).broken, (await read(stage)).refreshMs], ['refused', null])
    assert.equal(await stage.store.connections.finishRefresh(slow, tokens('v1.x.late')), true)
    const { broken, sealed, generation } = await read(stage)
    assert.deepEqual([broken, sealed, generation], [null, 'v1.x.late', 1])
    assert.equal(await stage.store.connections.finishRefresh(slow, tokens('v1.x.again')), false)
    assert.equal((await mustClaim(stage, 1)).unanswered, 0)
  },

  'to connect again ends what was under way, and mends what was broken': async (stage) => {
    await connect(stage)
    const held = await mustClaim(stage)
    await stage.store.connections.finishRefresh(held, { kind: 'broken', reason: 'refused' })
    const again = await mustClaim(stage)
    await connect(stage, { id: 'second' })
    assert.equal(await stage.store.connections.finishRefresh(again, tokens('v1.x.old')), false)
    const { broken, sealed } = await read(stage)
    assert.deepEqual([broken, sealed], [null, 'v1.x.0'])
    assert.ok(await claim(stage, 0, 'second'))
  },

  'clients of OAuth2 providers are kept for each workspace and integration': async ({ store, id, ...stage }) => {
    const client = { integration: 'mail', id: 'a', clientId: 'app', sealed: 'v1.x.y' }
    assert.equal(await store.oauthClients.put(id, client), true)
    const made = await store.oauthClients.find(id, 'mail')
    assertSame(made, { ...client, createdMs: store.nowMs(), updatedMs: store.nowMs() })
    stage.advance(7)
    assert.equal(await store.oauthClients.put(id, { ...client, id: 'b', sealed: 'v1.x.z' }), false)
    const changed = await store.oauthClients.find(id, 'mail')
    assert.deepEqual(
      [changed?.id, changed?.sealed, (changed?.updatedMs ?? 0) - (changed?.createdMs ?? 0)],
      ['b', 'v1.x.z', 7],
    )
    const { workspace } = await store.ensureWorkspace('client-neighbour')
    assert.equal(await store.oauthClients.find(workspace.id, 'mail'), undefined)
    assert.deepEqual(
      [await store.oauthClients.remove(id, 'mail'), await store.oauthClients.remove(id, 'mail')],
      [true, false],
    )
  },

  'a link to connect is there for its time, and a state is taken once': async (stage) => {
    const { store, id } = stage
    const expiresMs = store.nowMs() + 60_000
    const session = { token: 't1', workspaceId: id, settings: '{}', expiresMs }
    assert.equal(await store.connectSessions.add(session, 2), true)
    assert.equal(await store.connectSessions.add({ ...session, token: 't2' }, 2), true)
    assert.equal(await store.connectSessions.add({ ...session, token: 't3' }, 2), false)
    assertSame(await store.connectSessions.find('t1'), session)
    const leaving = { state: 's1', browser: 'b', sealed: 'v1.x.y' }
    assert.equal(await store.connectSessions.leave('t1', leaving), true)
    const taken = await Promise.all([store.connectSessions.takeState('s1'), store.connectSessions.takeState('s1')])
    assertSame(
      taken.filter((one) => one !== undefined),
      [{ ...session, ...leaving }],
    )
    assert.deepEqual(
      [
        await store.connectSessions.end('t1'),
        await store.connectSessions.end('t1'),
        await store.connectSessions.end('x'),
      ],
      [true, false, false],
    )
    await store.connectSessions.leave('t2', { ...leaving, state: 's2' })
    stage.advance(60_000)
    assert.equal(await store.connectSessions.find('t2'), undefined)
    assert.equal(await store.connectSessions.takeState('s2'), undefined)
    assert.equal(await store.connectSessions.leave('t2', leaving), false)
    assert.equal(await store.connectSessions.add({ ...session, token: 't4', expiresMs: expiresMs * 2 }, 1), true)
  },

  'texts that another secret key has sealed are found, and replaced unless they have changed': async (stage) => {
    const { store, id } = stage
    await connect(stage, { id: 'sealed-1', sealed: 'v1.aaaaaaaa.text' })
    await store.connections.put(id, {
      key: 'other',
      id: 'sealed-2',
      integration: 'mail',
      userId: 'ada',
      grant: 'workspace',
      sealed: 'v1.bbbbbbbb.text',
      method: null,
      expiresMs: null,
      refreshMs: null,
    })
    const page = { current: 'v1.bbbbbbbb.', after: 'sealed-', limit: 1 }
    assertSame(await store.sealedTexts.list('connection', page), [{ id: 'sealed-1', text: 'v1.aaaaaaaa.text' }])
    const change = { id: 'sealed-1', text: 'v1.aaaaaaaa.text', by: 'v1.bbbbbbbb.anew' }
    assert.equal(await store.sealedTexts.replace('connection', change), true)
    assert.equal(await store.sealedTexts.replace('connection', change), false)
    assert.equal((await read(stage)).sealed, 'v1.bbbbbbbb.anew')
    const more = sealedKinds.filter((kind) => kind !== 'connection')
    for (const kind of more) assert.ok(Array.isArray(await store.sealedTexts.list(kind, page)))
  },

  'what is sealed at an inbox is found beside what is said of it, and stays replaced when the inbox changes': async (
    stage,
  ) => {
    const { store, id } = stage
    const door = {
      ...newDoor,
      keyId: 'k1',
      reason: 'see v1.2 of it',
      sealed: { id: 'push-1', text: 'v1.aaaaaaaa.text' },
    }
    await store.createInbox(id, 'pushed', { settings: inboxDefaults, start: 1, door })
    await store.createInbox(id, 'acted', { settings: inboxDefaults, start: 1, door: { ...door, sealed: null } })
    await store.updateInbox(id, 'pushed', { status: 'broken' })
    const page = { current: 'v1.bbbbbbbb.', after: 'push-', limit: 1 }
    assertSame(await store.sealedTexts.list('inbox', page), [{ id: 'push-1', text: 'v1.aaaaaaaa.text' }])
    const change = { id: 'push-1', text: 'v1.aaaaaaaa.text', by: 'v1.bbbbbbbb.anew' }
    assert.equal(await store.sealedTexts.replace('inbox', change), true)
    assert.equal(await store.sealedTexts.replace('inbox', change), false)
    await store.updateInbox(id, 'pushed', { status: 'active' })
    const sealed = { id: 'push-1', text: 'v1.bbbbbbbb.anew' }
    assertSame((await store.findInbox(id, 'pushed'))?.door, { ...door, sealed })
    assert.deepEqual(await store.sealedTexts.list('inbox', page), [])
  },
}
