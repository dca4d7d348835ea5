import assert from 'node:assert/strict'
import type { Store } from '../store.ts'
import { assertSame, positionsOf, type ContractCases } from './stage.ts'

export const searchCases: ContractCases = {
  'a position is found by time': async ({ store, id, publish, advance }) => {
    assert.equal(await store.findPosition(id, 0), 1)
    const [a] = await publish('a')
    const [{ acceptedMs: firstMs } = { acceptedMs: 0 }] = await store.readEvents(id, [a])
    advance(1000)
    const [b, c] = await publish('b', 'c')
    assert.equal(await store.findPosition(id, 0), a)
    assert.equal(await store.findPosition(id, firstMs), a)
    assert.equal(await store.findPosition(id, firstMs + 1), b)
    assert.equal(await store.findPosition(id, firstMs + 1000), b, 'the first of several')
    assert.equal(await store.findPosition(id, firstMs + 1001), c + 1)
  },

  'a search keeps to every filter, newest first': async ({ store, id, publish, advance }) => {
    const identity = { id: 'i1', email: 'ada@example.com', phone: '+1', external_id: 'x9' }
    const [a] = await publish({
      type: 'order.created',
      source: 'shop',
      subject: 's1',
      channel: 'eu',
      payload: { note: '100% wool_x', n: 12 },
    })
    advance(1000)
    const middleMs = store.nowMs()
    advance(1000)
    const [b, c] = await publish(
      { type: 'order.paid', source: 'till', subject: 's1', identity },
      { type: 'invoice.paid', entity: { type: 'invoice', id: '7' } },
    )
    const search = async (filter: object): Promise<number[]> =>
      positionsOf((await store.searchEvents(id, { before: c + 1, limit: 10, rowBudget: 1000, ...filter })).events)
    assert.deepEqual(await search({}), [c, b, a])
    assert.deepEqual(await search({ limit: 2 }), [c, b])
    assert.deepEqual(await search({ before: c }), [b, a])
    assert.deepEqual(await search({ eventType: 'order.*' }), [b, a])
    assert.deepEqual(await search({ eventType: 'order.paid' }), [b])
    assert.deepEqual(await search({ eventType: '*.paid' }), [c, b])
    assert.deepEqual(await search({ source: 'shop' }), [a])
    assert.deepEqual(await search({ subject: 's1' }), [b, a])
    assert.deepEqual(await search({ channel: 'eu' }), [a])
    for (const value of Object.values(identity)) assert.deepEqual(await search({ identity: value }), [b], value)
    assert.deepEqual(await search({ identity: 'i' }), [])
    assert.deepEqual(await search({ entity: '7' }), [c])
    assert.deepEqual(await search({ entity: 'invoice:7' }), [c])
    assert.deepEqual(await search({ entity: 'order:7' }), [])
    assert.deepEqual(await search({ text: '100% wool_' }), [a])
    assert.deepEqual(await search({ text: 'w_ol' }), [], 'no wildcards in text')
    assert.deepEqual(await search({ text: 'shop' }), [], 'text is looked for in the payload only')
    assert.deepEqual(await search({ afterMs: middleMs }), [c, b])
    assert.deepEqual(await search({ beforeMs: middleMs }), [a])
    assert.deepEqual(await search({ subject: 's1', eventType: '*.paid', source: 'till' }), [b])
  },

  'a search that finds little ends at its budget and says how far it came': async ({
    store,
    id,
    publish,
    publishMany,
  }) => {
    const [needle] = await publish('needle')
    const hay = await publishMany(95, 'hay')
    let before = (hay.at(-1) ?? 0) + 1
    for (let round = 0; round < 100; round += 1) {
      const { events, scannedTo } = await store.searchEvents(id, {
        before,
        limit: 5,
        rowBudget: 10,
        eventType: 'needle',
      })
      if (scannedTo === null) return assert.deepEqual(positionsOf(events), [needle])
      assert.deepEqual(
        events.filter(({ position }) => position !== needle),
        [],
      )
      assert.ok(scannedTo < before && before - scannedTo <= 10, 'on, but no further than the budget')
      if (events.length > 0) return assert.equal(scannedTo, needle)
      before = scannedTo
    }
    assert.fail('the search never ends')
  },

  'a page of a search that is full tells where to go on': async ({ store, id, publishMany }) => {
    const all = (await publishMany(25)).toReversed()
    const found: number[] = []
    let before: number | null = Number.MAX_SAFE_INTEGER
    for (let round = 0; before !== null && round < 20; round += 1) {
      const page: Awaited<ReturnType<Store['searchEvents']>> = await store.searchEvents(id, {
        before,
        limit: 10,
        rowBudget: 1000,
      })
      found.push(...positionsOf(page.events))
      before = page.scannedTo
    }
    assert.deepEqual(found, all)
  },

  'a scan goes on from where it was, whatever inboxes have done': async ({
    store,
    id,
    publish,
    publishMany,
    makeInbox,
    drain,
  }) => {
    await makeInbox()
    const [a] = await publish('a')
    const hay = await publishMany(30, 'hay')
    const [b] = await publish('a')
    await drain()
    const found: number[] = []
    let after = 0
    for (let round = 0; after < b && round < 20; round += 1) {
      const { events, scannedTo } = await store.scanEvents(id, {
        after,
        filter: { event_types: ['a'] },
        limit: 1,
        rowBudget: 10,
      })
      assert.ok(scannedTo > after && events.every(({ position }) => position > after && position <= scannedTo))
      found.push(...positionsOf(events))
      after = scannedTo
    }
    assert.deepEqual(found, [a, b])
    assert.deepEqual(
      positionsOf((await store.scanEvents(id, { after: a, filter: {}, limit: 30, rowBudget: 1000 })).events),
      hay,
    )
  },

  'events of a range are held against several filters': async ({ store, id, publish }) => {
    const all = await publish('a', { type: 'b', source: 's' }, 'c', { type: 'a', source: 's' }, 'a')
    await store.eraseEvents(id, [all[4]])
    const filters = [{ event_types: ['a'] }, { sources: ['s'] }]
    const look = (after: number, last: number, rowBudget = 100) =>
      store.matchEvents(id, { after, last, filters, rowBudget })
    const whole = await look(0, all[4])
    assertSame(
      whole.matched.map(({ position, wantedBy }) => [position, ...wantedBy]),
      [
        [all[0], true, false],
        [all[1], false, true],
        [all[3], true, true],
      ],
    )
    assert.equal(whole.lookedTo, all[4])
    const part = await look(all[0], all[4], 2)
    assertSame([part.lookedTo, part.matched.map(({ position }) => position)], [all[2], [all[1]]])
    assertSame(await look(all[4], all[4] + 10), { matched: [], lookedTo: all[4] + 10 })
  },

  'a look at large events ends before its rows do': async ({ store, id, publishMany }) => {
    const positions = await publishMany(80, { payload: { text: 'x'.repeat(500_000) } })
    const last = positions.at(-1) ?? 0
    const { lookedTo } = await store.matchEvents(id, { after: 0, last, filters: [{}], rowBudget: 1000 })
    assert.ok(lookedTo < last && lookedTo > 50, String(lookedTo))
  },
}
