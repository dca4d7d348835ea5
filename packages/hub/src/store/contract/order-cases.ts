import assert from 'node:assert/strict'
import { inboxDefaults } from '@sluice/protocol'
import { dayMs, positionsOf, retention, toDraft, type ContractCases } from './stage.ts'

const of = (subject: string): { subject: string } => ({ subject })
const keyed = { ordering: 'key' as const }

export const orderCases: ContractCases = {
  'one event of each subject is out at a time, in order; other subjects go on': async ({
    publish,
    makeInbox,
    take,
    ack,
  }) => {
    await makeInbox(keyed)
    const [x1, y1, x2, x3, y2] = await publish(of('x'), of('y'), of('x'), of('x'), of('y'))
    assert.deepEqual(await take('a'), [x1, y1])
    assert.deepEqual(await take('b'), [])
    await ack('a', [x1])
    assert.deepEqual(await take('b'), [x2])
    const [z1] = await publish(of('z'))
    assert.deepEqual(await take('c'), [z1])
    await ack('a')
    await ack('b')
    assert.deepEqual(await take('d', { limit: 1 }), [x3])
    assert.deepEqual(await take('e'), [y2])
    assert.deepEqual(await take('f'), [])
  },

  'events without a subject are in no order': async ({ publish, makeInbox, take, ack, release }) => {
    await makeInbox(keyed)
    const [a, b, x1] = await publish('a', 'b', of('x'), of('x'))
    assert.deepEqual(await take('a', { limit: 2 }), [a, b])
    const [c] = await publish('c')
    assert.deepEqual(await take('b'), [x1, c])
    await release('a', { positions: [a], delayMs: 60_000 })
    await ack('a')
    const [d] = await publish('d')
    assert.deepEqual(await take('c'), [d])
  },

  'a failure holds back later events of its subject, and of no other': async (stage) => {
    const { publish, makeInbox, take, takeAttempts, ack, release } = stage
    await makeInbox(keyed)
    const [x1, y1, x2, y2] = await publish(of('x'), of('y'), of('x'), of('y'))
    assert.deepEqual(await take('a'), [x1, y1])
    await release('a', { positions: [x1], delayMs: 5000 })
    await ack('a')
    assert.deepEqual(await take('b'), [y2])
    assert.deepEqual(await take('c'), [])
    stage.advance(5001)
    assert.deepEqual(await takeAttempts('c'), { [x1]: 2 })
    await release('c')
    assert.deepEqual(await takeAttempts('d'), { [x1]: 3 })
    await ack('d')
    assert.deepEqual(await take('e'), [x2])
  },

  'events of a lease that ran out come back before later ones': async ({
    publish,
    makeInbox,
    take,
    takeAttempts,
    ack,
    expire,
  }) => {
    await makeInbox(keyed)
    const [x1, y1, x2, y2] = await publish(of('x'), of('y'), of('x'), of('y'))
    await take('a')
    await expire()
    assert.deepEqual(await takeAttempts('b', { limit: 1 }), { [x1]: 2 })
    assert.deepEqual(await takeAttempts('c', { limit: 1 }), { [y1]: 2 })
    assert.deepEqual(await take('d'), [])
    await ack('b')
    await ack('c')
    assert.deepEqual(await take('e'), [x2, y2])
  },

  'a dead letter lets its subject go on': async ({ publish, makeInbox, take, release, deadLetters }) => {
    await makeInbox({ ...keyed, max_attempts: 1 })
    const [x1, x2] = await publish(of('x'), of('x'))
    await take('a')
    await release('a')
    assert.deepEqual(await deadLetters(), [x1])
    assert.deepEqual(await take('b'), [x2])
  },

  'a dead letter holds its subject back where the inbox says so, until it is settled': async (stage) => {
    const { store, id, publish, makeInbox, take, release, ack } = stage
    await makeInbox({ ...keyed, max_attempts: 1, on_dead: 'block' })
    const [x1, y1, x2, y2, x3] = await publish(of('x'), of('y'), of('x'), of('y'), of('x'))
    await take('a')
    await ack('a', [y1])
    await release('a')
    assert.deepEqual(await take('b'), [y2])
    await stage.crash()
    assert.deepEqual(await take('c'), [])
    assert.equal(await stage.store.settleDeadLetters(id, 'crm', { positions: [x1] }, 'replay'), 1)
    assert.deepEqual(await take('c'), [x1], 'before those that it held back')
    await release('c')
    assert.equal(await stage.store.settleDeadLetters(id, 'crm', {}, 'discard'), 1)
    assert.deepEqual(await take('d'), [x2])
    await release('d')
    assert.equal(await stage.store.acknowledgeEvent(id, 'crm', x2), 'acked')
    assert.deepEqual(await take('e'), [x3])
    assert.equal(stage.store === store, false)
  },

  'what came only after the dead letter goes on, too, however that is settled': async (stage) => {
    const { store, id, makeInbox, take, release, ack } = stage
    const settings = { ...inboxDefaults, ...keyed, max_attempts: 1, on_dead: 'block' as const }
    await makeInbox(settings)
    const settlings: Record<string, (position: number) => Promise<unknown>> = {
      discard: (position) => store.settleDeadLetters(id, 'crm', { positions: [position] }, 'discard'),
      acknowledge: (position) => store.acknowledgeEvent(id, 'crm', position),
      continue: () => store.updateInbox(id, 'crm', { settings: { ...settings, on_dead: 'continue' } }),
    }
    for (const [name, settle] of Object.entries(settlings)) {
      const [first] = await stage.publish(of(name))
      await take(`${name}-1`)
      await release(`${name}-1`)
      const [second, third] = await stage.publish(of(name), of(name))
      assert.deepEqual(await take(`${name}-2`), [], name)
      await settle(first)
      for (const position of [second, third]) {
        assert.deepEqual(await take(`${name}-${position}`), [position], name)
        await ack(`${name}-${position}`)
      }
    }
  },

  'an event acknowledged after its lease ran out lets its subject go on': async (stage) => {
    const { publish, makeInbox, take, ack, expire } = stage
    await makeInbox(keyed)
    const [x1, y1, x2, y2] = await publish(of('x'), of('y'), of('x'), of('y'))
    assert.deepEqual(await take('a'), [x1, y1])
    assert.deepEqual(await take('b'), [])
    await expire()
    assert.deepEqual(await ack('a', [x1]), ['acked'])
    const taken = [...(await take('c', { limit: 1 })), ...(await take('d', { limit: 1 }))]
    assert.deepEqual(
      taken.toSorted((one, other) => one - other),
      [y1, x2],
    )
    await ack('c')
    await ack('d')
    assert.deepEqual(await take('e'), [y2])
  },

  'an event that expired with the log lets its subject go on': async (stage) => {
    const { store, id, publish, makeInbox, take, release } = stage
    await makeInbox(keyed)
    const [x1] = await publish(of('x'))
    stage.advance(91 * dayMs)
    const [x2] = await publish(of('x'))
    assert.deepEqual(await take('a'), [x1])
    assert.deepEqual(await take('b'), [])
    await release('a', { delayMs: 60_000 })
    await store.trimEvents(id, retention)
    assert.equal((await store.readHead(id)).trimmedTo, x1)
    assert.deepEqual(await take('b'), [x2])
  },

  'an inbox that is told to go on behind dead letters does so': async ({
    store,
    id,
    publish,
    makeInbox,
    take,
    release,
  }) => {
    await makeInbox({ ...keyed, max_attempts: 1, on_dead: 'block' })
    const [, x2] = await publish(of('x'), of('x'))
    await take('a')
    await release('a')
    assert.deepEqual(await take('b'), [])
    await store.updateInbox(id, 'crm', {
      settings: { ...inboxDefaults, ...keyed, max_attempts: 1, on_dead: 'continue' },
    })
    assert.deepEqual(await take('b'), [x2])
  },

  'an event acknowledged ahead of others does not break their order': async ({
    store,
    id,
    publish,
    makeInbox,
    take,
    ack,
  }) => {
    await makeInbox(keyed)
    const [x1, x2, x3, x4] = await publish(of('x'), of('x'), of('x'), of('x'))
    assert.equal(await store.acknowledgeEvent(id, 'crm', x3), 'acked')
    for (const [index, position] of [x1, x2, x4].entries()) {
      assert.deepEqual(await take(`l${index}`), [position])
      await ack(`l${index}`)
    }
  },

  'a replayed event waits for the one of its subject that is out': async ({
    store,
    id,
    publish,
    makeInbox,
    take,
    ack,
  }) => {
    await makeInbox(keyed)
    const [x1, x2, x3] = await publish(of('x'), of('x'), of('x'))
    await take('a')
    await ack('a')
    assert.deepEqual(await take('b'), [x2])
    assert.equal(await store.replayEvent(id, 'crm', x1, false), 'replayed')
    assert.deepEqual(await take('c'), [])
    await ack('b')
    assert.deepEqual(await take('c'), [x1])
    await ack('c')
    assert.deepEqual(await take('d'), [x3])
  },

  'peeking shows what waits behind others, in the order of the log': async ({ publish, makeInbox, take, peek }) => {
    await makeInbox(keyed)
    const [, x2, y1, x3] = await publish(of('x'), of('x'), of('y'), of('x'))
    await take('a', { limit: 1 })
    assert.deepEqual(await peek(), [x2, y1, x3])
    await take('b')
    assert.deepEqual(await peek(), [x2, x3])
  },

  'seeking frees the subjects': async ({ store, id, publish, makeInbox, take, ack }) => {
    await makeInbox(keyed)
    const [x1, x2] = await publish(of('x'), of('x'))
    await take('a')
    await store.seekInbox(id, 'crm', x2)
    assert.deepEqual(await take('b'), [x2])
    await ack('b')
    await store.seekInbox(id, 'crm', x1)
    assert.deepEqual(await take('c'), [x1])
  },

  'the filter holds with an order, too': async ({ publish, makeInbox, take, ack }) => {
    await makeInbox({ ...keyed, filter: { event_types: ['a'] } })
    const [a1, , a2] = await publish({ type: 'a', ...of('x') }, { type: 'b', ...of('x') }, { type: 'a', ...of('x') })
    assert.deepEqual(await take('a'), [a1])
    await ack('a')
    assert.deepEqual(await take('b'), [a2])
  },

  'order survives a crash': async (stage) => {
    const { publish, makeInbox, take, ack } = stage
    await makeInbox(keyed)
    const [x1, x2] = await publish(of('x'), of('x'))
    assert.deepEqual(await take('a'), [x1])
    assert.deepEqual(await take('b'), [])
    await stage.crash()
    assert.deepEqual(await take('b'), [])
    await ack('a')
    assert.deepEqual(await take('b'), [x2])
  },

  'several consumers keep the order of each subject': async ({ store, id, makeInbox, lease, ack, release }) => {
    await makeInbox({ ...keyed, max_attempts: 100 })
    const subjects = ['x', 'y', 'z', 'w']
    const drafts = Array.from({ length: 60 }, (_, index) => toDraft(of(subjects[(index * 7) % 4]!)))
    await store.appendEvents(id, drafts)
    const done = new Map<string, number[]>()
    for (let round = 0; round < 500; round += 1) {
      const consumers = await Promise.all(
        [0, 1, 2].map((index) => lease(`${round}-${index}`, { limit: ((round + index) % 3) + 1 })),
      )
      if (consumers.every(({ events }) => events.length === 0)) break
      for (const [index, { events }] of consumers.entries()) {
        for (const { position, subject } of events) {
          if ((round + position) % 3 === 0) await release(`${round}-${index}`, { positions: [position] })
          else {
            done.set(subject!, [...(done.get(subject!) ?? []), position])
            await ack(`${round}-${index}`, [position])
          }
        }
      }
    }
    assert.equal([...done.values()].flat().length, 60)
    for (const positions of done.values())
      assert.deepEqual(
        positions,
        positions.toSorted((a, b) => a - b),
      )
  },

  'what waits behind a subject is bounded: then the inbox says blocked, and goes on after': async (stage) => {
    const { store, id, publish, publishMany, makeInbox, take, ack } = stage
    await makeInbox(keyed)
    const [x1] = await publish(of('x'))
    await publishMany(10_500, of('x'))
    const [z1] = await publish(of('z'))
    assert.deepEqual(await take('a'), [x1])
    assert.deepEqual(await take('b'), [], 'the log is not read on without end')
    const { blocked, behind } = await store.readProgress(id, 'crm')
    assert.deepEqual([blocked, behind > 0], [true, true])
    await ack('a')
    const found: number[] = []
    for (let round = 0; round < 600 && !found.includes(z1); round += 1) {
      const taken = await take(`l${round}`, { limit: 10 })
      found.push(...taken)
      await ack(`l${round}`)
    }
    assert.ok(found.includes(z1))
    assert.equal((await store.readProgress(id, 'crm')).blocked, false)
  },

  'the order of an inbox can change once nothing is under way': async ({
    store,
    id,
    publish,
    makeInbox,
    take,
    ack,
    drain,
  }) => {
    await makeInbox()
    const [x1, x2] = await publish(of('x'), of('x'))
    assert.deepEqual(await take('a'), [x1, x2])
    await ack('a')
    await store.updateInbox(id, 'crm', { settings: { ...inboxDefaults, ...keyed } })
    const [x3, x4] = await publish(of('x'), of('x'))
    assert.deepEqual(
      positionsOf((await store.leaseEvents(id, 'crm', { leaseId: 'b', limit: 10, leaseMs: 1000 })).events),
      [x3],
    )
    await ack('b')
    assert.deepEqual(await drain(), [x4])
    await store.updateInbox(id, 'crm', { settings: inboxDefaults })
    const [x5, x6] = await publish(of('x'), of('x'))
    assert.deepEqual(await take('c'), [x5, x6])
  },
}
