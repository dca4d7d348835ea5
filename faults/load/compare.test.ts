import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareLedger, type StoredLog } from './compare.ts'
import { createLedger, inboxLedger, type HandedOut, type Ledger, type Sent } from './ledger.ts'

// A suite that finds nothing proves something only if it would have found it: each fault is planted once.

const sent = (n: number, ids: readonly string[], more: Partial<Sent> = {}): Sent => ({
  n,
  key: `key-${n}`,
  subject: `subject-${n}`,
  digest: `digest-${n}`,
  ids: new Set(ids),
  unknown: 0,
  refused: 0,
  ...more,
})

const delivery = (n: number, more: Partial<HandedOut> = {}): HandedOut => ({
  id: `id-${n}`,
  n,
  digest: `digest-${n}`,
  attempt: 1,
  leaseId: 'lease-1',
  leasedUntilMs: 3000,
  askedMs: 1000,
  receivedMs: 1001,
  ...more,
})

/** Three events, accepted, handed out and acknowledged, and nothing wrong. */
function clean(): { ledger: Ledger; log: StoredLog[number][] } {
  const ledger = createLedger({ work: { inOrder: true, byKey: true } })
  ledger.followers.push({ inbox: 'work', ids: ['id-1', 'id-2', 'id-3'], cursor: 'cursor' })
  const own = inboxLedger(ledger, 'work')
  for (const n of [1, 2, 3]) {
    ledger.sent.set(n, sent(n, [`id-${n}`]))
    own.handedOut.push(delivery(n))
    own.acked.set(`id-${n}`, 1100)
  }
  ledger.sequences.push(['id-1', 'id-2', 'id-3'])
  return { ledger, log: [1, 2, 3].map((n) => ({ id: `id-${n}`, n, digest: `digest-${n}` })) }
}

/** The counts that are not zero, after a change to the clean case. */
function after(
  change: (state: ReturnType<typeof clean>) => void,
  missing: readonly string[] = [],
): Record<string, number> {
  const { ledger, log } = clean()
  change({ ledger, log })
  const { faults, doubledWithoutKey } = compareLedger(ledger, { log, missing })
  return Object.fromEntries(Object.entries({ ...faults, doubledWithoutKey }).filter(([, count]) => count > 0))
}

test('nothing wrong, nothing found', () => {
  assert.deepEqual(
    after(() => {}),
    {},
  )
})

test('an accepted event that is not listed, or cannot be read, is lost', () => {
  assert.deepEqual(
    after(({ ledger }) => ledger.sent.set(4, sent(4, ['id-4']))),
    { lost: 1 },
  )
  assert.deepEqual(
    after(() => {}, ['id-2']),
    { lost: 1 },
  )
})

test('another payload than the one sent is damage', () => {
  const found = after(({ log }) => log.splice(1, 1, { id: 'id-2', n: 2, digest: 'other' }))
  assert.deepEqual(found, { damaged: 2 })
})

test('an event that a consumer saw and nobody stored', () => {
  const found = after(({ ledger }) => inboxLedger(ledger, 'work').handedOut.push(delivery(9)))
  assert.deepEqual(found, { handedOutBeforeStored: 1 })
})

test('a key that was stored twice is doubled, whatever was answered', () => {
  const twice = { id: 'id-4', n: 3, digest: 'digest-3' }
  const hand = ({ ledger, log }: ReturnType<typeof clean>): void => {
    log.push(twice)
    ledger.followers[0]?.ids.push('id-4')
    inboxLedger(ledger, 'work').handedOut.push(delivery(3, { id: 'id-4' }))
  }
  assert.deepEqual(after(hand), { doubled: 1 })
  const withoutKey = after((state) => {
    hand(state)
    state.ledger.sent.set(3, { ...sent(3, ['id-3']), key: undefined, unknown: 1 })
  })
  assert.deepEqual(withoutKey, { doubledWithoutKey: 1 })
})

