import assert from 'node:assert/strict'
import type { ContractCases } from './stage.ts'

/** What a consumer is told of a lease that is not whole any more. */
export const lapsedCases: ContractCases = {
  'without positions, an acknowledgement names what another lease holds by now': async ({
    store,
    id,
    publish,
    makeInbox,
    take,
    advance,
  }) => {
    await makeInbox()
    const [a, b] = await publish('a', 'b')
    await take('old', { leaseMs: 1000 })
    advance(1001)
    assert.deepEqual(await take('new'), [a])
    const settled = await store.settleLease(id, 'crm', { leaseId: 'old', outcome: { kind: 'ack' } })
    assert.deepEqual(
      settled
        .map(({ position, status }) => [position, status])
        .toSorted(([one], [other]) => Number(one) - Number(other)),
      [
        [a, 'lost'],
        [b, 'acked'],
      ],
    )
  },

  'without positions, a lease taken again under its name stands for what it holds now': async (stage) => {
    const { publish, makeInbox, take, ack, advance, drain } = stage
    await makeInbox()
    const [a, b, c, d] = await publish('a', 'b', 'c', 'd')
    await take('x', { limit: 4, leaseMs: 1000 })
    advance(1001)
    assert.deepEqual(await take('x', { limit: 1 }), [a])
    assert.deepEqual(await ack('x'), ['acked'])
    assert.deepEqual(await drain(), [b, c, d])
  },

  'a late acknowledgement and a poll at the same moment: what was acknowledged stays so': async (stage) => {
    const { store, id, publish, makeInbox, take, ack, advance, drain } = stage
    await makeInbox()
    for (let round = 0; round < 5; round += 1) {
      await publish('a')
      await take(`old-${round}`, { leaseMs: 1000 })
      advance(1001)
      const [settled, { events }] = await Promise.all([
        ack(`old-${round}`),
        store.leaseEvents(id, 'crm', { leaseId: `new-${round}`, limit: 10, leaseMs: 1000 }),
      ])
      assert.deepEqual(settled, ['acked'])
      assert.equal(events.length, 0)
    }
    assert.deepEqual(await drain(), [])
  },

  'a late extension and a poll at the same moment: the lease goes on': async (stage) => {
    const { store, id, publish, makeInbox, take, advance, ack } = stage
    await makeInbox()
    await publish('a')
    await take('old', { leaseMs: 1000 })
    advance(1001)
    const [extended, { events }] = await Promise.all([
      store.extendLease(id, 'crm', 'old', 60_000),
      store.leaseEvents(id, 'crm', { leaseId: 'new', limit: 10, leaseMs: 1000 }),
    ])
    assert.ok(extended)
    assert.equal(events.length, 0)
    assert.deepEqual(await ack('old'), ['acked'])
  },

  'without positions, an acknowledgement after a seek is refused': async ({ store, id, publish, makeInbox, take }) => {
    await makeInbox()
    await publish('a')
    await take('old')
    await store.seekInbox(id, 'crm', 1)
    await assert.rejects(store.settleLease(id, 'crm', { leaseId: 'old', outcome: { kind: 'ack' } }), {
      code: 'lease-lost',
    })
  },

  'a release can be repeated, and acknowledges nothing': async ({ store, id, publish, makeInbox, take }) => {
    await makeInbox()
    const [a, b] = await publish('a', 'b')
    await take('x')
    const release = { leaseId: 'x', positions: [a], outcome: { kind: 'release', count: true } } as const
    assert.deepEqual(
      (await store.settleLease(id, 'crm', release)).map(({ status }) => status),
      ['released'],
    )
    assert.deepEqual(
      (await store.settleLease(id, 'crm', release)).map(({ status }) => status),
      ['already'],
    )
    const acked = await store.settleLease(id, 'crm', { leaseId: 'x', outcome: { kind: 'ack' } })
    assert.deepEqual(
      acked.map(({ position, status }) => [position, status]),
      [[b, 'acked']],
    )
    assert.deepEqual(await take('y'), [a])
  },
}
