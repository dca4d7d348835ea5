import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareOutbox, type StoredEvent, type StoredRow } from './compare-outbox.ts'

const row = (name: string, number: number): StoredRow => ({ name, subject: 's', number })
const event = (name: string, number: number): StoredEvent => ({ ...row(name, number), id: `event-${name}` })
const rows = [row('a', 1), row('b', 2), row('c', 3)]

/** Names of faults, for events that an outbox may have left in the hub. */
function find(events: readonly StoredEvent[]): string[] {
  return compareOutbox(rows, events).faults.map((fault) => fault.split(':')[0] ?? '')
}

test('each fault is found when it is there, and none when there is none', () => {
  const [a, b, c] = [event('a', 1), event('b', 2), event('c', 3)]
  assert.deepEqual(find([a, b, c]), [])
  assert.deepEqual(find([a, c]), ['lost'])
  assert.deepEqual(find([a, b, b, c]), ['doubled'])
  assert.deepEqual(find([a, b, c, event('d', 4)]), ['without a row'])
  assert.deepEqual(find([b, a, c]), ['out of order'])
  assert.deepEqual(find([a, event('b', 3), c]), ['damaged'])
})
