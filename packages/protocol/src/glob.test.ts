import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { matchesEventType, matchesGlob } from './glob.ts'

/** The plain way to say it; exponential on some globs, so only for short ones. */
const matchesRegex = (glob: string, text: string): boolean =>
  new RegExp(
    `^${glob
      .split('*')
      .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
      .join('.*')}$`,
    's',
  ).test(text)

describe('glob', () => {
  it('agrees with a regular expression', () => {
    const part = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 8 })
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '\n'), maxLength: 12 })
    fc.assert(
      fc.property(part, text, (glob, value) => assert.equal(matchesGlob(glob, value), matchesRegex(glob, value))),
      { numRuns: 2000 },
    )
  })

  it('matches what it was made from by putting stars in place of parts', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ maxLength: 5 }), fc.boolean()), { maxLength: 6 }), (parts) => {
        const text = parts.map(([piece]) => piece).join('')
        const glob = parts.map(([piece, star]) => (star ? '*' : piece)).join('')
        assert.ok(matchesGlob(glob, text))
      }),
    )
  })

  it('takes every character but the star for itself', () => {
    assert.ok(matchesGlob('a.b', 'a.b'))
    assert.ok(!matchesGlob('a.b', 'axb'))
    assert.ok(!matchesGlob('a?', 'ab'))
    assert.ok(!matchesGlob('[ab]', 'a'))
    assert.ok(matchesGlob('order.*', 'order.line.added'))
    assert.ok(!matchesGlob('order.*', 'order'))
    assert.ok(!matchesGlob('ab*ba', 'aba'), 'beginning and end do not overlap')
  })

  it('answers the worst globs', () => {
    assert.ok(!matchesGlob(`${'*a'.repeat(120)}*`, `${'a'.repeat(119)}b`))
    assert.ok(matchesGlob(`${'*a'.repeat(120)}*`, 'a'.repeat(255)))
  })
})

describe('event type globs', () => {
  it('leave out what the hub makes unless it is asked for by name', () => {
    assert.ok(matchesEventType([], 'order.created'))
    assert.ok(!matchesEventType([], 'sluice.inbox.broken'))
    assert.ok(matchesEventType(['*'], 'order.created'))
    assert.ok(!matchesEventType(['*'], 'sluice.inbox.broken'))
    assert.ok(!matchesEventType(['*.broken', '**'], 'sluice.inbox.broken'))
    assert.ok(matchesEventType(['sluice.*'], 'sluice.inbox.broken'))
    assert.ok(!matchesEventType(['sluice.*'], 'order.created'))
    assert.ok(matchesEventType(['*', 'sluice.inbox.*'], 'sluice.inbox.broken'))
    assert.ok(matchesEventType(['*'], 'sluice'), 'only what begins with "sluice." is the hub\'s')
    assert.ok(matchesEventType(['*'], 'sluicegate.opened'))
  })

  it('need one of the list', () => {
    assert.ok(matchesEventType(['invoice.*', 'order.*'], 'order.created'))
    assert.ok(!matchesEventType(['invoice.*', 'order.'], 'order.created'))
  })
})
