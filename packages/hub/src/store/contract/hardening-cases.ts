import assert from 'node:assert/strict'
import { inboxDefaults } from '@sluice/protocol'
import type { KeyRow } from '../store.ts'
import type { ContractCases } from './stage.ts'

const dayMs = 86_400_000

const toKey = (workspaceId: number): KeyRow => ({
  keyId: '00000000000000ff',
  workspaceId,
  secretHash: 'first',
  previousHash: null,
  previousUntilMs: null,
  userId: 'u',
  userEmail: null,
  role: 'creator',
  allowedEventTypes: null,
  allowedActions: null,
  rateLimit: null,
  expiresMs: null,
  status: 'active',
  createdMs: 1,
  lastUsedMs: null,
  hmac: null,
})

/** What careless or hostile callers must not get. */
export const hardeningCases: ContractCases = {
  'revocation is final, whatever comes at the same moment': async ({ store, id }) => {
    const key = toKey(id)
    await store.insertKey(key)
    const changes = [{ status: 'revoked' }, { status: 'active' }, { secretHash: 'second' }] as const
    const settled = await Promise.allSettled(changes.map((change) => store.updateKey(key.keyId, change)))
    assert.deepEqual(
      settled.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected'],
    )
    assert.equal((await store.findKey(key.keyId))?.status, 'revoked')
  },

  'a dead letter whose event has expired is not lost by a replay': async (stage) => {
    const { store, id, publish, makeInbox, take, release, deadLetters } = stage
    await makeInbox({ max_attempts: 1 })
    const [a] = await publish('a')
    await take('x')
    await release('x')
    stage.advance(91 * dayMs)
    const policy = { passedMs: 30 * dayMs, anywayMs: 90 * dayMs, attemptsMs: 7 * dayMs, maxRows: 500 }
    while ((await store.trimEvents(id, policy)).more) continue
    assert.equal(await store.settleDeadLetters(id, 'crm', { positions: [a] }, 'replay'), 0)
    assert.deepEqual(await deadLetters(), [a])
    assert.equal(await store.settleDeadLetters(id, 'crm', { positions: [a] }, 'discard'), 1)
  },

  'a long range that was passed over is looked through to its end, by lease and by peek': async (stage) => {
    const { store, id, makeInbox, take, peek } = stage
    await makeInbox()
    const draft = (eventType: string): Parameters<typeof store.appendEvents>[1][number] => ({
      eventType,
      source: null,
      subject: null,
      body: `{"event_type":"${eventType}","payload":{}}`,
      notes: null,
      dedup: [],
    })
    const types = Array.from({ length: 9000 }, (_, index) =>
      index === 0 || index === 8000 || index === 8999 ? 'rare' : 'often',
    )
    for (let at = 0; at < types.length; at += 1000) await store.appendEvents(id, types.slice(at, at + 1000).map(draft))
    await store.updateInbox(id, 'crm', { settings: { ...inboxDefaults, filter: { event_types: ['rare'] } } })
    assert.equal(await store.acknowledgeEvent(id, 'crm', 9000), 'acked')
    assert.deepEqual(await take('x', { limit: 1 }), [1])
    const seen: number[] = []
    for (let after = 0, more = true; more;) {
      const page = await store.peekEvents(id, 'crm', { after, limit: 10 })
      seen.push(...page.events.map((event) => event.position))
      after = page.scannedTo
      more = page.more
    }
    assert.deepEqual(seen, [8001])
    assert.deepEqual(await peek().then(() => take('y')), [8001])
  },
}
