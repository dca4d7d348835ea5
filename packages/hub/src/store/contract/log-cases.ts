import assert from 'node:assert/strict'
import { HubError, tagSpace } from '@sluice/protocol'
import type { AppendOutcome, Store } from '../store.ts'
import { dayMs, positionsOf, toDraft, type ContractCases } from './stage.ts'

export const notFound = (error: unknown): boolean => error instanceof HubError && error.code === 'not-found'

const positionOf = (outcome: AppendOutcome | undefined): number =>
  outcome && outcome.status !== 'mismatch' ? outcome.position : assert.fail(`no position: ${outcome?.status}`)

const statusesOf = (outcomes: readonly AppendOutcome[]): string[] => outcomes.map(({ status }) => status)

/** Reads all that a workspace holds, oldest first. */
async function readAll(store: Store, id: number): Promise<number[]> {
  const { events } = await store.scanEvents(id, { after: 0, filter: {}, limit: 10_000, rowBudget: 100_000 })
  return positionsOf(events)
}

const repeated = { dedup: [{ key: 'k', fingerprint: 'f' }] }

export const workspaceCases: ContractCases = {
  'a workspace is made once': async ({ store }) => {
    const first = await store.ensureWorkspace('north')
    const again = await store.ensureWorkspace('north')
    assert.ok(first.created && !again.created)
    assert.deepEqual(again.workspace, first.workspace)
    assert.deepEqual(await store.findWorkspace('north'), first.workspace)
    assert.ok(first.workspace.tag >= 0 && first.workspace.tag < tagSpace)
    assert.equal(await store.findWorkspace('south'), undefined)
  },

  'workspaces are listed by key, page after page': async ({ store }) => {
    for (const key of ['c', 'a', 'b']) await store.ensureWorkspace(key)
    const all = (await store.listWorkspaces('', 100)).map(({ key }) => key)
    assert.deepEqual(all.filter((key) => key.length === 1), ['a', 'b', 'c'])
    assert.deepEqual((await store.listWorkspaces('a', 2)).map(({ key }) => key), ['b', 'c'])
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
    assert.deepEqual((await store.readEvents(other, [mine])).map(({ eventType }) => eventType), ['theirs'])
    assert.deepEqual(await take('a'), [mine])
    assert.deepEqual((await store.readProgress(other, 'default')).behind, 1)
    assert.equal((await store.readProgress(id, 'default')).behind, 1)
  },

  'a workspace goes with all that it holds, and comes back empty': async ({ store, id, publish }) => {
    const first = (await store.ensureWorkspace('gone')).workspace
    await store.appendEvents(first.id, [toDraft(repeated)])
    const [mine] = await publish('mine')
    assert.equal(await store.deleteWorkspace('gone'), true)
    assert.equal(await store.deleteWorkspace('gone'), false)
    await assert.rejects(store.readProgress(first.id, 'default'), notFound)
    const second = await store.ensureWorkspace('gone')
    assert.ok(second.created)
    assert.notEqual(second.workspace.id, first.id)
    assert.deepEqual(await store.readHead(second.workspace.id), { head: 0, trimmedTo: 0 })
    assert.deepEqual(statusesOf(await store.appendEvents(second.workspace.id, [toDraft(repeated)])), ['stored'])
    assert.deepEqual(await readAll(store, id), [mine], 'others are untouched')
  },

  'what does not exist is not found': async ({ store, id }) => {
    const nowhere = 987_654
    await assert.rejects(store.appendEvents(nowhere, [toDraft()]), notFound)
    await assert.rejects(store.createInbox(nowhere, 'crm', (await store.findInbox(id, 'default'))!.settings, 1), notFound)
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
    assert.deepEqual(orders.map(({ status }) => status), ['fulfilled', 'rejected', 'rejected', 'fulfilled'])
    assert.equal((await readAll(store, id)).length, 2)
  },
}

