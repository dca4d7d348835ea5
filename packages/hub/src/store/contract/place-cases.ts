import assert from 'node:assert/strict'
import { assertSame, positionsOf, type ContractCases } from './stage.ts'

export const acknowledgeCases: ContractCases = {
  'an event acknowledged ahead of others leaves those waiting': async ({
    store,
    id,
    publish,
    makeInbox,
    takeAttempts,
    ack,
    peek,
    drain,
  }) => {
    await makeInbox()
    const [a, b, c, d] = await publish('a', 'b', 'c', 'd')
    assert.equal(await store.acknowledgeEvent(id, 'crm', c), 'acked')
    assert.equal(await store.acknowledgeEvent(id, 'crm', c), 'already')
    assert.deepEqual(await peek(), [a, b, d])
    assert.deepEqual(await takeAttempts('x', { limit: 2 }), { [a]: 1, [b]: 1 })
    await ack('x')
    assert.equal(await store.acknowledgeEvent(id, 'crm', a), 'already')
    assert.deepEqual(await drain(), [d])
  },

  'events acknowledged in any order are all done, and the others not': async (stage) => {
    const { store, id, publishMany, makeInbox, drain } = stage
    await makeInbox()
    const all = await publishMany(12)
    const done = [7, 2, 11, 3, 0, 8].map((index) => all[index]!)
    for (const position of done) assert.equal(await store.acknowledgeEvent(id, 'crm', position), 'acked')
    await stage.crash()
    for (const position of done) assert.equal(await stage.store.acknowledgeEvent(id, 'crm', position), 'already')
    assert.deepEqual(
      (await drain()).toSorted((a, b) => a - b),
      all.filter((position) => !done.includes(position)),
    )
  },

  'events that the filter does not want are not among those that wait': async ({
    store,
    id,
    publish,
    makeInbox,
    peek,
    take,
  }) => {
    await makeInbox({ filter: { event_types: ['a'] } })
    const [a1, , a2, , a3, a4] = await publish('a', 'b', 'a', 'b', 'a', 'a')
    assert.equal(await store.acknowledgeEvent(id, 'crm', a3), 'acked')
    assert.deepEqual(await peek(), [a1, a2, a4])
    assert.deepEqual(await take('x', { limit: 1 }), [a1])
    assert.deepEqual(await take('y'), [a2, a4])
    assert.deepEqual(await take('z'), [])
  },

  'acknowledging takes an event out of leases, parking and dead letters': async (stage) => {
    const { store, id, publish, makeInbox, take, ack, release, deadLetters, drain } = stage
    await makeInbox({ max_attempts: 2 })
    const [a, b, c, d] = await publish('a', 'b', 'c', 'd')
    await take('x')
    assert.equal(await store.acknowledgeEvent(id, 'crm', b), 'acked', 'leased')
    assert.deepEqual(await take('x'), [a, c, d])
    assert.deepEqual(await ack('x', [b]), ['already'])
    await release('x', { positions: [c], delayMs: 5000 })
    assert.equal(await store.acknowledgeEvent(id, 'crm', c), 'acked', 'parked')
    await release('x', { positions: [d] })
    await take('y')
    assert.deepEqual(await release('y'), ['dead'])
    assert.equal(await store.acknowledgeEvent(id, 'crm', d), 'acked', 'dead')
    assert.deepEqual(await deadLetters(), [])
    for (const position of [b, c, d]) assert.equal(await store.acknowledgeEvent(id, 'crm', position), 'already')
    assert.equal(await store.acknowledgeEvent(id, 'crm', a), 'acked')
    assert.deepEqual(await take('x'), [])
    stage.advance(60_000)
    assert.deepEqual(await drain(), [])
  },

  'an event that does not exist is unknown': async ({ store, id, publish, makeInbox, take }) => {
    await makeInbox()
    const [a] = await publish('a')
    for (const position of [a + 1, 0, -1, 2 ** 48 - 1])
      assert.equal(await store.acknowledgeEvent(id, 'crm', position), 'unknown')
    assert.deepEqual(await take('x'), [a])
  },
}

export const peekCases: ContractCases = {
  'peeking shows what waits, oldest first, and changes nothing': async (stage) => {
    const { store, id, publish, makeInbox, take, ack, release, peek, takeAttempts } = stage
    await makeInbox()
    const [a, b, c, d, e, f] = await publish('a', 'b', 'c', 'd', 'e', 'f')
    await take('x', { limit: 4 })
    await ack('x', [a])
    await release('x', { positions: [d] })
    await release('x', { positions: [b], delayMs: 5000 })
    const before = [await store.readProgress(id, 'crm'), await store.findInbox(id, 'crm')]
    assert.deepEqual(await peek(), [b, d, e, f])
    assert.deepEqual(await peek(), [b, d, e, f])
    assertSame([await store.readProgress(id, 'crm'), await store.findInbox(id, 'crm')], before)
    assert.deepEqual(await takeAttempts('y'), { [d]: 2, [e]: 1, [f]: 1 })
    assert.deepEqual(await peek(), [b])
    assert.deepEqual(await take('x'), [c])
  },

  'peeking goes page after page, and back to any of them': async ({ store, id, publishMany, makeInbox }) => {
    await makeInbox()
    const all = await publishMany(25)
    const found: number[] = []
    let after = 0
    for (const size of [10, 10, 5]) {
      const page = await store.peekEvents(id, 'crm', { after, limit: 10 })
      assert.equal(page.events.length, size)
      assert.equal(page.more, size === 10)
      found.push(...positionsOf(page.events))
      after = found.at(-1) ?? 0
    }
    assert.deepEqual(found, all)
    assert.deepEqual(positionsOf((await store.peekEvents(id, 'crm', { after: 0, limit: 3 })).events), all.slice(0, 3))
    const end = await store.peekEvents(id, 'crm', { after: all.at(-1)!, limit: 10 })
    assert.deepEqual([end.events, end.more], [[], false])
  },

  'a paused inbox can be looked at': async ({ store, id, publish, makeInbox, peek }) => {
    await makeInbox()
    const [a] = await publish('a')
    await store.updateInbox(id, 'crm', { status: 'paused' })
    assert.deepEqual(await peek(), [a])
  },

  'peeking passes long stretches of unwanted events in steps': async ({ publish, publishMany, makeInbox, peek }) => {
    await makeInbox({ filter: { event_types: ['rare'] } })
    const [first] = await publish('rare')
    await publishMany(12_000, 'common')
    const [last] = await publish('rare')
    assert.deepEqual(await peek(), [first, last])
  },
}

