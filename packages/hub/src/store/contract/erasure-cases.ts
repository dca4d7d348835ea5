import assert from 'node:assert/strict'
import type { Identified } from '../store.ts'
import { dayMs, retention, type ContractCases, type Stage } from './stage.ts'

const jane = { identity: { id: 'u1', email: 'Jane@Example.org' }, payload: { secret: 'of Jane' }, subject: 'jane' }
const john = { identity: { id: 'u2', email: 'john@example.org' }, subject: 'john' }

async function find({ store, id }: Stage, values: readonly string[], rowBudget = 1000): Promise<Identified[]> {
  const { head } = await store.readHead(id)
  const steps: Identified[] = []
  let [afterPosition, afterDead] = [0, 0]
  for (;;) {
    const step = await store.findIdentified(id, { values, afterPosition, afterDead, lastPosition: head, rowBudget })
    steps.push(step)
    if (!step.more) return steps
    assert.ok(step.looked <= rowBudget && steps.length < 100)
    afterPosition = step.positionsTo
    afterDead = step.deadTo
  }
}

async function erase(stage: Stage, values: readonly string[]): Promise<number> {
  let count = 0
  for (const { positions } of await find(stage, values)) count += await stage.store.eraseEvents(stage.id, positions)
  return count
}

export const erasureCases: ContractCases = {
  'finds events by any member of their identity, in steps, e-mail addresses whatever their case': async (stage) => {
    const [a, , c] = await stage.publish(jane, john, jane, 'none')
    for (const value of ['u1', 'jane@example.org', 'JANE@EXAMPLE.ORG']) {
      const [step] = await find(stage, [value])
      assert.deepEqual(step?.positions, [a, c])
    }
    assert.deepEqual((await find(stage, ['U1']))[0]?.positions, [])
    assert.deepEqual((await find(stage, ['u1', 'u2']))[0]?.positions.length, 3)
    const steps = await find(stage, ['u1'], 1)
    assert.deepEqual(
      steps.flatMap(({ positions }) => positions),
      [a, c],
    )
  },

  'finds an identity whose name or value is written with escapes': async (stage) => {
    const body = String.raw`{"event_type":"a","payload":{},"\u0069dentity":{"email":"jane\u0040example.org"}}`
    const draft = { eventType: 'a', source: null, subject: null, body, notes: null, dedup: [] }
    await stage.store.appendEvents(stage.id, [draft])
    assert.equal(await erase(stage, ['jane@example.org']), 1)
  },

  'the content of an erased event is gone, its place stays, and the others are untouched': async (stage) => {
    await stage.makeInbox()
    const [a, b, c] = await stage.publish(jane, john, jane)
    assert.equal(await erase(stage, ['u1']), 2)
    assert.equal(await erase(stage, ['u1']), 0)
    await stage.crash()
    const events = await stage.store.readEvents(stage.id, [a, b, c])
    assert.deepEqual(
      events.map(({ position, eventType, subject, body }) => [position, eventType, subject, body === null]),
      [
        [a, 'order.created', null, true],
        [b, 'order.created', 'john', false],
        [c, 'order.created', null, true],
      ],
    )
    const { events: found } = await stage.store.searchEvents(stage.id, { before: c + 1, limit: 9, rowBudget: 100 })
    assert.deepEqual(
      found.map(({ position }) => position),
      [b],
    )
  },

  'an inbox that has not come to them yet passes over erased events': async (stage) => {
    await stage.makeInbox()
    const [, b] = await stage.publish(jane, john, jane)
    await erase(stage, ['u1'])
    const [d] = await stage.publish('later')
    assert.deepEqual(await stage.peek(), [b, d])
    assert.deepEqual(await stage.drain(), [b, d])
  },

  'what is leased, parked or dead is let go of, and stays away': async (stage) => {
    const { store, id, makeInbox, publish, take, ack, release, deadLetters, expire, drain, verdict } = stage
    await makeInbox({ max_attempts: 2 })
    const [dead, other] = await publish(jane, john)
    await take('l1')
    await release('l1', { positions: [dead], delayMs: 0, reason: 'Jane said no' })
    await ack('l1', [other])
    await take('l2')
    await release('l2', { delayMs: 0, reason: 'Jane said no' })
    assert.deepEqual(await deadLetters(), [dead])
    const [parked, leased, kept] = await publish(jane, jane, john)
    await take('l3', { limit: 1 })
    await release('l3', { delayMs: 60_000 })
    await take('l4', { limit: 2 })
    assert.equal(await erase(stage, ['u1']), 3)
    assert.deepEqual(await deadLetters(), [])
    assert.deepEqual(await ack('l4', [leased, kept]), ['already', 'acked'])
    await expire(120_000)
    assert.deepEqual(await drain(), [])
    for (const position of [dead, parked, leased]) assert.equal((await verdict(position)).verdict, 'erased')
    assert.equal((await verdict(kept)).verdict, 'acknowledged')
    const attempts = await store.listAttempts(id, 'crm', { before: Number.MAX_SAFE_INTEGER, limit: 100 })
    assert.ok(attempts.length >= 3)
    assert.deepEqual(
      attempts.filter(({ reason }) => reason !== null),
      [],
    )
  },

  'a lease that lapses does not bring an erased event back': async (stage) => {
    await stage.makeInbox()
    const [, b] = await stage.publish(jane, john)
    await stage.take('l')
    await erase(stage, ['u1'])
    await stage.expire()
    assert.deepEqual(await stage.drain(), [b])
  },

  'with ordering by key, what waited behind an erased event goes on': async (stage) => {
    await stage.makeInbox({ ordering: 'key' })
    const [, second] = await stage.publish(jane, { subject: 'jane' }, john)
    await stage.take('l', { limit: 1 })
    await erase(stage, ['u1'])
    assert.ok((await stage.drain()).includes(second))
  },

  'a dead letter that has outlived its event is found by itself': async (stage) => {
    const { store, id, makeInbox, publish, take, release, deadLetters } = stage
    await makeInbox({ max_attempts: 1 })
    const [dead] = await publish(jane)
    await take('l')
    await release('l', { reason: 'no' })
    stage.advance(100 * dayMs)
    while ((await store.trimEvents(id, retention)).more);
    assert.deepEqual(await store.readEvents(id, [dead]), [])
    const steps = await find(stage, ['jane@example.org'], 1)
    assert.deepEqual(
      steps.flatMap((step) => step.deadLetters),
      [{ inbox: 'crm', position: dead }],
    )
    assert.equal(await store.settleDeadLetters(id, 'crm', { positions: [dead] }, 'discard'), 1)
    assert.deepEqual(await deadLetters(), [])
  },

  'nothing crosses to another workspace': async (stage) => {
    const { store } = stage
    const { workspace } = await store.ensureWorkspace('erasure-neighbour')
    const draft = { eventType: 'a', source: null, subject: null, notes: null, dedup: [] }
    const body = JSON.stringify({ event_type: 'a', ...jane })
    await store.appendEvents(workspace.id, [{ ...draft, body }])
    await stage.publish(jane)
    await erase(stage, ['u1'])
    const [event] = await store.readEvents(workspace.id, [1])
    assert.equal(event?.body, body)
    assert.equal(await store.deleteWorkspace('erasure-neighbour'), true)
  },
}
