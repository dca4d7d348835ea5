import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HubError } from '@sluice/protocol'
import { parseIdempotencyKey } from './idempotency-key.ts'

test('quoted or bare, a key is the same key', () => {
  const visible = fc.string({
    unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength: 100,
  })
  fc.assert(
    fc.property(visible, (key) => {
      const quoted = `"${key.replaceAll(/["\\]/g, '\\$&')}"`
      assert.equal(parseIdempotencyKey(quoted), key)
      if (!key.startsWith('"')) assert.equal(parseIdempotencyKey(key), key)
    }),
  )
  assert.equal(parseIdempotencyKey(undefined), undefined)
})

test('a field that is neither is refused', () => {
  for (const field of ['', '""', '"', '"a', '"a"b', '"\\x"', 'x'.repeat(256), '"\u00e9"']) {
    assert.throws(() => parseIdempotencyKey(field), HubError, field)
  }
})
