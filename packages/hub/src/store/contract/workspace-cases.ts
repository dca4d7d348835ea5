import assert from 'node:assert/strict'
import { tagSpace } from '@sluice/protocol'
import {
  assertSame,
  notFound,
  positionOf,
  readAll,
  repeated,
  statusesOf,
  toDraft,
  type ContractCases,
} from './stage.ts'

export const workspaceCases: ContractCases = {
  'a workspace is made once': async ({ store }) => {
    const first = await store.ensureWorkspace('north')
    const again = await store.ensureWorkspace('north')
    assert.ok(first.created && !again.created)
    assertSame(again.workspace, first.workspace)
    assertSame(await store.findWorkspace('north'), first.workspace)
    assertSame(await store.findWorkspaceById(first.workspace.id), first.workspace)
    assert.equal(await store.findWorkspaceById(987_654), undefined)
    assert.ok(first.workspace.tag >= 0 && first.workspace.tag < tagSpace)
    assert.equal(await store.findWorkspace('south'), undefined)
  },

  'workspaces are listed by key, page after page': async ({ store }) => {
    for (const key of ['c', 'a', 'b']) await store.ensureWorkspace(key)
    const all = (await store.listWorkspaces('', 100)).map(({ key }) => key)
    assert.deepEqual(
      all.filter((key) => key.length === 1),
      ['a', 'b', 'c'],
    )
    assert.deepEqual(
      (await store.listWorkspaces('a', 2)).map(({ key }) => key),
      ['b', 'c'],
    )
  },

  'a workspace begins with the inbox "default", at the first event': async ({ store, id, publish, take }) => {
    const inbox = await store.findInbox(id, 'default')
    assert.equal(inbox?.next, 1)
    assert.equal(inbox.status, 'active')
    const [first] = await publish('a')
    assert.deepEqual(await take('a', { inbox: 'default' }), [first])
  },

  'workspaces know nothing of each other': async ({ store, id, publish, makeInbox, take }) => {
    const other = (await store.ensureWorkspace('other')).workspace.id
    await makeInbox()
    assert.equal(await store.findInbox(other, 'crm'), undefined)
    const [mine] = await publish(repeated)
    const [theirs] = await store.appendEvents(other, [toDraft({ ...repeated, type: 'theirs' })])
    assert.equal(theirs?.status, 'stored', 'a deduplication key is known in its workspace only')
    assert.equal(positionOf(theirs), mine, 'both begin at 1')
    assert.deepEqual(
      (await store.readEvents(other, [mine])).map(({ eventType }) => eventType),
      ['theirs'],
    )
    assert.deepEqual(await take('a'), [mine])
    assert.deepEqual((await store.readProgress(other, 'default')).behind, 1)
    assert.equal((await store.readProgress(id, 'default')).behind, 1)
  },

  'a workspace goes with all that it holds, and comes back empty': async ({ store, id, publish, advance }) => {
    const first = (await store.ensureWorkspace('gone')).workspace
    await store.appendEvents(first.id, [toDraft(repeated)])
    const [mine] = await publish('mine')
    assert.equal(await store.deleteWorkspace('gone'), true)
    assert.equal(await store.deleteWorkspace('gone'), false)
    advance(501)
    assert.equal(await store.findWorkspace('gone'), undefined)
    assert.equal(await store.findWorkspaceById(first.id), undefined)
    await assert.rejects(store.readProgress(first.id, 'default'), notFound)
    const second = await store.ensureWorkspace('gone')
    assert.ok(second.created)
    assert.notEqual(second.workspace.id, first.id)
    assertSame(await store.readHead(second.workspace.id), { head: 0, trimmedTo: 0 })
    assert.deepEqual(statusesOf(await store.appendEvents(second.workspace.id, [toDraft(repeated)])), ['stored'])
    assert.deepEqual(await readAll(store, id), [mine], 'others are untouched')
  },

  'what does not exist is not found': async ({ store, id }) => {
    const nowhere = 987_654
    await assert.rejects(store.appendEvents(nowhere, [toDraft()]), notFound)
    await assert.rejects(
      store.createInbox(nowhere, 'crm', { settings: (await store.findInbox(id, 'default'))!.settings, start: 1 }),
      notFound,
    )
    await assert.rejects(store.readProgress(id, 'none'), notFound)
    await assert.rejects(store.leaseEvents(id, 'none', { leaseId: 'a', limit: 1, leaseMs: 1000 }), notFound)
    await assert.rejects(store.settleLease(id, 'none', { leaseId: 'a', outcome: { kind: 'ack' } }), notFound)
    await assert.rejects(store.acknowledgeEvent(id, 'none', 1), notFound)
    await assert.rejects(store.seekInbox(id, 'none', 1), notFound)
    await assert.rejects(store.updateInbox(id, 'none', { status: 'paused' }), notFound)
    await assert.rejects(store.peekEvents(id, 'none', { after: 0, limit: 1 }), notFound)
    await assert.rejects(store.listDeadLetters(id, 'none', { after: 0, limit: 1 }), notFound)
    assert.equal(await store.deleteInbox(id, 'none'), false)
  },

  'one bad order does not harm others that are written with it': async ({ store, id }) => {
    const orders = await Promise.allSettled([
      store.appendEvents(id, [toDraft()]),
      store.appendEvents(987_654, [toDraft()]),
      store.leaseEvents(id, 'none', { leaseId: 'a', limit: 1, leaseMs: 1000 }),
      store.appendEvents(id, [toDraft()]),
    ])
    assert.deepEqual(
      orders.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
    )
    assert.equal((await readAll(store, id)).length, 2)
  },

  'quotas are kept, and another process sees them': async (stage) => {
    const { id } = stage
    assertSame((await stage.store.findWorkspaceById(id))?.quotas, {})
    await stage.store.setQuotas(id, { events_per_day: 10 })
    assertSame((await stage.store.findWorkspaceById(id))?.quotas, { events_per_day: 10 })
    await stage.crash()
    assertSame((await stage.store.findWorkspace('stage'))?.quotas, { events_per_day: 10 })
  },
}
