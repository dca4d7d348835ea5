import assert from 'node:assert/strict'
import { inboxDefaults } from '@sluice/protocol'
import type { ContractCases } from './stage.ts'

export const explainCases: ContractCases = {
  'every inbox gives its verdict': async (stage) => {
    const { store, id, publish, makeInbox, take, ack, release, verdict } = stage
    const [early] = await publish('a')
    await makeInbox({ max_attempts: 1 }, { start: early + 1 })
    const [acked, leased, parked, waiting, dead, behind] = await publish('a', 'a', 'a', 'a', 'a', 'a')
    await take('x', { limit: 5 })
    await release('x', { positions: [parked], delayMs: 5000, count: false })
    await release('x', { positions: [waiting], count: false })
    await release('x', { positions: [dead], reason: 'no such customer' })
    await ack('x', [acked])
    const found = async (position: number): Promise<string> => (await verdict(position)).verdict
    assert.equal(await found(early), 'before-start')
    assert.equal(await found(acked), 'acknowledged')
    assert.equal(await found(leased), 'leased')
    assert.equal(await found(parked), 'parked')
    assert.equal(await found(waiting), 'waiting')
    assert.equal(await found(dead), 'dead')
    assert.equal(await found(behind), 'waiting')
    assert.equal((await verdict(leased)).leaseId, 'x')
    assert.equal((await verdict(leased)).leasedUntilMs, store.nowMs() + 30_000)
    assert.equal((await verdict(leased)).attempts, 1)
    assert.equal((await verdict(parked)).availableMs, store.nowMs() + 5000)
    assert.equal((await verdict(dead)).reason, 'no such customer')
    assert.equal((await verdict(dead)).attempts, 1)
    assert.equal((await verdict(behind)).attempts, 0)
    const all = await store.explainEvent(id, behind)
    assert.deepEqual(
      all.map(({ inbox, verdict: of }) => [inbox, of]),
      [
        ['crm', 'waiting'],
        ['default', 'waiting'],
      ],
    )
    stage.advance(5001)
    assert.equal(await found(parked), 'waiting')
    await store.seekInbox(id, 'crm', behind)
    assert.equal(await found(leased), 'passed-by-seek')
    assert.equal(await found(acked), 'acknowledged')
  },

  'a verdict tells the failed attempts': async ({ publish, makeInbox, take, release, expire, verdict, ack }) => {
    await makeInbox()
    const [a] = await publish('a')
    await take('x')
    await release('x', { reason: 'busy' })
    await take('y')
    await expire()
    const { history, attempts } = await verdict(a)
    assert.equal(attempts, 2)
    assert.deepEqual(
      history.map(({ attempt, outcome, reason }) => [attempt, outcome, reason]),
      [
        [1, 'released', 'busy'],
        [2, 'expired', null],
      ],
    )
    await take('z')
    await ack('z')
    assert.equal((await verdict(a)).verdict, 'acknowledged')
    assert.equal((await verdict(a)).history.length, 2)
  },

  'a filtered event names the rule and the revision that excluded it': async ({
    store,
    id,
    publish,
    makeInbox,
    take,
    ack,
    drain,
    verdict,
  }) => {
    await makeInbox({ filter: { event_types: ['a'] } })
    const [a1, b1] = await publish('a', 'b')
    assert.deepEqual(await take('x'), [a1])
    await ack('x')
    const about = async (position: number): Promise<unknown[]> => {
      const { verdict: of, rule, revision } = await verdict(position)
      return [of, rule, of === 'filtered' ? revision : null]
    }
    assert.deepEqual(await about(b1), ['filtered', '/event_types', 1])
    // What the revision excluded must have been looked at before the next one: one more hand-out makes sure of it.
    const [a2] = await publish('a')
    assert.deepEqual(await drain(), [a2])
    const filter = { event_types: ['b'], payload: [{ pointer: '/n', equals: 1 }] }
    await store.updateInbox(id, 'crm', { settings: { ...inboxDefaults, filter } })
    const [a3, b2, b3] = await publish('a', { type: 'b', payload: { n: 2 } }, { type: 'b', payload: { n: 1 } })
    assert.deepEqual(await about(a3), ['filtered', '/event_types', 2], 'not yet looked at')
    assert.deepEqual(await drain(), [b3])
    assert.deepEqual(await about(a1), ['acknowledged', null, null])
    assert.deepEqual(await about(b1), ['filtered', '/event_types', 1])
    assert.deepEqual(await about(a3), ['filtered', '/event_types', 2])
    assert.deepEqual(await about(b2), ['filtered', '/payload/0', 2])
    assert.deepEqual(await about(b3), ['acknowledged', null, null])
    await store.seekInbox(id, 'crm', 1)
    assert.deepEqual(
      await about(a1),
      ['filtered', '/event_types', 2],
      'the present filter holds for what is looked at again',
    )
  },

  'a lease that nobody noticed to have run out is as good as waiting': async (stage) => {
    await stage.makeInbox()
    const [a] = await stage.publish('a')
    await stage.take('x')
    stage.advance(30_001)
    assert.ok(['leased', 'waiting'].includes((await stage.verdict(a)).verdict))
    await stage.store.expireLeases()
    assert.equal((await stage.verdict(a)).verdict, 'waiting')
  },
}
