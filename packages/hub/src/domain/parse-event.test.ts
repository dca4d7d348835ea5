import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HubError, NewEvent, limits } from '@sluice/protocol'
import type { Draft } from '../store/store.ts'
import { parseEvent } from './parse-event.ts'

function parse(text: string, batch = false, idempotencyKey?: string): Draft {
  const options = { batch, notes: null, ...(idempotencyKey !== undefined && { idempotencyKey }) }
  return parseEvent({ text, start: 0, end: text.length, value: JSON.parse(text) }, options)
}

test('the text is stored as received, without line breaks and without the idempotency key', () => {
  const members = [
    '"event_type":"a"',
    '"payload":{"idempotency_key":"inner","s":"\\n"}',
    '"idempotency_key":"k"',
    '"source":"s"',
  ]
  const gaps = fc.array(fc.constantFrom('', ' ', '\n', '\r\n\t'), { minLength: 4, maxLength: 4 })
  fc.assert(
    fc.property(fc.shuffledSubarray(members, { minLength: 4 }), gaps, (order, spaces) => {
      const text = `{${order.map((member, index) => `${spaces[index]}${member}${spaces.at(-1 - index)}`).join(',')}}`
      const { body, eventType, source, dedup } = parse(text, true)
      const { idempotency_key: _, ...rest } = JSON.parse(text)
      assert.deepEqual(JSON.parse(body), rest)
      assert.ok(!/[\r\n]/.test(body))
      assert.deepEqual([eventType, source, dedup.length], ['a', 's', 1])
    }),
  )
})

test('the key of a batch item and that of a header are one namespace; the body decides over sameness', () => {
  const plain = '{"event_type":"a","payload":{}}'
  const inItem = parse('{"event_type":"a","payload":{},"idempotency_key":"k"}', true).dedup
  assert.deepEqual(parse(plain, false, 'k').dedup, inItem)
  assert.notDeepEqual(parse(plain, false, 'l').dedup[0]?.key, inItem[0]?.key)
  const other = parse('{"event_type":"b","payload":{}}', false, 'k').dedup
  assert.equal(other[0]?.key, inItem[0]?.key)
  assert.notEqual(other[0]?.fingerprint, inItem[0]?.fingerprint)
  const external = parse('{"event_type":"a","payload":{},"source":"k","external_event_id":"k"}', false, 'k').dedup
  assert.equal(new Set(external.map(({ key }) => key)).size, 2)
})

test('nesting is allowed to its limit, and no level deeper', () => {
  const nested = (levels: number): string =>
    `{"event_type":"a","payload":${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}}`
  assert.equal(parse(nested(limits.depth - 1)).eventType, 'a')
  assert.throws(() => parse(nested(limits.depth)), HubError)
})

test('a payload is measured in the bytes that were sent', () => {
  const payloadOf = (text: string): string => `{"event_type":"a","payload":{"p":"${text}"}}`
  const room = limits.payloadBytes - '{"p":""}'.length
  assert.equal(parse(payloadOf('x'.repeat(room))).eventType, 'a')
  assert.throws(() => parse(payloadOf('x'.repeat(room + 1))), { code: 'payload-too-large' })
  assert.equal(parse(payloadOf('é'.repeat(Math.floor(room / 2)))).eventType, 'a')
  assert.throws(() => parse(payloadOf('é'.repeat(Math.floor(room / 2) + 1))), { code: 'payload-too-large' })
})

test('the short way judges as the schema does', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 4 }),
    fc.constantFrom('a', 'x'.repeat(255), 'x'.repeat(256), '😀', '\ud800', 'sluice.a', 'a\u007f'),
    fc.constantFrom(null, 1, {}, [], undefined),
  )
  const names = [
    'event_type',
    'payload',
    'source',
    'subject',
    'channel',
    'correlation_id',
    'external_event_id',
    'actor',
  ]
  const members = Object.fromEntries(names.map((name) => [name, value]))
  const any = fc.record(members, { requiredKeys: [] })
  const nearly = fc.tuple(any, fc.constantFrom({}, { event_type: 'a' }, { event_type: 'a', payload: {} }))
  fc.assert(
    fc.property(
      nearly.map(([some, sound]) => ({ ...some, ...sound })),
      (candidate: Record<string, unknown>) => {
        const text = JSON.stringify(candidate)
        const { success } = NewEvent.safeParse(JSON.parse(text))
        if (success) assert.equal(parse(text).eventType, candidate['event_type'])
        else assert.throws(() => parse(text), HubError)
      },
    ),
    { numRuns: 2000 },
  )
})
