import assert from 'node:assert/strict'
import { inboxDefaults, type Filter } from '@sluice/protocol'
import { positionsOf, toDraft, type ContractCases } from './stage.ts'

const events = {
  created: toDraft({
    type: 'order.created',
    source: 'shop',
    subject: 'o-1',
    payload: { total: 5, lines: [{ sku: 'x' }] },
  }),
  paid: toDraft({
    type: 'order.paid',
    source: 'till-3',
    subject: 'o-2',
    payload: { total: 50 },
    identity: { id: 'i1', email: 'ada@example.com' },
  }),
  invoice: toDraft({ type: 'invoice.paid', payload: { total: '50' }, identity: { id: 'i2' } }),
  own: toDraft({ type: 'sluice.inbox.broken', source: 'sluice' }),
}
type EventName = keyof typeof events
const names = ['created', 'paid', 'invoice', 'own'] as const

const filters: readonly (readonly [filter: Filter, wanted: readonly EventName[]])[] = [
  [{}, ['created', 'paid', 'invoice']],
  [{ event_types: [] }, ['created', 'paid', 'invoice']],
  [{ event_types: ['*'] }, ['created', 'paid', 'invoice']],
  [{ event_types: ['*.paid'] }, ['paid', 'invoice']],
  [{ event_types: ['order.created', 'invoice.*'] }, ['created', 'invoice']],
  [{ event_types: ['sluice.*'] }, ['own']],
  [{ event_types: ['*', 'sluice.*'] }, ['created', 'paid', 'invoice', 'own']],
  [{ sources: ['shop', 'till-*'] }, ['created', 'paid']],
  [{ sources: ['*'] }, ['created', 'paid']],
  [{ subjects: ['o-*'] }, ['created', 'paid']],
  [{ identity: { id: 'i1' } }, ['paid']],
  [{ identity: { id: 'i1', email: 'bob@example.com' } }, []],
  [{ payload: [{ pointer: '/total', gte: 5 }] }, ['created', 'paid']],
  [{ payload: [{ pointer: '/total', equals: '50' }] }, ['invoice']],
  [{ payload: [{ pointer: '/lines/0/sku', exists: true }] }, ['created']],
  [{ event_types: ['order.*'], payload: [{ pointer: '/total', gt: 5 }] }, ['paid']],
  [{ event_types: ['nothing'] }, []],
]

export const filterCases: ContractCases = {
  'each filter hands out and shows what it wants, and nothing else': async ({
    store,
    id,
    makeInbox,
    take,
    peek,
    verdict,
  }) => {
    for (const [index, [filter]] of filters.entries()) await makeInbox({ filter }, { key: `f${index}` })
    const outcomes = await store.appendEvents(
      id,
      names.map((name) => events[name]),
    )
    const nameOf = (position: number): EventName | undefined =>
      names[outcomes.findIndex((outcome) => outcome.status !== 'mismatch' && outcome.position === position)]
    for (const [index, [filter, wanted]] of filters.entries()) {
      const about = JSON.stringify(filter)
      const inbox = `f${index}`
      assert.deepEqual((await peek(inbox)).map(nameOf), wanted, about)
      assert.deepEqual((await take('x', { inbox })).map(nameOf), wanted, about)
      assert.deepEqual((await take('y', { inbox })).map(nameOf), [], about)
      for (const outcome of outcomes) {
        assert.ok(outcome.status !== 'mismatch')
        const { verdict: found } = await verdict(outcome.position, inbox)
        assert.equal(found, wanted.includes(nameOf(outcome.position)!) ? 'leased' : 'filtered', about)
      }
    }
  },

  "an inbox without a filter leaves out the hub's own events wherever they stand": async ({
    store,
    id,
    makeInbox,
    take,
    peek,
    drain,
  }) => {
    await makeInbox()
    const mixed = Array.from({ length: 30 }, (_, index) => toDraft(index % 7 === 3 ? 'sluice.note' : 'a'))
    const outcomes = await store.appendEvents(id, mixed)
    const wanted = outcomes.flatMap((outcome, index) =>
      outcome.status === 'stored' && index % 7 !== 3 ? [outcome.position] : [],
    )
    assert.deepEqual(await peek(), wanted)
    assert.deepEqual(await take('x', { limit: 4 }), wanted.slice(0, 4))
    assert.deepEqual(await drain(), wanted.slice(4))
  },

  'what a filter passed over is not looked at again': async (stage) => {
    const { store, publish, publishMany, makeInbox, take } = stage
    await makeInbox({ filter: { event_types: ['rare'] } })
    await publishMany(5000, 'common')
    assert.deepEqual(await take('x'), [])
    const looked = store.stats().rowsScanned
    for (let round = 0; round < 20; round += 1) assert.deepEqual(await take('x'), [])
    assert.equal(store.stats().rowsScanned, looked)
    await publishMany(10, 'common')
    const [rare] = await publish('rare')
    assert.deepEqual(await take('x'), [rare])
    assert.ok(store.stats().rowsScanned - looked <= 20, 'the cost depends on what is new')
  },

  'a long stretch of unwanted events is passed in steps': async ({
    store,
    id,
    publish,
    publishMany,
    makeInbox,
    lease,
  }) => {
    await makeInbox({ filter: { event_types: ['rare'] } })
    await publishMany(8000, 'common')
    const [rare] = await publish('rare')
    const grant = await store.leaseEvents(id, 'crm', { leaseId: 'x', limit: 10, leaseMs: 1000 })
    assert.ok(grant.events.length === 1 || grant.more)
    assert.deepEqual(positionsOf((await lease('x')).events), [rare])
  },

  'a new filter holds for what was not yet looked at': async ({
    store,
    id,
    publish,
    makeInbox,
    take,
    release,
    ack,
    drain,
  }) => {
    await makeInbox({ filter: { event_types: ['a'] } })
    const [a1, b1, a2, b2] = await publish('a', 'b', 'a', 'b')
    assert.deepEqual(await take('x', { limit: 1 }), [a1])
    await store.updateInbox(id, 'crm', { settings: { ...inboxDefaults, filter: { event_types: ['b'] } } })
    await release('x')
    assert.deepEqual(await take('y', { limit: 1 }), [a1], 'what was handed out before stays')
    await ack('y')
    const rest = await drain()
    assert.deepEqual(rest, [b1, b2])
    assert.ok(!rest.includes(a2))
  },

  'events that were passed over keep the filter that let them in': async ({
    store,
    id,
    publish,
    makeInbox,
    drain,
    peek,
  }) => {
    await makeInbox()
    const [a, b, c, d] = await publish('a', 'b', 'c', 'd')
    assert.equal(await store.acknowledgeEvent(id, 'crm', c), 'acked')
    await store.updateInbox(id, 'crm', { settings: { ...inboxDefaults, filter: { event_types: ['d'] } } })
    assert.deepEqual(await peek(), [a, b, d])
    assert.deepEqual(
      (await drain()).toSorted((one, other) => one - other),
      [a, b, d],
    )
  },
}
