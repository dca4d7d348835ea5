import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { maxPosition, parseEventId, tagSpace, toEventId, type EventAddress } from './event-id.ts'

const address: fc.Arbitrary<EventAddress> = fc.record(
  {
    acceptedMs: fc.oneof(fc.integer({ min: 0, max: maxPosition }), fc.constantFrom(0, maxPosition)),
    position: fc.oneof(
      fc.integer({ min: 0, max: maxPosition }),
      fc.constantFrom(0, 1, 2 ** 22 - 1, 2 ** 22, 2 ** 36 - 1, 2 ** 36, maxPosition),
    ),
    tag: fc.oneof(fc.integer({ min: 0, max: tagSpace - 1 }), fc.constantFrom(0, tagSpace - 1)),
  },
  { noNullPrototype: true },
)

const uuid8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe('event id', () => {
  it('has the form that the documentation shows', () => {
    assert.equal(toEventId({ acceptedMs: 1700000000000, position: 1, tag: 7 }), '018bcfe5-6800-8000-8000-000004000007')
  })

  it('is a UUID of version 8, and gives back what went in', () => {
    fc.assert(
      fc.property(address, (given) => {
        const id = toEventId(given)
        assert.match(id, uuid8)
        assert.deepEqual(parseEventId(id), given)
        assert.deepEqual(parseEventId(id.toUpperCase()), given)
      }),
    )
  })

  it('sorts by time of acceptance, then by position', () => {
    fc.assert(
      fc.property(address, address, (a, b) => {
        const wanted = a.acceptedMs - b.acceptedMs || a.position - b.position || a.tag - b.tag
        const [first, second] = [toEventId(a), toEventId(b)]
        assert.equal(Math.sign(wanted), first < second ? -1 : first > second ? 1 : 0)
      }),
    )
  })

  it('is what it was parsed from: every text that parses is the id of its address', () => {
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(digits, fc.constantFrom('8', '4'), fc.constantFrom(...'89abc'.split('')), (hex, version, variant) => {
        const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${version}${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`
        const parsed = parseEventId(id)
        assert.equal(parsed !== undefined, version === '8' && variant !== 'c')
        if (parsed) assert.equal(toEventId(parsed), id)
      }),
    )
  })

  it('is not recognised in forged or damaged text', () => {
    const id = toEventId({ acceptedMs: 1700000000000, position: 1, tag: 7 })
    const forged = [
      '',
      ' ',
      'inbox',
      id.slice(1),
      `${id}0`,
      ` ${id}`,
      `${id}\n`,
      id.replaceAll('-', ''),
      `{${id}}`,
      `urn:uuid:${id}`,
      id.replace('018b', '018g'),
      id.replace('-8000-8000-', '-4000-8000-'),
      id.replace('-8000-8000-', '-8000-c000-'),
      '018bcfe5-6800-8000-8000-00000400000\u0130',
      "018bcfe5-6800-8000-8000-000004000007' or 1=1",
    ]
    for (const text of forged) assert.equal(parseEventId(text), undefined, JSON.stringify(text))
  })

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => assert.equal(parseEventId(text), undefined)),
    )
  })
})
