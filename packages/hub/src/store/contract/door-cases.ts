import assert from 'node:assert/strict'
import { inboxDefaults } from '@sluice/protocol'
import { deliveredKept, newDoor, type Door, type DoorRow } from '../doors.ts'
import { assertSame, type ContractCases, type Stage } from './stage.ts'

const door: Door = { ...newDoor, keyId: 'k1' }
const settings = { ...inboxDefaults, max_attempts: 2 }

async function makeDoor({ store, id }: Stage, key = 'crm'): Promise<void> {
  const { created } = await store.createInbox(id, key, { settings, start: 1, door })
  assert.ok(created)
}

/** Of this workspace: others share the store. */
async function listDoors({ store, id }: Stage): Promise<DoorRow[]> {
  return (await store.listDoors()).filter(({ workspaceId }) => workspaceId === id)
}

const listAttempts = ({ store, id }: Stage) =>
  store.listAttempts(id, 'crm', { before: Number.MAX_SAFE_INTEGER, limit: 1000 })

export const doorCases: ContractCases = {
  'inboxes with a door are listed, with what there is to do': async (stage) => {
    await stage.makeInbox({}, { key: 'without' })
    await makeDoor(stage)
    const [quiet, ...more] = await listDoors(stage)
    assert.deepEqual(more, [])
    assertSame([quiet?.key, quiet?.door, quiet?.isBehind, quiet?.availableMs], ['crm', door, false, null])
    await stage.publish('a')
    assert.equal((await listDoors(stage))[0]?.isBehind, true)
    const { untilMs } = await stage.lease('x')
    assertSame(
      (await listDoors(stage)).map(({ isBehind, availableMs }) => [isBehind, availableMs]),
      [[false, untilMs]],
    )
    await stage.release('x', { delayMs: 5000 })
    assert.equal((await listDoors(stage))[0]?.availableMs, stage.store.nowMs() + 5000)
    await stage.store.deleteInbox(stage.id, 'crm')
    assert.deepEqual(await listDoors(stage), [])
  },

  'a door changes by its members, survives a crash, and goes with null': async (stage) => {
    const { store, id } = stage
    await makeDoor(stage)
    const wakes: string[] = []
    const stop = store.onWake(({ workspaceId, inbox }) => void (workspaceId === id && inbox && wakes.push(inbox)))
    await store.updateInbox(id, 'crm', { status: 'broken', door: { reason: 'no', probeMs: 7 } })
    stop()
    assert.deepEqual(wakes, ['crm'])
    await stage.crash()
    const broken = await stage.store.findInbox(id, 'crm')
    assertSame([broken?.status, broken?.door], ['broken', { ...door, reason: 'no', probeMs: 7 }])
    const unchanged = await stage.store.updateInbox(id, 'crm', { status: 'active', ifStatus: 'active', door: null })
    assertSame([unchanged.status, unchanged.door?.reason], ['broken', 'no'], 'it is not what it was thought to be')
    const plain = await stage.store.updateInbox(id, 'crm', { status: 'active', ifStatus: 'broken', door: null })
    assertSame([plain.status, plain.door], ['active', null])
    assert.deepEqual(await listDoors(stage), [])
  },

  'a new inbox with a door wakes, so that whoever delivers hears of it': async (stage) => {
    const woken = new Promise<void>((resolve) => {
      stage.store.onWake(({ workspaceId, inbox }) => void (workspaceId === stage.id && inbox === 'crm' && resolve()))
    })
    await makeDoor(stage)
    await woken
  },

  'a broken inbox hands out to a probe alone': async (stage) => {
    const { store, id } = stage
    await makeDoor(stage)
    const [a] = await stage.publish('a')
    await store.updateInbox(id, 'crm', { status: 'broken' })
    assert.deepEqual(await stage.take('x'), [])
    const { events } = await store.leaseEvents(id, 'crm', { leaseId: 'y', limit: 1, probe: true })
    assertSame(
      events.map(({ position }) => position),
      [a],
    )
    await store.updateInbox(id, 'crm', { status: 'paused' })
    await stage.publish('b')
    assert.deepEqual((await store.leaseEvents(id, 'crm', { leaseId: 'z', limit: 1, probe: true })).events, [])
  },

  'what was delivered is listed with what was seen of it, the last of them': async (stage) => {
    const { store, id } = stage
    await makeDoor(stage)
    const [a, b] = await stage.publish('a', 'b')
    await stage.take('x')
    const note = { ms: 12, result: 'action' }
    await store.settleLease(id, 'crm', { leaseId: 'x', positions: [a], outcome: { kind: 'ack', note } })
    const failed = { ms: 3, result: 'action_error' }
    const outcome = { kind: 'release', count: true, delayMs: 0, reason: 'no', note: failed } as const
    await store.settleLease(id, 'crm', { leaseId: 'x', positions: [b], outcome })
    await stage.crash()
    const seen = (await listAttempts(stage)).map(({ position, attempt, outcome: how, ms, result, reason }) => [
      position,
      attempt,
      how,
      ms,
      result,
      reason,
    ])
    assertSame(seen, [
      [b, 1, 'released', 3, 'action_error', 'no'],
      [a, 1, 'delivered', 12, 'action', null],
    ])
    assertSame(
      (await stage.store.findAttempts(id, 'crm', a)).map(({ outcome: how }) => how),
      ['delivered'],
    )
    assertSame(
      (await stage.verdict(a)).history.map(({ result }) => result),
      ['action'],
    )
    assert.deepEqual(await stage.store.findAttempts(id, 'crm', 99), [])
  },

  'no more is listed of what went well than is worth reading': async (stage) => {
    const { store, id } = stage
    await makeDoor(stage)
    await stage.publishMany(deliveredKept + 100)
    const note = { ms: 1, result: 'action' }
    for (const leaseId of ['x', 'y', 'z']) {
      await stage.take(leaseId, { limit: 100 })
      await store.settleLease(id, 'crm', { leaseId, outcome: { kind: 'ack', note } })
    }
    const kept = await listAttempts(stage)
    assert.equal(kept.length, deliveredKept)
    assert.equal(kept[0]?.position, deliveredKept + 100)
  },

  'an event can be given up at once, whatever attempts are left': async (stage) => {
    const { store, id } = stage
    await makeDoor(stage)
    const [a] = await stage.publish('a')
    await stage.take('x')
    const outcome = {
      kind: 'release',
      count: true,
      final: true,
      reason: 'never',
      note: { ms: 1, result: 'r' },
    } as const
    const [settled] = await store.settleLease(id, 'crm', { leaseId: 'x', outcome })
    assert.equal(settled?.status, 'dead')
    assert.deepEqual(await stage.deadLetters(), [a])
    const [attempt] = await listAttempts(stage)
    assertSame([attempt?.outcome, attempt?.attempt, attempt?.result], ['dead', 1, 'r'])
  },
}
