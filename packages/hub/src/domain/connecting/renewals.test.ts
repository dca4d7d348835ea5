import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRenewals } from './renewals.ts'

test('what is refused again asks for no more tokens until it has worked, or ten minutes are over', () => {
  let now = 0
  const renewals = createRenewals(() => now)
  assert.deepEqual(
    [renewals.note('c/read', true), renewals.note('c/read', true), renewals.note('c/write', true)],
    [true, false, true],
  )
  // Another use that works says nothing of a scope that this one is missing.
  assert.equal(renewals.note('c/write', false), false)
  assert.equal(renewals.note('c/read', true), false)
  assert.equal(renewals.note('c/read', false), false)
  assert.equal(renewals.note('c/read', true), true)
  now = 600_000
  assert.equal(renewals.note('c/read', true), true)
})
