import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseCursor, toCursor } from './cursor.ts'

const secret = randomBytes(32)
const scope = 'default/inbox/crm'

describe('cursor', () => {
  it('gives back its value for the scope it was made for', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 }),
        fc.string({ maxLength: 100 }),
        (value, where) => {
          const cursor = toCursor(secret, where, value)
          assert.match(cursor, /^[\w.-]+$/, 'stands in a query without escaping')
          assert.equal(parseCursor(secret, where, cursor), value)
        },
      ),
    )
  })

  it('is refused in another scope, and by a hub with another secret', () => {
    const cursor = toCursor(secret, scope, '42')
    for (const other of ['default/inbox/crm2', 'default/inbox/cr', 'other/inbox/crm', 'default/dead-letters/crm', '']) {
      assert.equal(parseCursor(secret, other, cursor), undefined, other)
    }
    assert.equal(parseCursor(randomBytes(32), scope, cursor), undefined)
  })

  it('is refused once it was edited: no edit makes it point elsewhere', () => {
    const cursor = toCursor(secret, scope, '42')
    const edit = fc.record({ at: fc.nat(cursor.length - 1), text: fc.string({ maxLength: 2 }), removed: fc.nat(2) })
    fc.assert(
      fc.property(edit, ({ at, text, removed }) => {
        const edited = cursor.slice(0, at) + text + cursor.slice(at + removed)
        // Base64 is read leniently, so an edit may spell the same bytes differently; it never yields other ones.
        assert.ok([undefined, '42'].includes(parseCursor(secret, scope, edited)), edited)
      }),
      { numRuns: 1000 },
    )
  })

  it('is refused when its value is exchanged for that of another one', () => {
    const [mine] = toCursor(secret, scope, '43').split('.')
    const [, signature] = toCursor(secret, scope, '42').split('.')
    assert.equal(parseCursor(secret, scope, `${mine}.${signature}`), undefined)
  })

  it('is refused when it is something else altogether', () => {
    const cursor = toCursor(secret, scope, '42')
    for (const text of ['', '.', '..', '42', 'NDI', 'NDI.', '.NDI', `${cursor}.`, `${cursor}.x`, 'x'.repeat(2000)]) {
      assert.equal(parseCursor(secret, scope, text), undefined, text)
    }
    assert.equal(
      parseCursor(secret, scope, toCursor(secret, scope, 'x'.repeat(2000))),
      undefined,
      'longer than any that the hub makes',
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => assert.equal(parseCursor(secret, scope, text), undefined)),
    )
  })
})
