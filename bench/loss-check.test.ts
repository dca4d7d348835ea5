import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareStored } from './loss-check.ts'

const published = [
  { accepted: 100, maxUnanswered: 10 },
  { accepted: 50, maxUnanswered: 5 },
]

test('everything that was accepted is stored, and no more than what was in flight beside it', () => {
  const stored = (rows: number): string => compareStored({ stored: rows, distinct: rows }, published)
  assert.match(stored(150), /accepted 150, stored 150/)
  assert.match(stored(165), /15 unanswered/)
  assert.throws(() => stored(149), /loss check failed/)
  assert.throws(() => stored(166), /loss check failed/)
})

test('an event that is stored twice is found', () => {
  assert.throws(() => compareStored({ stored: 151, distinct: 150 }, published), /doubled 1/)
})
