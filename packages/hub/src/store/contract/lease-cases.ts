import assert from 'node:assert/strict'
import { assertSame, defaultLeaseMs, positionsOf, type ContractCases } from './stage.ts'

export const leaseCases: ContractCases = {
  'events are handed out in order, up to the limit, each once': async ({ store, publish, makeInbox, lease }) => {
    await makeInbox()
    const all = await publish('a', 'b', 'c', 'd', 'e')
    const first = await lease('x', { limit: 2 })
    assert.equal(first.inboxStatus, 'active')
    assert.equal(first.untilMs, store.nowMs() + defaultLeaseMs)
    assert.equal(first.more, true)
    assert.deepEqual(
      first.events.map(({ attempt }) => attempt),
      [1, 1],
    )
    assert.deepEqual(
      first.events.map(({ eventType }) => eventType),
      ['a', 'b'],
    )
    assert.deepEqual(positionsOf([...first.events, ...(await lease('y')).events]), all)
    const empty = await lease('z')
    assertSame(empty, { inboxStatus: 'active', untilMs: null, events: [], more: false, retryAtMs: first.untilMs })
  },

  'a lease that is still held gives the same again': async (stage) => {
    const { publish, makeInbox, lease, take, ack } = stage
    await makeInbox()
    const [a, b, c, d] = await publish('a', 'b', 'c', 'd')
    const first = await lease('x', { limit: 3 })
    const again = await lease('x', { limit: 1 })
    assertSame(again.events, first.events)
    assert.equal(again.untilMs, first.untilMs)
    await stage.crash()
    assert.deepEqual(await take('x'), [a, b, c])
    await ack('x', [b])
    assert.deepEqual(await take('x'), [a, c], 'what it still holds')
    await ack('x')
    assert.deepEqual(await take('x'), [d], 'a lease that holds nothing is a new one')
  },

  'what was given back goes first, then the log is read on': async ({
    publish,
    makeInbox,
    take,
    takeAttempts,
    release,
  }) => {
    await makeInbox()
    const [a, b, c, d] = await publish('a', 'b', 'c', 'd')
    await take('x', { limit: 3 })
    await release('x', { positions: [a, c] })
    assert.deepEqual(await take('y', { limit: 1 }), [a])
    assert.deepEqual(await takeAttempts('z'), { [c]: 2, [d]: 1 })
    assert.deepEqual(await take('x'), [b])
  },

  'a hand-out counts as an attempt, whichever way the one before ended': async (stage) => {
    const { publish, makeInbox, takeAttempts, release, expire } = stage
    await makeInbox()
    const [a] = await publish('a')
    assert.deepEqual(await takeAttempts('x'), { [a]: 1 })
    await release('x')
    assert.deepEqual(await takeAttempts('y'), { [a]: 2 })
    await expire()
    assert.deepEqual(await takeAttempts('x'), { [a]: 3 })
    await release('x', { count: false })
    assert.deepEqual(await takeAttempts('z'), { [a]: 3 }, 'not when it was given back untouched')
  },

  'events that come while a lease is out go to the next one': async ({ publish, makeInbox, take }) => {
    await makeInbox()
    const [a] = await publish('a')
    assert.deepEqual(await take('x'), [a])
    const [b] = await publish('b')
    assert.deepEqual(await take('x'), [a])
    assert.deepEqual(await take('y'), [b])
  },

  'leases taken at the same time share nothing': async ({ publishMany, makeInbox, take }) => {
    await makeInbox()
    const all = await publishMany(95)
    const taken = await Promise.all(Array.from({ length: 25 }, (_, index) => take(`l${index}`, { limit: 7 })))
    assert.deepEqual(
      taken.flat().toSorted((a, b) => a - b),
      all,
    )
  },

  'inboxes go their own ways': async ({ publish, makeInbox, take, ack }) => {
    await makeInbox()
    await makeInbox({}, { key: 'billing' })
    const [a, b] = await publish('a', 'b')
    assert.deepEqual(await take('x', { limit: 1 }), [a])
    assert.deepEqual(await take('x', { inbox: 'billing' }), [a, b], 'a lease id belongs to its inbox')
    assert.deepEqual(await ack('x', [a], 'billing'), ['acked'])
    assert.deepEqual(await take('x'), [a])
  },

  'an inbox that is not active hands out nothing, and takes acknowledgements': async ({
    store,
    id,
    publish,
    makeInbox,
    take,
    ack,
    lease,
  }) => {
    await makeInbox()
    const [a, b, c] = await publish('a', 'b', 'c')
    await take('x', { limit: 1 })
    for (const status of ['paused', 'broken', 'disabled'] as const) {
      assert.equal((await store.updateInbox(id, 'crm', { status })).status, status)
      assertSame(await lease('y'), { inboxStatus: status, untilMs: null, events: [], more: false, retryAtMs: null })
    }
    assert.deepEqual(await ack('x'), ['acked'])
    const [d] = await publish('d')
    await store.updateInbox(id, 'crm', { status: 'active' })
    assert.deepEqual(await take('y'), [b, c, d])
    assert.deepEqual(await ack('x', [a]), ['already'])
  },

  'an empty hand-out says when something may come by time alone': async (stage) => {
    const { store, publish, makeInbox, lease, take, release, ack } = stage
    await makeInbox()
    assert.equal((await lease('x')).retryAtMs, null)
    await publish('a', 'b')
    await take('x', { limit: 1, leaseMs: 20_000 })
    await take('y', { limit: 1, leaseMs: 10_000 })
    assert.equal((await lease('z')).retryAtMs, store.nowMs() + 10_000)
    await release('x', { delayMs: 5000 })
    const retryAtMs = store.nowMs() + 5000
    assert.equal((await lease('z')).retryAtMs, retryAtMs)
    stage.advance(1000)
    assert.equal((await lease('z')).retryAtMs, retryAtMs)
    stage.advance(4000)
    await take('z')
    await ack('z')
    await ack('y')
    assert.equal((await lease('z')).retryAtMs, null)
  },

  'an extended lease counts from now': async (stage) => {
    const { store, id, publish, makeInbox, take, expire, ack } = stage
    await makeInbox()
    const [a] = await publish('a')
    await take('x', { leaseMs: 10_000 })
    stage.advance(8000)
    assertSame(await store.extendLease(id, 'crm', 'x', 10_000), { untilMs: store.nowMs() + 10_000 })
    await expire(8000)
    assert.deepEqual(await take('y'), [])
    await expire(2001)
    assert.equal(await store.extendLease(id, 'crm', 'x', 10_000), undefined, 'it ran out')
    assert.deepEqual(await take('y'), [a])
    assert.equal(await store.extendLease(id, 'crm', 'x', 10_000), undefined, 'another has it')
    await ack('y')
    assert.equal(await store.extendLease(id, 'crm', 'y', 10_000), undefined, 'it holds nothing any more')
    assert.equal(await store.extendLease(id, 'crm', 'never', 10_000), undefined)
  },

  'held leases survive a crash, with their attempts and their ends': async (stage) => {
    const { publish, makeInbox, take, takeAttempts, release } = stage
    await makeInbox()
    const [a, b, c] = await publish('a', 'b', 'c')
    await take('x', { limit: 2 })
    await release('x', { positions: [a], delayMs: 10_000 })
    await stage.crash()
    assert.deepEqual(await take('y'), [c])
    stage.advance(10_001)
    assert.deepEqual(await takeAttempts('z'), { [a]: 2 })
    await stage.expire(defaultLeaseMs - 10_000)
    assert.deepEqual(
      (await take('w')).filter((position) => position !== c),
      [b],
    )
  },

  'an answer is bounded in bytes, and what did not fit comes with the next': async (stage) => {
    const { store, id, publishMany, makeInbox, lease, ack, peek } = stage
    await makeInbox()
    const all: number[] = []
    const text = 'x'.repeat(250_000)
    for (let call = 0; call < 8; call += 1) all.push(...(await publishMany(12, { payload: { text } })))
    assert.deepEqual(await peek(), all)
    const page = await store.peekEvents(id, 'crm', { after: 0, limit: 200 })
    assert.ok(page.more && page.events.length < all.length)
    const found: number[] = []
    for (let round = 0; round < 10 && found.length < all.length; round += 1) {
      const { events, more } = await lease(`l${round}`, { limit: 1000 })
      assert.ok(more || found.length + events.length === all.length)
      assert.ok(events.length * text.length <= 17 * 1024 * 1024)
      assert.ok(
        events.every(({ attempt }) => attempt === 1),
        'untouched events cost no attempt',
      )
      assert.deepEqual(
        positionsOf((await lease(`l${round}`)).events),
        positionsOf(events),
        'a lease is what was answered',
      )
      found.push(...positionsOf(events))
      await ack(`l${round}`)
    }
    assert.deepEqual(found, all)
  },
}
