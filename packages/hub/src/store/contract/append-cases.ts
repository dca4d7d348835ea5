import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { AppendOutcome } from '../store.ts'
import {
  assertSame,
  dayMs,
  positionOf,
  positionsOf,
  readAll,
  repeated,
  statusesOf,
  toDraft,
  type ContractCases,
} from './stage.ts'

export const appendCases: ContractCases = {
  'positions begin at 1 and grow; accept times never decrease, even if the clock steps back': async ({
    store,
    id,
    advance,
  }) => {
    assertSame(await store.readHead(id), { head: 0, trimmedTo: 0 })
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
    assertSame(event, { ...kept, position: positionOf(outcome), acceptedMs: event?.acceptedMs })
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
    assertSame(again, { ...first, status: 'duplicate' })
    assert.equal((await store.readHead(id)).head, head)
  },

  'a key with another fingerprint is a mismatch, and touches no other event of the call': async ({ store, id }) => {
    await store.appendEvents(id, [toDraft(repeated)])
    const other = { dedup: [{ key: 'k', fingerprint: 'g' }] }
    const outcomes = await store.appendEvents(id, [
      toDraft('a'),
      toDraft(other),
      toDraft('b'),
      toDraft(repeated),
      toDraft('c'),
    ])
    assert.deepEqual(statusesOf(outcomes), ['stored', 'mismatch', 'stored', 'duplicate', 'stored'])
    const types = (await store.scanEvents(id, { after: 1, filter: {}, limit: 10, rowBudget: 100 })).events.map(
      ({ eventType }) => eventType,
    )
    assert.deepEqual(types, ['a', 'b', 'c'], 'in the order of the call')
  },

  'a duplicate within one call is found': async ({ store, id }) => {
    const outcomes = await store.appendEvents(id, [
      toDraft(repeated),
      toDraft('a'),
      toDraft(repeated),
      toDraft({ dedup: [{ key: 'k', fingerprint: 'g' }] }),
    ])
    assert.deepEqual(statusesOf(outcomes), ['stored', 'stored', 'duplicate', 'mismatch'])
    assert.equal(positionOf(outcomes[2]), positionOf(outcomes[0]))
  },

  'any of several keys finds the first event': async ({ store, id }) => {
    const keys = (...names: string[]): { dedup: { key: string; fingerprint: string }[] } => ({
      dedup: names.map((key) => ({ key, fingerprint: 'f' })),
    })
    const [first] = await store.appendEvents(id, [toDraft(keys('a', 'b'))])
    for (const names of [['a'], ['b'], ['x', 'b']]) {
      assertSame(
        await store.appendEvents(id, [toDraft(keys(...names))]),
        [{ ...first, status: 'duplicate' }],
        names.join(),
      )
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
    assertSame(await stage.store.appendEvents(id, [toDraft(repeated)]), [{ ...first, status: 'duplicate' }])
    advance(2000)
    const [later] = await stage.store.appendEvents(id, [toDraft({ dedup: [{ key: 'k', fingerprint: 'g' }] })])
    assert.equal(later?.status, 'stored')
    assert.ok(positionOf(later) > positionOf(first))
    assert.deepEqual(
      statusesOf(await stage.store.appendEvents(id, [toDraft(repeated)])),
      ['mismatch'],
      'the new one holds now',
    )
  },

  'what was answered survives a crash': async (stage) => {
    const { id, publish } = stage
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, index) => stage.store.appendEvents(id, [toDraft(`t${index}`), toDraft(repeated)])),
    )
    await stage.crash()
    const stored = outcomes.flat().filter(({ status }) => status === 'stored')
    assert.equal(stored.length, 31)
    assert.deepEqual(
      await readAll(stage.store, id),
      stored.map(positionOf).toSorted((a, b) => a - b),
    )
    assert.deepEqual(statusesOf(await stage.store.appendEvents(id, [toDraft(repeated)])), ['duplicate'])
    const [next] = await publish('next')
    assert.ok(next > Math.max(...stored.map(positionOf)), 'no position is given twice')
  },

  'time goes on after a restart with an earlier clock': async (stage) => {
    const [first] = await stage.store.appendEvents(stage.id, [toDraft()])
    await stage.reopen()
    stage.advance(-3_600_000)
    const [second] = await stage.store.appendEvents(stage.id, [toDraft()])
    stage.advance(3_600_000)
    assert.ok(first?.status === 'stored' && second?.status === 'stored' && second.acceptedMs >= first.acceptedMs)
  },

  'a reader that follows the log misses nothing while many publish': async ({ store, id }) => {
    const publishing = Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        store.appendEvents(
          id,
          Array.from({ length: (index % 3) + 1 }, () => toDraft(`t${index}`)),
        ),
      ),
    )
    let done = false
    const finished = publishing.then(() => (done = true))
    const seen: number[] = []
    let after = 0
    while (!done || after < (await store.readHead(id)).head) {
      const { events, scannedTo } = await store.scanEvents(id, { after, filter: {}, limit: 50, rowBudget: 50 })
      seen.push(...positionsOf(events))
      after = Math.max(after, scannedTo)
      await nextTurn()
    }
    await finished
    const outcomes = await publishing
    assert.deepEqual(
      seen,
      outcomes
        .flat()
        .map(positionOf)
        .toSorted((a, b) => a - b),
    )
    for (const call of outcomes)
      assert.deepEqual(
        call.map(positionOf),
        call.map(positionOf).toSorted((a, b) => a - b),
      )
  },
}
