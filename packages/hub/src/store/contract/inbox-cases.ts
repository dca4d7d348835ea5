import assert from 'node:assert/strict'
import { inboxDefaults } from '@sluice/protocol'
import { assertSame, notFound, type ContractCases } from './stage.ts'

export const inboxCases: ContractCases = {
  'an inbox is made once, and made again it keeps its settings': async ({ store, id }) => {
    const settings = { ...inboxDefaults, owner: 'ada', filter: { event_types: ['a.*'] } }
    const first = await store.createInbox(id, 'crm', { settings, start: 1 })
    assert.ok(first.created)
    assertSame(first.inbox.settings, settings)
    assert.equal(first.inbox.status, 'active')
    const again = await store.createInbox(id, 'crm', { settings: inboxDefaults, start: 9 })
    assert.ok(!again.created)
    assertSame(again.inbox, first.inbox)
    assertSame(await store.findInbox(id, 'crm'), first.inbox)
  },

  'inboxes are listed by key, page after page': async ({ store, id, makeInbox }) => {
    for (const key of ['c', 'a', 'b']) await makeInbox({}, { key })
    const all = (await store.listInboxes(id, '', 100)).map(({ key }) => key)
    assert.deepEqual(all, ['a', 'b', 'c', 'default'])
    assert.deepEqual(
      (await store.listInboxes(id, 'a', 2)).map(({ key }) => key),
      ['b', 'c'],
    )
  },

  'an inbox begins where it is told': async ({ publish, makeInbox, take }) => {
    const [, b, c] = await publish('a', 'b', 'c')
    await makeInbox({}, { start: b })
    assert.deepEqual(await take('a'), [b, c])
  },

  'an inbox that begins at the end waits for what comes': async ({ publish, makeInbox, take }) => {
    const [a] = await publish('a')
    await makeInbox({}, { start: a + 1 })
    assert.deepEqual(await take('a'), [])
    const [b] = await publish('b')
    assert.deepEqual(await take('a'), [b])
  },

  'a removed inbox is gone; made again it knows nothing': async ({
    store,
    id,
    publish,
    makeInbox,
    take,
    release,
    deadLetters,
  }) => {
    await makeInbox({ max_attempts: 1 })
    const [a, b] = await publish('a', 'b')
    await take('x', { limit: 1 })
    await release('x')
    await take('y', { limit: 1 })
    assert.deepEqual(await deadLetters(), [a])
    assert.equal(await store.deleteInbox(id, 'crm'), true)
    assert.equal(await store.deleteInbox(id, 'crm'), false)
    assert.equal(await store.findInbox(id, 'crm'), undefined)
    await assert.rejects(store.leaseEvents(id, 'crm', { leaseId: 'y', limit: 1, leaseMs: 1000 }), notFound)
    await makeInbox()
    assert.deepEqual(await deadLetters(), [])
    assert.deepEqual(await take('z'), [a, b])
    assert.deepEqual(await store.listAttempts(id, 'crm', { before: Number.MAX_SAFE_INTEGER, limit: 10 }), [])
  },

  'a change of settings is a new revision and survives a restart': async (stage) => {
    await stage.makeInbox()
    const before = await stage.store.findInbox(stage.id, 'crm')
    const settings = { ...inboxDefaults, max_attempts: 3 }
    const after = await stage.store.updateInbox(stage.id, 'crm', { settings })
    assert.equal(after.revision, (before?.revision ?? 0) + 1)
    assert.equal(after.generation, before?.generation)
    await stage.reopen()
    assertSame(await stage.store.findInbox(stage.id, 'crm'), after)
    assertSame(after.settings, settings)
  },

  'progress counts what is where': async (stage) => {
    const { store, id, publish, makeInbox, take, ack, release } = stage
    await makeInbox({ max_attempts: 2 })
    const progress = (): ReturnType<typeof store.readProgress> => store.readProgress(id, 'crm')
    assertSame(await progress(), {
      behind: 0,
      waiting: 0,
      leased: 0,
      parked: 0,
      dead: 0,
      blocked: false,
      oldestMs: null,
    })
    const [a, b, c, d, e] = await publish('a', 'b', 'c', 'd', 'e', 'f')
    const [{ acceptedMs } = { acceptedMs: 0 }] = await store.readEvents(id, [a])
    assertSame(await progress(), {
      behind: 6,
      waiting: 0,
      leased: 0,
      parked: 0,
      dead: 0,
      blocked: false,
      oldestMs: acceptedMs,
    })
    assert.deepEqual(await take('x', { limit: 5 }), [a, b, c, d, e])
    await ack('x', [a])
    await release('x', { positions: [b] })
    await release('x', { positions: [c], delayMs: 5000 })
    assert.deepEqual(await take('y', { limit: 1 }), [b])
    await release('y')
    assertSame(await progress(), {
      behind: 1,
      waiting: 0,
      leased: 2,
      parked: 1,
      dead: 1,
      blocked: false,
      oldestMs: acceptedMs,
    })
    stage.advance(5001)
    assertSame(await progress(), {
      behind: 1,
      waiting: 1,
      leased: 2,
      parked: 0,
      dead: 1,
      blocked: false,
      oldestMs: acceptedMs,
    })
  },
}
