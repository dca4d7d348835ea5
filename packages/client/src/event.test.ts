import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NewEvent, toFaults } from '@sluice/protocol'
import fc from 'fast-check'
import { buildEvent, EventValidationError, validateEvent } from './event.ts'

function toErrors(event: unknown): readonly { pointer: string; detail: string }[] {
  try {
    assert.equal(validateEvent(event), event)
    return []
  } catch (error) {
    assert.ok(error instanceof EventValidationError)
    assert.ok(error.errors.length > 0)
    return error.errors
  }
}

const odd = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    'a\nb',
    'a\u007f',
    '\ud800',
    'x'.repeat(64),
    'x'.repeat(65),
    'x'.repeat(255),
    'x'.repeat(256),
  ),
  fc.constantFrom('x'.repeat(320), 'x'.repeat(321), 'sluice.mine', 'sluice', 'user', 'third-party', 'Größe 😀'),
  fc.string({ unit: 'binary', maxLength: 5 }),
)
const days = fc
  .tuple(fc.nat(9999), fc.nat(13), fc.nat(32), fc.nat(25), fc.nat(60), fc.nat(60))
  .map(([year, month, day, hour, minute, second]) => {
    const two = (n: number): string => String(n).padStart(2, '0')
    return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}`
  })
const times = fc.oneof(
  fc
    .tuple(days, fc.constantFrom('Z', '', '+05:30', '-00:00', '+24:00', '+0530', 'z', '.5Z', '.Z', '.123456789+01:00'))
    .map(([day, zone]) => day + zone),
  fc.constantFrom(
    '2026-02-29T00:00:00Z',
    '2024-02-29T00:00Z',
    '1900-02-29T00:00:00Z',
    '2000-02-29T00:00:00Z',
    '2026-01-31',
  ),
)
const value = fc.oneof(odd, times, fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<unknown>)
const people = ['id', 'email', 'phone', 'external_id', 'type', '~/x']
const member = fc.oneof(value, fc.dictionary(fc.constantFrom(...people), value))
const names = ['source', 'subject', 'occurred_at', 'metadata', 'actor', 'identity', 'entity', 'correlation_id']
const more = ['external_event_id', 'channel', 'event_id', 'idempotency_key', 'a/b~c']
const members = fc.dictionary(fc.constantFrom(...names, ...more, 'event_type', 'payload'), member)
const events = fc.oneof(
  members,
  members.map((some) => ({ event_type: 'a', payload: {}, ...some })),
  fc.jsonValue() as fc.Arbitrary<unknown>,
)

test('events are good or bad here as they are in the hub, with the same faults in the same places', () => {
  fc.assert(
    fc.property(events, (event) => {
      const theirs = NewEvent.safeParse(event)
      const ours = toErrors(event).map(({ pointer }) => pointer)
      const expected = theirs.success ? [] : toFaults(theirs.error).map(({ pointer }) => pointer)
      // The hub may have two complaints about one text.
      assert.deepEqual([...new Set(ours)].toSorted(), [...new Set(expected)].toSorted())
    }),
    { numRuns: 3000 },
  )
})

test('times are good or bad here as they are in the hub', () => {
  fc.assert(
    fc.property(times, (occurred_at) => {
      const event = { event_type: 'a', payload: {}, occurred_at }
      assert.equal(toErrors(event).length === 0, NewEvent.safeParse(event).success, occurred_at)
    }),
    { numRuns: 3000 },
  )
})

test('every fault is said at once, and none holds the payload', () => {
  const build = (): unknown =>
    buildEvent('', { card: '4111', self: undefined }, { source: '', identity: { email: '' }, occurred_at: 'soon' })
  assert.throws(build, (error: unknown) => {
    assert.ok(error instanceof EventValidationError && error.status === 0 && error.name === 'EventValidationError')
    assert.deepEqual(
      error.errors.map(({ pointer }) => pointer),
      ['/event_type', '/source', '/occurred_at', '/identity/email'],
    )
    assert.equal(error.faults, error.errors)
    assert.match(error.message, /^not a valid event: \/event_type must not be empty; \/source must not be empty; .*Z;/)
    assert.doesNotMatch(error.message, /4111/)
    return true
  })
})

test('a built event says when it occurred, and leaves out what was left out', () => {
  const now = new Date('2026-01-31T12:00:00Z')
  assert.deepEqual(buildEvent('order.created', { total: 42 }, { source: 'shop', now }), {
    event_type: 'order.created',
    payload: { total: 42 },
    source: 'shop',
    occurred_at: '2026-01-31T12:00:00.000Z',
  })
  const given = buildEvent('a', {}, { occurred_at: '2020-01-01T00:00:00+01:00', entity: { type: 'order', id: '7' } })
  assert.equal(given.occurred_at, '2020-01-01T00:00:00+01:00')
})

test('payloads have a size and a depth, and must be JSON', () => {
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  const nest = (levels: number): Record<string, unknown> => (levels === 0 ? {} : { a: nest(levels - 1) })
  const details = (payload: unknown): string =>
    toErrors({ event_type: 'a', payload })
      .map(({ detail }) => detail)
      .join()
  assert.match(details(circular), /cannot be written as JSON/)
  assert.match(details({ n: 1n }), /cannot be written as JSON/)
  assert.equal(details({ text: 'x'.repeat(262_144 - 11) }), '')
  assert.match(details({ text: 'x'.repeat(262_144 - 10) }), /has 262145 bytes as JSON; it may have 262144/)
  assert.match(details({ text: 'ü'.repeat(131_072) }), /has 262155 bytes/)
  assert.equal(details(nest(100)), '')
  assert.match(details(nest(200)), /nests deeper than 128 levels/)
})
