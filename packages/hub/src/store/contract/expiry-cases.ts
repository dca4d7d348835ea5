import assert from 'node:assert/strict'
import { defaultLeaseMs, positionsOf, type ContractCases } from './stage.ts'

export const expiryCases: ContractCases = {
  'a lease that runs out gives its events back, not before its end': async (stage) => {
    const { publish, makeInbox, takeAttempts, take, expire } = stage
    await makeInbox()
    const [a] = await publish('a')
    await take('x', { leaseMs: 10_000 })
    await expire(9999)
    assert.deepEqual(await take('y'), [])
    await expire(2)
    assert.deepEqual(await takeAttempts('y'), { [a]: 2 })
  },

  'leases of an inbox run out when it is asked for events, too': async (stage) => {
    const { publish, makeInbox, takeAttempts, take } = stage
    await makeInbox()
    const [a] = await publish('a')
    await take('x')
    stage.advance(defaultLeaseMs + 1)
    assert.deepEqual(await takeAttempts('y'), { [a]: 2 })
  },

  'a lease of several comes back in two halves, each leased alone': async ({
    publish,
    makeInbox,
    take,
    lease,
    ack,
    expire,
  }) => {
    await makeInbox()
    const all = await publish('a', 'b', 'c', 'd', 'e')
    await take('x')
    await expire()
    const [later] = await publish('later')
    const first = await lease('y')
    const second = await lease('z')
    const halves = [positionsOf(first.events), positionsOf(second.events)]
    assert.deepEqual(
      halves.map((half) => half.length).toSorted((a, b) => a - b),
      [2, 3],
    )
    assert.deepEqual(halves.flat(), all)
    assert.deepEqual(
      [...first.events, ...second.events].map(({ attempt }) => attempt),
      [2, 2, 2, 2, 2],
    )
    assert.deepEqual(await take('w'), [later])
    for (const leaseId of ['y', 'z', 'w']) await ack(leaseId)
    assert.deepEqual(await take('v'), [])
  },

  'halves come back in halves, down to single events': async ({ publish, makeInbox, take, ack, expire }) => {
    await makeInbox({ max_attempts: 100 })
    const all = await publish('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')
    await take('x')
    for (const size of [4, 2, 1]) {
      await expire()
      const parts: number[][] = []
      for (let index = 0; index < 8 / size; index += 1) parts.push(await take(`${size}-${index}`))
      assert.deepEqual(
        parts.map((part) => part.length),
        Array.from({ length: 8 / size }, () => size),
      )
      assert.deepEqual(
        parts.flat().toSorted((a, b) => a - b),
        all,
      )
      assert.deepEqual(await take('none'), [])
    }
    for (let index = 0; index < 8; index += 1) assert.deepEqual(await ack(`1-${index}`), ['acked'])
  },

  'a half that is asked for in smaller parts stays apart': async ({ publish, makeInbox, take, expire }) => {
    await makeInbox()
    const [a, b, c, d] = await publish('a', 'b', 'c', 'd')
    await take('x')
    await expire()
    assert.deepEqual(await take('y', { limit: 1 }), [a])
    assert.deepEqual(await take('z'), [b])
    assert.deepEqual(await take('w'), [c, d])
  },

  'only what a lease still held comes back': async ({ publish, makeInbox, take, ack, release, expire, drain }) => {
    await makeInbox()
    const [a, b, c, d] = await publish('a', 'b', 'c', 'd')
    await take('x')
    await ack('x', [a])
    await release('x', { positions: [b] })
    await expire()
    assert.deepEqual(
      (await drain()).toSorted((one, other) => one - other),
      [b, c, d],
    )
  },

  'only an event that was alone dies of expiry': async (stage) => {
    const { store, id, publish, makeInbox, take, expire, deadLetters } = stage
    await makeInbox({ max_attempts: 1 })
    const [a, b] = await publish('a', 'b')
    await take('x')
    await expire()
    assert.deepEqual(await deadLetters(), [], 'nobody knows which of the two it was')
    assert.deepEqual(await take('y'), [a])
    assert.deepEqual(await take('z'), [b])
    await expire()
    assert.deepEqual(await deadLetters(), [a, b])
    const [letter] = await store.listDeadLetters(id, 'crm', { after: 0, limit: 1 })
    assert.equal(letter?.attempts, 2)
    assert.ok(letter.reason)
    const [attempt] = await store.listAttempts(id, 'crm', { before: Number.MAX_SAFE_INTEGER, limit: 1 })
    assert.equal(attempt?.outcome, 'dead')
  },

  'a poison event does not drag its neighbours along': async ({
    publishMany,
    makeInbox,
    take,
    ack,
    expire,
    deadLetters,
  }) => {
    await makeInbox({ max_attempts: 5 })
    const all = await publishMany(16)
    const poison = all[6]!
    const acked: number[] = []
    for (let round = 0; round < 100 && (await deadLetters()).length === 0; round += 1) {
      for (let index = 0; ; index += 1) {
        const leaseId = `${round}-${index}`
        const taken = await take(leaseId, { limit: 8 })
        if (taken.length === 0) break
        // A worker that meets the poison dies with all that it holds.
        if (taken.includes(poison)) continue
        await ack(leaseId)
        acked.push(...taken)
      }
      await expire()
    }
    assert.deepEqual(await deadLetters(), [poison])
    assert.deepEqual(
      acked.toSorted((a, b) => a - b),
      all.filter((position) => position !== poison),
    )
  },

  'many inboxes and workspaces run out in one go': async (stage) => {
    const { store, id, publish, makeInbox, take, expire } = stage
    const other = (await store.ensureWorkspace('expiry-other')).workspace.id
    await publish('a')
    await store.appendEvents(other, [
      { eventType: 'a', source: null, subject: null, body: '{}', notes: null, dedup: [] },
    ])
    for (let index = 0; index < 5; index += 1) {
      await makeInbox({}, { key: `i${index}` })
      await take('x', { inbox: `i${index}` })
    }
    await store.leaseEvents(other, 'default', { leaseId: 'x', limit: 1, leaseMs: defaultLeaseMs })
    await expire()
    for (let index = 0; index < 5; index += 1) assert.equal((await store.readProgress(id, `i${index}`)).waiting, 1)
    assert.equal((await store.readProgress(other, 'default')).waiting, 1)
  },
}
