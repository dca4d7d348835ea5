import assert from 'node:assert/strict'
import { assertSame, defaultLeaseMs, type ContractCases } from './stage.ts'

export const ackCases: ContractCases = {
  'a lease is acknowledged as a whole or by position, and again': async ({ publish, makeInbox, take, ack, drain }) => {
    await makeInbox()
    const [a, b, c] = await publish('a', 'b', 'c')
    await take('x')
    assert.deepEqual(await ack('x', [b]), ['acked'])
    assert.deepEqual(await ack('x', [b, a]), ['already', 'acked'])
    assert.deepEqual(await ack('x'), ['acked'])
    assert.deepEqual(await ack('x', [a, b, c]), ['already', 'already', 'already'])
    assert.ok((await ack('x')).every((status) => status === 'already'))
    assert.deepEqual(await drain(), [])
  },

  'results of a whole lease tell when their events were accepted': async ({ store, id, publish, makeInbox, take }) => {
    await makeInbox()
    const [a, b] = await publish('a', 'b')
    await take('x')
    const [event] = await store.readEvents(id, [b])
    const named = await store.settleLease(id, 'crm', { leaseId: 'x', positions: [a, a], outcome: { kind: 'ack' } })
    assertSame(named[0], { position: a, acceptedMs: null, status: 'acked' }, 'who names positions has their ids')
    const rest = await store.settleLease(id, 'crm', { leaseId: 'x', outcome: { kind: 'ack' } })
    assertSame(rest, [{ position: b, acceptedMs: event?.acceptedMs, status: 'acked' }])
  },

  'acknowledgements survive a crash': async (stage) => {
    const { publish, makeInbox, take, ack, drain } = stage
    await makeInbox()
    const [, b] = await publish('a', 'b', 'c')
    await take('x')
    await ack('x', [b])
    await stage.crash()
    assert.deepEqual(await ack('x', [b]), ['already'])
    await ack('x')
    assert.deepEqual(await drain(), [])
  },

  'a lease that ran out is still accepted while nobody took its events': async (stage) => {
    const { publish, makeInbox, take, ack, expire, drain } = stage
    await makeInbox()
    const [a, b, c, d] = await publish('a', 'b', 'c', 'd')
    await take('x')
    stage.advance(defaultLeaseMs + 1)
    assert.deepEqual(await ack('x', [a]), ['acked'], 'before anyone noticed')
    await expire()
    assert.deepEqual(await ack('x', [b]), ['acked'], 'and after')
    assert.deepEqual(await ack('x'), ['acked', 'acked'], 'without positions: all that nobody took')
    assert.deepEqual(await ack('x', [a, b, c, d]), ['already', 'already', 'already', 'already'])
    assert.deepEqual(await drain(), [])
  },

  'an event that another has taken since is lost': async ({ publish, makeInbox, take, ack, expire }) => {
    await makeInbox()
    const [a] = await publish('a')
    await take('x')
    await expire()
    assert.deepEqual(await take('y'), [a])
    assert.deepEqual(await ack('x', [a]), ['lost'])
    assert.deepEqual(await take('y'), [a], 'the other still has it')
    assert.deepEqual(await ack('y'), ['acked'])
    assert.deepEqual(await ack('x', [a]), ['already'])
  },

  'of a lease that was taken in part the rest is accepted': async ({ publish, makeInbox, take, ack, expire }) => {
    await makeInbox()
    const all = await publish('a', 'b', 'c', 'd')
    await take('x')
    await expire()
    const taken = await take('y', { limit: 1 })
    assert.equal(taken.length, 1)
    assert.deepEqual(
      await ack('x', all),
      all.map((position) => (taken.includes(position) ? 'lost' : 'acked')),
    )
    assert.deepEqual(await ack('y'), ['acked'])
  },

  'a lease that ran out and was taken again under its name is acknowledged once': async ({
    publish,
    makeInbox,
    take,
    ack,
    expire,
  }) => {
    await makeInbox()
    const [a] = await publish('a')
    await take('x')
    await expire()
    assert.deepEqual(await take('x'), [a])
    assert.deepEqual(await ack('x'), ['acked'])
    assert.deepEqual(await ack('x', [a]), ['already'])
  },

  'what was never handed out is unknown': async ({ publish, makeInbox, take, ack, drain }) => {
    await makeInbox()
    const [a, b] = await publish('a', 'b')
    await take('x', { limit: 1 })
    assert.deepEqual(await ack('x', [b, b + 1, 2 ** 48 - 1, 0, -1]), [
      'unknown',
      'unknown',
      'unknown',
      'unknown',
      'unknown',
    ])
    assert.deepEqual(await ack('never', [b]), ['unknown'])
    assert.deepEqual(await ack('never', [a]), ['lost'], 'another has it')
    assert.deepEqual(await ack('never'), [])
    assert.deepEqual(await ack('x'), ['acked'])
    assert.deepEqual(await drain(), [b])
  },
}