export const seekCases: ContractCases = {
  'seeking back hands out again from there, as for the first time': async ({
    store,
    id,
    publish,
    makeInbox,
    take,
    takeAttempts,
    ack,
    release,
  }) => {
    await makeInbox()
    const [a, b, c] = await publish('a', 'b', 'c')
    await take('x')
    await release('x', { positions: [c] })
    await ack('x', [a, b])
    const before = await store.findInbox(id, 'crm')
    const after = await store.seekInbox(id, 'crm', b)
    assert.equal(after.generation, (before?.generation ?? 0) + 1)
    assert.equal(after.revision, before?.revision)
    assert.equal(after.next, b)
    assertSame(await store.findInbox(id, 'crm'), after)
    assert.deepEqual(await takeAttempts('y'), { [b]: 1, [c]: 1 })
    await ack('y')
    await store.seekInbox(id, 'crm', 1)
    assert.deepEqual(await take('z'), [a, b, c])
  },

  'seeking voids leases and what was given back': async (stage) => {
    const { store, id, publish, makeInbox, take, ack, release } = stage
    await makeInbox()
    const [a, b, c] = await publish('a', 'b', 'c')
    await take('x', { limit: 2 })
    await take('y')
    await release('x', { positions: [b], delayMs: 1000 })
    await store.seekInbox(id, 'crm', c)
    assert.deepEqual(
      await store
        .readProgress(id, 'crm')
        .then(({ leased, parked, waiting, behind }) => [leased, parked, waiting, behind]),
      [0, 0, 0, 1],
    )
    assert.equal(await store.extendLease(id, 'crm', 'x', 1000), undefined)
    stage.advance(60_000)
    await store.expireLeases()
    assert.deepEqual(await take('z'), [c])
    assert.deepEqual(await ack('x', [a]), ['lost'])
    assert.deepEqual(await ack('y', [c]), ['lost'])
    assert.deepEqual(await take('z'), [c])
  },

  'a lease from before a seek acknowledges nothing after it': async (stage) => {
    const { store, id, publish, makeInbox, take, ack, release, expire, drain } = stage
    await makeInbox()
    const [a, b] = await publish('a', 'b')
    await take('held')
    await store.seekInbox(id, 'crm', 1)
    assert.deepEqual(await ack('held', [a, b]), ['lost', 'lost'])
    assert.deepEqual(await release('held', { positions: [a], delayMs: 60_000 }), ['lost'])
    await assert.rejects(ack('held'), { code: 'lease-lost' }, 'what it held is not known any more')
    await take('lapsed')
    await expire()
    await store.seekInbox(id, 'crm', 1)
    for (const status of await ack('lapsed', [a, b])) assert.ok(['lost', 'unknown'].includes(status), status)
    assert.deepEqual(await drain(), [a, b])
    await store.seekInbox(id, 'crm', 1)
    await take('forward')
    await expire()
    await store.seekInbox(id, 'crm', b + 1)
    assert.deepEqual(await ack('forward', [a, b]), ['lost', 'lost'], 'nobody has acknowledged them')
  },

  'the name of a void lease can be used again': async ({ store, id, publish, makeInbox, take, ack, drain }) => {
    await makeInbox()
    const [a, b] = await publish('a', 'b')
    assert.deepEqual(await take('x', { limit: 1 }), [a])
    await store.seekInbox(id, 'crm', 1)
    assert.deepEqual(await take('x'), [a, b])
    assert.deepEqual(await ack('x'), ['acked', 'acked'])
    assert.deepEqual(await drain(), [])
  },

  'seeking forward leaves out what is between, and back brings it again': async ({
    store,
    id,
    publish,
    makeInbox,
    take,
    drain,
    verdict,
  }) => {
    await makeInbox()
    const [a, b, c, d] = await publish('a', 'b', 'c', 'd')
    await take('x', { limit: 1 })
    await store.seekInbox(id, 'crm', d)
    for (const position of [a, b, c]) assert.equal((await verdict(position)).verdict, 'passed-by-seek')
    assert.deepEqual(await drain(), [d])
    await store.seekInbox(id, 'crm', b)
    assert.equal((await verdict(a)).verdict, 'passed-by-seek')
    assert.equal((await verdict(c)).verdict, 'waiting')
    assert.deepEqual(await drain(), [b, c, d])
  },

  'dead letters stay where they are': async ({ store, id, publish, makeInbox, take, release, deadLetters }) => {
    await makeInbox({ max_attempts: 1 })
    const [a, b] = await publish('a', 'b')
    await take('x', { limit: 1 })
    await release('x')
    await store.seekInbox(id, 'crm', b + 1)
    assert.deepEqual(await deadLetters(), [a])
    assert.equal(await store.settleDeadLetters(id, 'crm', { positions: [a] }, 'replay'), 1)
    assert.deepEqual(await take('y'), [a])
  },
}