test('what was refused for good must not be there', () => {
  const found = after(({ ledger }) => ledger.sent.set(3, sent(3, [], { refused: 1 })))
  assert.deepEqual(found, { refusedButStored: 1 })
})

test('ids that go back for a publisher who waits are out of order', () => {
  assert.deepEqual(
    after(({ ledger }) => ledger.sequences.push(['id-2', 'id-1'])),
    { outOfOrder: 1 },
  )
})

test('what is handed out for the first time must come in order, where one consumer takes all', () => {
  const again = (attempt: number) => (state: ReturnType<typeof clean>) => {
    const own = inboxLedger(state.ledger, 'work')
    own.handedOut.push(delivery(2, { attempt, leaseId: 'lease-2', askedMs: 1050, receivedMs: 4000 }))
  }
  assert.deepEqual(after(again(2)), {})
  assert.deepEqual(after(again(1)), { outOfOrder: 1, wrongAttempt: 1 })
})

test('an acknowledged event that is asked for later must not come', () => {
  const again = delivery(1, { leaseId: 'lease-2', attempt: 2, askedMs: 5000, receivedMs: 5001 })
  assert.deepEqual(
    after(({ ledger }) => inboxLedger(ledger, 'work').handedOut.push(again)),
    { ackedCameBack: 1 },
  )
})

test('an event that another consumer still holds must not be handed out, unless it was given back', () => {
  const both = ({ ledger }: ReturnType<typeof clean>): void => {
    const own = inboxLedger(ledger, 'work')
    own.acked.delete('id-1')
    own.handedOut.push(delivery(1, { leaseId: 'lease-2', attempt: 2, receivedMs: 1500 }))
  }
  assert.deepEqual(after(both), { leasedTwice: 1 })
  const givenBack = after((state) => {
    both(state)
    inboxLedger(state.ledger, 'work').released.add('lease-1 id-1')
  })
  assert.deepEqual(givenBack, {})
})

test('a stored event that an inbox has never handed out', () => {
  const found = after(({ ledger }) => {
    const own = inboxLedger(ledger, 'work')
    own.handedOut.splice(0, 1)
    own.acked.delete('id-1')
  })
  assert.deepEqual(found, { neverHandedOut: 1 })
})

test('the later event of a subject must wait for the earlier one', () => {
  const found = after(({ ledger }) => {
    const own = inboxLedger(ledger, 'work')
    ledger.sent.set(1, { ...sent(1, ['id-1']), subject: 'subject-2' })
    own.acked.delete('id-1')
    own.handedOut.push(delivery(1, { attempt: 2, leaseId: 'lease-2', askedMs: 5000, receivedMs: 5001 }))
  })
  assert.deepEqual(found, { outOfOrder: 1 })
})

test('the attempt of an event that is handed out again is a higher one', () => {
  const again = (attempt: number) => (state: ReturnType<typeof clean>) => {
    const own = inboxLedger(state.ledger, 'work')
    own.acked.delete('id-3')
    for (const [index, each] of [2, attempt].entries()) {
      const [askedMs, receivedMs] = [5000 + 1000 * index, 5001 + 1000 * index]
      own.handedOut.push(delivery(3, { attempt: each, leaseId: `again-${index}`, askedMs, receivedMs }))
    }
  }
  assert.deepEqual(after(again(3)), {})
  assert.deepEqual(after(again(2)), { wrongAttempt: 1 })
})

test('a follower that misses an event, sees one twice, or sees one appear before another', () => {
  const see =
    (...ids: string[]) =>
    ({ ledger }: ReturnType<typeof clean>) =>
      ledger.followers[0]?.ids.splice(0, 3, ...ids)
  assert.deepEqual(after(see('id-1', 'id-3')), { followedWrong: 1 })
  assert.deepEqual(after(see('id-1', 'id-2', 'id-2', 'id-3')), { followedWrong: 1, outOfOrder: 1 })
  assert.deepEqual(after(see('id-1', 'id-3', 'id-2')), { outOfOrder: 1 })
})
