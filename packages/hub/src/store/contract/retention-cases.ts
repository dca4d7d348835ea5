import assert from 'node:assert/strict'
import type { RetentionPolicy } from '../store.ts'
import { assertSame, dayMs, positionsOf, retention, type ContractCases, type Stage } from './stage.ts'

async function trim({ store, id }: Stage, change: Partial<RetentionPolicy> = {}): Promise<number> {
  const before = await store.readHead(id)
  for (let round = 0; round < 1000; round += 1) {
    const { more } = await store.trimEvents(id, { ...retention, ...change })
    if (!more) return (await store.readHead(id)).trimmedTo - before.trimmedTo
  }
  return assert.fail('trimming never ends')
}

export const retentionCases: ContractCases = {
  'events go once every inbox has passed them and they are old enough': async (stage) => {
    const { store, id, publish, makeInbox, drain } = stage
    await makeInbox()
    const [a, b, c] = await publish('a', 'b', 'c')
    await drain()
    stage.advance(29 * dayMs)
    assert.equal(await trim(stage), 0)
    stage.advance(2 * dayMs)
    assert.equal(await trim(stage), 3)
    assertSame(await store.readHead(id), { head: c, trimmedTo: c })
    assert.deepEqual(await store.readEvents(id, [a, b, c]), [])
    assert.deepEqual((await store.searchEvents(id, { before: c + 1, limit: 10, rowBudget: 100 })).events, [])
    const [d] = await publish('d')
    assert.ok(d > c, 'positions are never used again')
    assert.deepEqual(await drain(), [d])
    await stage.crash()
    assertSame(await stage.store.readHead(id), { head: d, trimmedTo: c })
  },

  'young events stay although older ones go': async (stage) => {
    const { store, id, publish, makeInbox, drain } = stage
    await makeInbox()
    const [a] = await publish('a')
    stage.advance(20 * dayMs)
    const [b] = await publish('b')
    await drain()
    stage.advance(11 * dayMs)
    assert.equal(await trim(stage), 1)
    assert.deepEqual(positionsOf(await store.readEvents(id, [a, b])), [b])
  },

  'an inbox that falls behind step by step is told of each event that expired': async (stage) => {
    const { publish, makeInbox, take, ack, release, verdict } = stage
    await makeInbox()
    const [a, b, c, d, e] = await publish('a', 'b', 'c', 'd', 'e')
    await take('l', { limit: 3 })
    await release('l', { positions: [b], delayMs: 200 * dayMs })
    await ack('l', [a, c])
    stage.advance(91 * dayMs)
    assert.equal(await trim(stage, { maxRows: 1 }), 5)
    const [f] = await publish('f')
    stage.advance(91 * dayMs)
    assert.equal(await trim(stage, { maxRows: 1 }), 1)
    const verdicts = await Promise.all([a, b, c, d, e, f].map(async (position) => (await verdict(position)).verdict))
    assert.deepEqual(verdicts, ['acknowledged', 'expired', 'acknowledged', 'expired', 'expired', 'expired'])
  },

  'an inbox that has not passed an event keeps it, but not for ever': async (stage) => {
    const { store, id, publish, makeInbox, drain, peek, verdict, take } = stage
    await makeInbox()
    await makeInbox({}, { key: 'slow' })
    const [a, b] = await publish('a', 'b')
    await drain()
    stage.advance(31 * dayMs)
    assert.equal(await trim(stage), 0)
    stage.advance(60 * dayMs)
    const [c] = await publish('c')
    assert.equal(await trim(stage), 2)
    for (const position of [a, b]) {
      assert.equal((await verdict(position, 'slow')).verdict, 'expired')
      assert.equal((await verdict(position)).verdict, 'acknowledged')
    }
    assert.deepEqual(await peek('slow'), [c])
    assert.equal((await store.readProgress(id, 'slow')).behind, 1)
    assert.deepEqual(await take('x', { inbox: 'slow' }), [c])
  },

  'what was given back or passed over keeps events, too, and expires in the end': async (stage) => {
    const { store, id, publish, makeInbox, take, release, ack, verdict, drain } = stage
    await makeInbox()
    const [a, b, c, d] = await publish('a', 'b', 'c', 'd')
    await take('x', { limit: 2 })
    await release('x', { positions: [b] })
    await ack('x')
    await store.acknowledgeEvent(id, 'crm', d)
    await store.updateInbox(id, 'crm', { status: 'paused' })
    stage.advance(31 * dayMs)
    assert.ok((await trim(stage)) <= 1, 'at most what comes before them')
    stage.advance(60 * dayMs)
    await trim(stage)
    assertSame(await store.readHead(id), { head: d, trimmedTo: d })
    for (const position of [b, c]) assert.equal((await verdict(position)).verdict, 'expired', String(position))
    for (const position of [a, d]) assert.equal((await verdict(position)).verdict, 'acknowledged', String(position))
    await store.updateInbox(id, 'crm', { status: 'active' })
    assert.deepEqual(await drain(), [])
    assert.deepEqual(
      await store.readProgress(id, 'crm').then(({ waiting, parked, behind }) => [waiting, parked, behind]),
      [0, 0, 0],
    )
  },

  'the inbox "default" keeps events only once somebody has used it': async (stage) => {
    const { store, publish, take, ack } = stage
    const [a] = await publish('a')
    assert.deepEqual(await stage.peek('default'), [a], 'looking is not using')
    stage.advance(31 * dayMs)
    assert.equal(await trim(stage), 1)
    const [b] = await publish('b', 'c')
    assert.deepEqual(await take('x', { inbox: 'default', limit: 1 }), [b])
    await ack('x', undefined, 'default')
    stage.advance(31 * dayMs)
    assert.equal(await trim(stage), 1, 'what it has passed goes, the rest stays')
    const other = (await store.ensureWorkspace('other')).workspace.id
    const draft = { eventType: 'a', source: null, subject: null, body: '{}', notes: null, dedup: [] }
    await store.appendEvents(other, [draft, draft])
    await store.acknowledgeEvent(other, 'default', 2)
    stage.advance(31 * dayMs)
    await store.trimEvents(other, retention)
    assert.equal((await store.readHead(other)).trimmedTo, 0, 'acknowledging is using')
  },

  'trimming goes in small steps': async (stage) => {
    const { store, id, publishMany } = stage
    const all = await publishMany(25)
    stage.advance(31 * dayMs)
    const first = await store.trimEvents(id, { ...retention, maxRows: 10 })
    assert.deepEqual([first.removed, first.more], [10, true])
    assert.equal((await store.readHead(id)).trimmedTo, all[9])
    assert.equal(await trim(stage, { maxRows: 10 }), 15)
  },

  'dead letters outlive their events': async (stage) => {
    const { store, id, publish, makeInbox, take, release, verdict } = stage
    await makeInbox({ max_attempts: 1 })
    const [a] = await publish({ type: 'a', payload: { n: 1 } })
    const [event] = await store.readEvents(id, [a])
    await take('x')
    await release('x', { reason: 'no such customer' })
    stage.advance(31 * dayMs)
    assert.equal(await trim(stage), 1)
    const [letter] = await store.listDeadLetters(id, 'crm', { after: 0, limit: 10 })
    assert.equal(letter?.body, event?.body)
    assert.equal((await verdict(a)).verdict, 'dead')
  },

  'what consumers wrote about an event goes with it': async (stage) => {
    const { store, id, publish, makeInbox, take, release } = stage
    await makeInbox({ max_attempts: 1 })
    const [old] = await publish('a')
    stage.advance(88 * dayMs)
    const [young] = await publish('b')
    await take('x')
    await release('x', { reason: 'mail to jane@example.org bounced' })
    stage.advance(4 * dayMs)
    assert.equal(await trim(stage), 1)
    const reasons = async (): Promise<[number, boolean][]> =>
      (await store.listAttempts(id, 'crm', { before: Number.MAX_SAFE_INTEGER, limit: 10 }))
        .map(({ position, reason }): [number, boolean] => [position, reason !== null])
        .toSorted(([left], [right]) => left - right)
    assert.deepEqual(await reasons(), [
      [old, false],
      [young, true],
    ])
    assert.equal(await store.settleDeadLetters(id, 'crm', { positions: [young] }, 'discard'), 1)
    assert.deepEqual(await reasons(), [
      [old, false],
      [young, false],
    ])
  },

  'failed attempts go after their time': async (stage) => {
    const { store, id, publish, makeInbox, take, release } = stage
    await makeInbox()
    await publish('a')
    await take('x')
    await release('x')
    const attempts = async (): Promise<number> =>
      (await store.listAttempts(id, 'crm', { before: Number.MAX_SAFE_INTEGER, limit: 10 })).length
    stage.advance(6 * dayMs)
    await trim(stage)
    assert.equal(await attempts(), 1)
    stage.advance(2 * dayMs)
    await trim(stage)
    assert.equal(await attempts(), 0)
  },

  'the time of an expired event is not needed to find a position': async (stage) => {
    const { store, id, publish, publishMany } = stage
    await publishMany(5)
    stage.advance(31 * dayMs)
    await trim(stage)
    const [next] = await publish('a')
    assert.equal(await store.findPosition(id, 0), next)
  },
}