export const releaseCases: ContractCases = {
  'released events are there at once, or after the delay': async (stage) => {
    const { publish, makeInbox, take, release, ack } = stage
    await makeInbox()
    const [a, b, c] = await publish('a', 'b', 'c')
    await take('x')
    assert.deepEqual(await release('x', { positions: [b], delayMs: 60_000 }), ['released'])
    assert.deepEqual(await release('x', { positions: [a], delayMs: 0 }), ['released'])
    assert.deepEqual(await take('y'), [a])
    assert.deepEqual(await take('x'), [c], 'the rest stays leased')
    await ack('x')
    await ack('y')
    stage.advance(59_999)
    assert.deepEqual(await take('z'), [])
    stage.advance(1)
    assert.deepEqual(await take('w'), [b])
  },

  'without a delay the schedule of the inbox holds; its last step repeats': async (stage) => {
    const { store, publish, makeInbox, takeAttempts, release, lease } = stage
    await makeInbox({ retry: { schedule_seconds: [5, 60] }, max_attempts: 10 })
    const [a] = await publish('a')
    for (const [index, seconds] of [5, 60, 60, 60].entries()) {
      assert.deepEqual(await takeAttempts(`l${index}`), { [a]: index + 1 })
      await release(`l${index}`)
      assert.equal((await lease('early')).retryAtMs, store.nowMs() + seconds * 1000)
      stage.advance(seconds * 1000)
    }
    assert.deepEqual(await takeAttempts('x'), { [a]: 5 })
    await release('x', { delayMs: 0 })
    assert.deepEqual(await takeAttempts('y'), { [a]: 6 }, 'a delay of 0 goes before the schedule')
    await release('y', { delayMs: 1000 })
    stage.advance(1000)
    assert.deepEqual(await takeAttempts('z'), { [a]: 7 })
  },

  'untouched events given back cost no attempt and never die': async ({
    publish,
    makeInbox,
    takeAttempts,
    release,
    deadLetters,
  }) => {
    await makeInbox({ max_attempts: 1 })
    const [a] = await publish('a')
    for (let round = 0; round < 5; round += 1) {
      assert.deepEqual(await takeAttempts(`l${round}`), { [a]: 1 })
      assert.deepEqual(await release(`l${round}`, { count: false }), ['released'])
    }
    assert.deepEqual(await deadLetters(), [])
  },

  'after the last attempt an event is a dead letter': async (stage) => {
    const { store, id, publish, makeInbox, take, release, drain } = stage
    await makeInbox({ max_attempts: 2 })
    const [a, b] = await publish({ type: 'order.created', payload: { n: 1 } }, 'b')
    await take('x')
    assert.deepEqual(await release('x', { reason: 'first' }), ['released', 'released'])
    stage.advance(1000)
    await take('y')
    assert.deepEqual(await release('y', { positions: [a], reason: 'the customer is unknown' }), ['dead'])
    const [letter, ...others] = await store.listDeadLetters(id, 'crm', { after: 0, limit: 10 })
    const [event] = await store.readEvents(id, [a])
    assert.deepEqual(others, [])
    assertSame(letter, {
      position: a,
      acceptedMs: event?.acceptedMs,
      eventType: 'order.created',
      attempts: 2,
      reason: 'the customer is unknown',
      deadMs: store.nowMs(),
      body: event?.body,
    })
    assert.ok(['dead', 'already'].includes((await release('y', { positions: [a] }))[0] ?? ''), 'repeatable')
    assert.deepEqual(await take('y'), [b])
    await release('y', { count: false })
    assert.deepEqual(await drain(), [b])
  },

  'released events are lost once another has them, and already given back before': async ({
    publish,
    makeInbox,
    take,
    release,
  }) => {
    await makeInbox()
    const [a] = await publish('a')
    await take('x')
    await release('x')
    await take('y')
    assert.deepEqual(await release('x', { positions: [a] }), ['lost'])
    assert.deepEqual(await take('y'), [a])
    assert.deepEqual(await release('x', { positions: [a + 1] }), ['unknown'])
  },

  'a lease whose end passed unnoticed is released as any other': async (stage) => {
    const { publish, makeInbox, take, takeAttempts, release } = stage
    await makeInbox()
    const [a, b] = await publish('a', 'b')
    await take('x')
    stage.advance(defaultLeaseMs + 1)
    assert.deepEqual(await release('x'), ['released', 'released'])
    assert.deepEqual(await takeAttempts('y'), { [a]: 2, [b]: 2 }, 'together, as nothing was found out about them')
  },

  'failed attempts are listed, newest first': async (stage) => {
    const { store, id, publish, makeInbox, take, release, expire } = stage
    await makeInbox({ max_attempts: 3 })
    const [a] = await publish('a')
    await take('x')
    await release('x', { reason: 'busy' })
    await take('y')
    await expire()
    await take('z')
    await release('z', { reason: 'gone' })
    const attempts = await store.listAttempts(id, 'crm', { before: Number.MAX_SAFE_INTEGER, limit: 10 })
    assert.deepEqual(
      attempts.map(({ position, attempt, outcome, reason, leaseId }) => [position, attempt, outcome, reason, leaseId]),
      [
        [a, 3, 'dead', 'gone', 'z'],
        [a, 2, 'expired', null, 'y'],
        [a, 1, 'released', 'busy', 'x'],
      ],
    )
    assert.equal(attempts[0]?.atMs, store.nowMs())
    const [event] = await store.readEvents(id, [a])
    assert.ok(attempts.every(({ acceptedMs }) => acceptedMs === event?.acceptedMs))
    const page = await store.listAttempts(id, 'crm', { before: attempts[0]?.id ?? 0, limit: 1 })
    assertSame(page, attempts.slice(1, 2))
  },
}
