import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Store, Wake } from '../store.ts'
import type { ContractCases } from './stage.ts'

/** The wakes that a step causes; they may come a little after its answer. */
async function wakesOf(store: Store, step: () => Promise<unknown>): Promise<Wake[]> {
  const wakes: Wake[] = []
  const off = store.onWake((wake) => wakes.push(wake))
  await step()
  for (let turn = 0; turn < 1000 && wakes.length === 0; turn += 1) await nextTurn()
  off()
  return wakes
}

export const wakeCases: ContractCases = {
  'appended events wake their workspace and say what they are': async ({ store, id, publish }) => {
    const wakes = await wakesOf(store, () => publish({ type: 'a', source: 's', subject: 'x' }, 'b'))
    assert.ok(wakes.every(({ workspaceId, inbox }) => workspaceId === id && inbox === undefined))
    const appended = wakes.flatMap((wake) => wake.appended ?? [])
    assert.deepEqual(
      appended.map(({ eventType, source, subject }) => [eventType, source, subject]),
      [
        ['a', 's', 'x'],
        ['b', null, null],
      ],
    )
  },

  'whatever may give an inbox something to hand out wakes it': async (stage) => {
    const { store, id, publish, makeInbox, take, release, ack, expire } = stage
    await makeInbox({ max_attempts: 4 })
    const [a] = await publish('a')
    const steps: Record<string, () => Promise<unknown>> = {
      release: async () => (await take('x'), release('x')),
      expiry: async () => (await take('y'), expire()),
      pause: () => store.updateInbox(id, 'crm', { status: 'paused' }),
      resume: () => store.updateInbox(id, 'crm', { status: 'active' }),
      seek: () => store.seekInbox(id, 'crm', a),
      replay: async () => (await take('z'), await ack('z'), store.replayEvent(id, 'crm', a, false)),
    }
    for (const [name, step] of Object.entries(steps)) {
      const wakes = await wakesOf(store, step)
      assert.ok(name === 'pause' || wakes.some(({ workspaceId, inbox }) => workspaceId === id && inbox === 'crm'), name)
    }
  },

  'replayed dead letters wake their inbox': async ({ store, id, publish, makeInbox, take, release }) => {
    await makeInbox({ max_attempts: 1 })
    await publish('a')
    await take('x')
    await release('x')
    const wakes = await wakesOf(store, () => store.settleDeadLetters(id, 'crm', {}, 'replay'))
    assert.ok(wakes.some(({ inbox }) => inbox === 'crm'))
  },

  'with an order an acknowledgement wakes those who wait for the next': async ({
    store,
    id,
    publish,
    makeInbox,
    take,
    ack,
    release,
  }) => {
    await makeInbox({ ordering: 'key', on_dead: 'block', max_attempts: 1 })
    const [x1] = await publish({ subject: 'x' }, { subject: 'x' }, { subject: 'x' })
    await take('a')
    await release('a')
    assert.ok(
      (await wakesOf(store, () => store.acknowledgeEvent(id, 'crm', x1))).some(({ inbox }) => inbox === 'crm'),
      'a dead letter given up',
    )
    await take('b')
    assert.ok(
      (await wakesOf(store, () => ack('b'))).some(({ inbox }) => inbox === 'crm'),
      'an acknowledgement',
    )
  },

  'no wakes come once they are not wanted any more, and all who want them get them': async ({ store, publish }) => {
    const counts = [0, 0]
    const off = store.onWake(() => (counts[0]! += 1))
    const offOther = store.onWake(() => (counts[1]! += 1))
    off()
    await publish('a')
    for (let turn = 0; turn < 1000 && counts[1] === 0; turn += 1) await nextTurn()
    offOther()
    assert.equal(counts[0], 0)
    assert.ok(counts[1]! > 0)
  },

  'a working store is healthy and counts': async ({ store, publish }) => {
    const before = store.stats()
    await publish('a', 'b')
    const after = store.stats()
    assert.equal(after.appended - before.appended, 2)
    assert.ok(after.commits > before.commits)
    assert.equal(after.queued, 0)
    const parts = Object.values(await store.checkHealth())
    assert.ok(parts.length > 0 && parts.every((part) => part === 'ok'))
  },
}
