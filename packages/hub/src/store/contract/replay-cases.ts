import assert from 'node:assert/strict'
import { positionsOf, type ContractCases } from './stage.ts'

export const replayCases: ContractCases = {
  'an event that is done is handed out again, as for the first time': async ({
    store,
    id,
    publish,
    makeInbox,
    drain,
    takeAttempts,
    ack,
  }) => {
    await makeInbox()
    const [a, b] = await publish('a', 'b')
    assert.deepEqual(await drain(), [a, b])
    assert.equal(await store.replayEvent(id, 'crm', a, false), 'replayed')
    assert.equal(await store.replayEvent(id, 'crm', a, false), 'already-waiting')
    const [c] = await publish('c')
    assert.deepEqual(await takeAttempts('x'), { [a]: 1, [c]: 1 })
    assert.deepEqual(await ack('x'), ['acked', 'acked'])
    assert.deepEqual(await drain(), [])
  },

  'an event that waits or is leased is not doubled': async ({
    store,
    id,
    publish,
    makeInbox,
    take,
    release,
    drain,
  }) => {
    await makeInbox()
    const [a, b, c] = await publish('a', 'b', 'c')
    await take('x', { limit: 2 })
    await release('x', { positions: [b], delayMs: 5000 })
    assert.equal(await store.replayEvent(id, 'crm', a, false), 'leased')
    assert.equal(await store.replayEvent(id, 'crm', b, false), 'already-waiting')
    assert.equal(await store.replayEvent(id, 'crm', c, false), 'already-waiting')
    assert.deepEqual(await drain(), [c])
  },

  'an event that the filter excludes is replayed only past the filter, and once': async ({
    store,
    id,
    publish,
    makeInbox,
    drain,
    verdict,
  }) => {
    await makeInbox({ filter: { event_types: ['a'] } })
    const [b1, a1] = await publish('b', 'a')
    assert.deepEqual(await drain(), [a1])
    const [b2, a2] = await publish('b', 'a')
    for (const position of [b1, b2]) {
      assert.equal(await store.replayEvent(id, 'crm', position, false), 'filtered')
      assert.equal(await store.replayEvent(id, 'crm', position, true), 'replayed')
      assert.equal((await verdict(position)).verdict, 'waiting')
    }
    assert.deepEqual(
      (await drain()).toSorted((a, b) => a - b),
      [b1, b2, a2],
    )
    assert.deepEqual(await drain(), [])
    for (const position of [b1, b2]) assert.equal((await verdict(position)).verdict, 'acknowledged')
  },

  'a replayed dead letter is no dead letter any more': async ({
    store,
    id,
    publish,
    makeInbox,
    take,
    release,
    deadLetters,
    takeAttempts,
  }) => {
    await makeInbox({ max_attempts: 1 })
    const [a] = await publish('a')
    await take('x')
    assert.deepEqual(await release('x'), ['dead'])
    assert.equal(await store.replayEvent(id, 'crm', a, false), 'replayed')
    assert.deepEqual(await deadLetters(), [])
    assert.deepEqual(await takeAttempts('y'), { [a]: 1 })
  },

  'an event passed by a seek can be replayed': async ({ store, id, publish, makeInbox, drain }) => {
    await makeInbox()
    const [a, b] = await publish('a', 'b')
    await store.seekInbox(id, 'crm', b + 1)
    assert.equal(await store.replayEvent(id, 'crm', a, false), 'replayed')
    assert.deepEqual(await drain(), [a])
  },
}

export const deadLetterCases: ContractCases = {
  'dead letters are listed, chosen, counted, replayed and discarded': async (stage) => {
    const { store, id, publish, makeInbox, take, release, deadLetters, takeAttempts, ack } = stage
    await makeInbox({ max_attempts: 1 })
    const [a, b] = await publish('order.created', 'order.paid')
    await take('x')
    await release('x')
    stage.advance(10_000)
    const middleMs = store.nowMs()
    stage.advance(10_000)
    const [c, d] = await publish('order.paid', 'invoice.paid')
    await take('y')
    await release('y')
    assert.deepEqual(await deadLetters(), [a, b, c, d])
    assert.deepEqual(positionsOf(await store.listDeadLetters(id, 'crm', { after: a, limit: 2 })), [b, c])
    const count = (choice: Parameters<typeof store.settleDeadLetters>[2]): Promise<number> =>
      store.settleDeadLetters(id, 'crm', choice, 'count')
    assert.equal(await count({}), 4)
    assert.equal(await count({ positions: [a, d, d + 1] }), 2)
    assert.equal(await count({ eventType: 'order.paid' }), 2)
    assert.equal(await count({ eventType: 'order.*' }), 3)
    assert.equal(await count({ afterMs: middleMs }), 2)
    assert.equal(await count({ beforeMs: middleMs, eventType: 'order.paid' }), 1)
    assert.equal(await count({ eventType: 'order' }), 0)
    assert.deepEqual(await deadLetters(), [a, b, c, d], 'counting changes nothing')
    assert.equal(await store.settleDeadLetters(id, 'crm', { eventType: 'order.paid' }, 'replay'), 2)
    assert.equal(await store.settleDeadLetters(id, 'crm', { positions: [a] }, 'discard'), 1)
    assert.equal(await store.settleDeadLetters(id, 'crm', { positions: [a] }, 'discard'), 0)
    assert.deepEqual(await deadLetters(), [d])
    assert.deepEqual(await takeAttempts('z'), { [b]: 1, [c]: 1 })
    assert.deepEqual(await ack('z'), ['acked', 'acked'])
    assert.deepEqual(await take('w'), [])
  },

  'a dead letter whose event is under way again is not handed out twice': async ({
    store,
    id,
    publish,
    makeInbox,
    take,
    release,
    ack,
    deadLetters,
  }) => {
    await makeInbox({ max_attempts: 1 })
    const [a, b] = await publish('a', 'b')
    await take('x')
    await release('x')
    await store.seekInbox(id, 'crm', a)
    assert.deepEqual(await take('y', { limit: 1 }), [a])
    await store.settleDeadLetters(id, 'crm', {}, 'replay')
    assert.deepEqual(await deadLetters(), [])
    assert.deepEqual(await take('z'), [b])
    assert.deepEqual(await ack('y'), ['acked'])
    assert.deepEqual(await ack('z'), ['acked'])
    assert.deepEqual(await take('w'), [])
  },

  'dead letters survive a crash, and end with their inbox': async (stage) => {
    const { id, publish, makeInbox, take, release, deadLetters } = stage
    await makeInbox({ max_attempts: 1 })
    await makeInbox({ max_attempts: 1 }, { key: 'other' })
    const [a] = await publish('a')
    for (const inbox of ['crm', 'other']) {
      await take('x', { inbox })
      await release('x', { inbox })
    }
    await stage.crash()
    assert.deepEqual(await deadLetters(), [a])
    await stage.store.deleteInbox(id, 'crm')
    assert.deepEqual(await deadLetters('other'), [a])
  },
}
