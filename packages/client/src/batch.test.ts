import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toChunks, toLines } from './batch.ts'

test('chunks keep the order, lose nothing and stay within both limits', () => {
  const limit = { events: 5, bytes: 400 }
  const event = fc.record({
    event_type: fc.string({ minLength: 1, maxLength: 20 }),
    payload: fc.dictionary(fc.string(), fc.string()),
  })
  fc.assert(
    fc.property(fc.array(event), (events) => {
      const { lines } = toLines(events, { source: undefined, newId: () => 'key' })
      const chunks = toChunks(lines, limit.events, limit.bytes)
      assert.deepEqual(chunks.flat(), lines)
      for (const chunk of chunks) {
        const bytes = chunk.reduce((sum, line) => sum + line.bytes, 0)
        assert.ok(chunk.length > 0 && chunk.length <= limit.events && (bytes <= limit.bytes || chunk.length === 1))
      }
      for (const line of lines) assert.equal(Buffer.byteLength(line.text), line.bytes)
    }),
  )
})

test('every event has a key and a source; what cannot be sent fails alone', () => {
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  let made = 0
  const { lines, failed } = toLines(
    [
      { event_type: 'a', payload: {} },
      { event_type: 'b', payload: {}, source: 'shop', idempotency_key: 'mine' },
      { event_type: 'c', payload: circular },
      { event_type: 'd', payload: { text: 'x'.repeat(6_000_000) } },
    ],
    { source: 'billing', newId: () => `key-${(made += 1)}` },
  )
  assert.deepEqual(
    lines.map((line) => JSON.parse(line.text)),
    [
      { event_type: 'a', payload: {}, source: 'billing', idempotency_key: 'key-1' },
      { event_type: 'b', payload: {}, source: 'shop', idempotency_key: 'mine' },
    ],
  )
  assert.deepEqual(
    failed.map((result) => [result.index, 'error' in result && result.error.error_code]),
    [
      [2, 'validation-error'],
      [3, 'payload-too-large'],
    ],
  )
})