export const appendCases: ContractCases = {
  'positions begin at 1 and grow; accept times never decrease, even if the clock steps back': async ({ store, id, advance }) => {
    assert.deepEqual(await store.readHead(id), { head: 0, trimmedTo: 0 })
    const steps = [0, 1000, -60_000, 0, 5, -1, 120_000]
    const outcomes: AppendOutcome[] = []
    for (const step of steps) {
      const before = store.nowMs()
      advance(step)
      assert.ok(store.nowMs() >= before, 'time does not run backwards')
      outcomes.push(...(await store.appendEvents(id, [toDraft(), toDraft()])))
    }
    const events = await store.readEvents(id, outcomes.map(positionOf))
    assert.equal(events.length, 14)
    assert.equal(events[0]?.position, 1)
    for (const [index, event] of events.entries()) {
      const before = events[index - 1]
      assert.ok(before === undefined || (event.position > before.position && event.acceptedMs >= before.acceptedMs))
      const outcome = outcomes[index]
      assert.ok(outcome?.status === 'stored' && outcome.acceptedMs === event.acceptedMs)
    }
    assert.equal((await store.readHead(id)).head, events.at(-1)?.position)
  },

  'an event comes back as it went in, byte by byte': async ({ store, id }) => {
    const draft = {
      eventType: 'größe.😀',
      source: 'shop "1"',
      subject: "o'7",
      body: '{"event_type":"größe.😀","payload":{ "a" : 1.0,"b":"\\u0000\\ud83d","c":12345678901234567890,"\u2028":"\u2029"}}',
      notes: '{"hops":1}',
      dedup: [],
    }
    const [outcome] = await store.appendEvents(id, [draft])
    const [event] = await store.readEvents(id, [positionOf(outcome)])
    const { dedup: _, ...kept } = draft
    assert.deepEqual({ ...event }, { ...kept, position: positionOf(outcome), acceptedMs: event?.acceptedMs })
  },

  'events are read in the order asked for; what is not there is left out': async ({ store, id, publish }) => {
    const [a, b, c] = await publish('a', 'b', 'c')
    assert.deepEqual(positionsOf(await store.readEvents(id, [c, a, b, a])), [c, a, b, a])
    assert.deepEqual(positionsOf(await store.readEvents(id, [0, -1, c + 1000, b, 2 ** 48 - 1])), [b])
    assert.deepEqual(await store.readEvents(id, []), [])
  },

  'a repeated key answers with the first event and stores nothing': async ({ store, id, advance }) => {
    const [first] = await store.appendEvents(id, [toDraft(repeated)])
    advance(5000)
    const { head } = await store.readHead(id)
    const [again] = await store.appendEvents(id, [toDraft(repeated)])
    assert.deepEqual(again, { ...first, status: 'duplicate' })
    assert.equal((await store.readHead(id)).head, head)
  },

  'a key with another fingerprint is a mismatch, and touches no other event of the call': async ({ store, id }) => {
    await store.appendEvents(id, [toDraft(repeated)])
    const other = { dedup: [{ key: 'k', fingerprint: 'g' }] }
    const outcomes = await store.appendEvents(id, [toDraft('a'), toDraft(other), toDraft('b'), toDraft(repeated), toDraft('c')])
    assert.deepEqual(statusesOf(outcomes), ['stored', 'mismatch', 'stored', 'duplicate', 'stored'])
    const types = (await store.scanEvents(id, { after: 1, filter: {}, limit: 10, rowBudget: 100 })).events.map(({ eventType }) => eventType)
    assert.deepEqual(types, ['a', 'b', 'c'], 'in the order of the call')
  },

  'a duplicate within one call is found': async ({ store, id }) => {
    const outcomes = await store.appendEvents(id, [toDraft(repeated), toDraft('a'), toDraft(repeated), toDraft({ dedup: [{ key: 'k', fingerprint: 'g' }] })])
    assert.deepEqual(statusesOf(outcomes), ['stored', 'stored', 'duplicate', 'mismatch'])
    assert.equal(positionOf(outcomes[2]), positionOf(outcomes[0]))
  },

  'any of several keys finds the first event': async ({ store, id }) => {
    const keys = (...names: string[]): { dedup: { key: string; fingerprint: string }[] } => ({ dedup: names.map((key) => ({ key, fingerprint: 'f' })) })
    const [first] = await store.appendEvents(id, [toDraft(keys('a', 'b'))])
    for (const names of [['a'], ['b'], ['x', 'b']]) {
      assert.deepEqual(await store.appendEvents(id, [toDraft(keys(...names))]), [{ ...first, status: 'duplicate' }], names.join())
    }
  },

  'the same key at the same time is stored once': async ({ store, id }) => {
    const calls = await Promise.all(Array.from({ length: 20 }, () => store.appendEvents(id, [toDraft(repeated)])))
    assert.equal(calls.flat().filter(({ status }) => status === 'stored').length, 1)
    assert.equal(new Set(calls.flat().map(positionOf)).size, 1)
  },

  'keys are remembered for 7 days, over a restart': async (stage) => {
    const { id, advance } = stage
    const [first] = await stage.store.appendEvents(id, [toDraft(repeated)])
    await stage.reopen()
    advance(7 * dayMs - 1000)
    assert.deepEqual(await stage.store.appendEvents(id, [toDraft(repeated)]), [{ ...first, status: 'duplicate' }])
    advance(2000)
    const [later] = await stage.store.appendEvents(id, [toDraft({ dedup: [{ key: 'k', fingerprint: 'g' }] })])
    assert.equal(later?.status, 'stored')
    assert.ok(positionOf(later) > positionOf(first))
    assert.deepEqual(statusesOf(await stage.store.appendEvents(id, [toDraft(repeated)])), ['mismatch'], 'the new one holds now')
  },

  'what was answered survives a crash': async (stage) => {
    const { id, publish } = stage
    const outcomes = await Promise.all(Array.from({ length: 30 }, (_, index) => stage.store.appendEvents(id, [toDraft(`t${index}`), toDraft(repeated)])))
    await stage.crash()
    const stored = outcomes.flat().filter(({ status }) => status === 'stored')
    assert.equal(stored.length, 31)
    assert.deepEqual(await readAll(stage.store, id), stored.map(positionOf).toSorted((a, b) => a - b))
    assert.deepEqual(statusesOf(await stage.store.appendEvents(id, [toDraft(repeated)])), ['duplicate'])
    const [next] = await publish('next')
    assert.ok(next > Math.max(...stored.map(positionOf)), 'no position is given twice')
  },

  'time goes on after a restart with an earlier clock': async (stage) => {
    const [first] = await stage.store.appendEvents(stage.id, [toDraft()])
    await stage.reopen()
    stage.advance(-3_600_000)
    const [second] = await stage.store.appendEvents(stage.id, [toDraft()])
    assert.ok(first?.status === 'stored' && second?.status === 'stored' && second.acceptedMs >= first.acceptedMs)
  },

  'a reader that follows the log misses nothing while many publish': async ({ store, id }) => {
    const publishing = Promise.all(
      Array.from({ length: 200 }, (_, index) => store.appendEvents(id, Array.from({ length: (index % 3) + 1 }, () => toDraft(`t${index}`)))),
    )
    let done = false
    const finished = publishing.then(() => (done = true))
    const seen: number[] = []
    let after = 0
    while (!done || after < (await store.readHead(id)).head) {
      const { events, scannedTo } = await store.scanEvents(id, { after, filter: {}, limit: 50, rowBudget: 50 })
      seen.push(...positionsOf(events))
      after = Math.max(after, scannedTo)
    }
    await finished
    const outcomes = await publishing
    assert.deepEqual(seen, outcomes.flat().map(positionOf).toSorted((a, b) => a - b))
    for (const call of outcomes) assert.deepEqual(call.map(positionOf), call.map(positionOf).toSorted((a, b) => a - b))
  },
}

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
    const [a] = await publish({ type: 'order.created', source: 'shop', subject: 's1', channel: 'eu', payload: { note: '100% wool_x', n: 12 } })
    advance(1000)
    const middleMs = store.nowMs()
    advance(1000)
    const [b, c] = await publish({ type: 'order.paid', source: 'till', subject: 's1', identity }, { type: 'invoice.paid', entity: { type: 'invoice', id: '7' } })
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

  'a search that finds little ends at its budget and says how far it came': async ({ store, id, publish, publishMany }) => {
    const [needle] = await publish('needle')
    const hay = await publishMany(95, 'hay')
    let before = (hay.at(-1) ?? 0) + 1
    for (let round = 0; round < 100; round += 1) {
      const { events, scannedTo } = await store.searchEvents(id, { before, limit: 5, rowBudget: 10, eventType: 'needle' })
      if (scannedTo === null) return assert.deepEqual(positionsOf(events), [needle])
      assert.deepEqual(events.filter(({ position }) => position !== needle), [])
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
      const page: Awaited<ReturnType<Store['searchEvents']>> = await store.searchEvents(id, { before, limit: 10, rowBudget: 1000 })
      found.push(...positionsOf(page.events))
      before = page.scannedTo
    }
    assert.deepEqual(found, all)
  },

  'a scan goes on from where it was, whatever inboxes have done': async ({ store, id, publish, publishMany, makeInbox, drain }) => {
    await makeInbox()
    const [a] = await publish('a')
    const hay = await publishMany(30, 'hay')
    const [b] = await publish('a')
    await drain()
    const found: number[] = []
    let after = 0
    for (let round = 0; after < b && round < 20; round += 1) {
      const { events, scannedTo } = await store.scanEvents(id, { after, filter: { event_types: ['a'] }, limit: 1, rowBudget: 10 })
      assert.ok(scannedTo > after && events.every(({ position }) => position > after && position <= scannedTo))
      found.push(...positionsOf(events))
      after = scannedTo
    }
    assert.deepEqual(found, [a, b])
    assert.deepEqual(positionsOf((await store.scanEvents(id, { after: a, filter: {}, limit: 30, rowBudget: 1000 })).events), hay)
  },
}
