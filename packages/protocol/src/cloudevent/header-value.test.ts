import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseHeaderValue, toHeaderValue } from './header-value.ts'

test('blanks, quotes, percent signs and all beyond printable ASCII are percent-encoded, and nothing else is', () => {
  assert.equal(toHeaderValue('Euro € 😀'), 'Euro%20%E2%82%AC%20%F0%9F%98%80')
  assert.equal(toHeaderValue('100% "net"\t\u007f'), '100%25%20%22net%22%09%7F')
  const printable = Array.from({ length: 0x7e - 0x20 }, (_, index) => String.fromCharCode(0x21 + index)).join('')
  const kept = printable.replace('"', '').replace('%', '')
  assert.equal(toHeaderValue(kept), kept)
})

test('any text comes back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const field = toHeaderValue(text.toWellFormed())
      assert.match(field, /^[\u0021\u0023\u0024\u0026-\u007e]*(?:%[\dA-F]{2}[\u0021\u0023\u0024\u0026-\u007e]*)*$/)
      assert.equal(parseHeaderValue(field), text.toWellFormed())
    }),
  )
})

test('a quoted string is undone first, then percent signs, once', () => {
  assert.equal(parseHeaderValue('"a \\"b\\" \\\\ c"'), 'a "b" \\ c')
  assert.equal(parseHeaderValue('"a%20b"'), 'a b')
  assert.equal(parseHeaderValue('%2541'), '%41')
  assert.equal(parseHeaderValue('a "b"'), 'a "b"', 'quotes within a value are its own')
  assert.equal(parseHeaderValue('"a" "b"'), '"a" "b"')
})

test('needless encoding and lower-case digits are taken; a lone percent sign stands for itself', () => {
  assert.equal(parseHeaderValue('%61%c3%a4'), 'aä')
  assert.equal(parseHeaderValue('100%'), '100%')
  assert.equal(parseHeaderValue('%zz%4'), '%zz%4')
})

test('bytes that are no UTF-8 are refused, overlong forms included', () => {
  for (const field of ['%C0%A0', '%E2%82', '%FF', '%ED%A0%80', '\u00e4', 'smile \u263a'])
    assert.equal(parseHeaderValue(field), undefined, field)
  assert.equal(parseHeaderValue('\u00c3\u00a4'), 'ä', 'raw bytes of UTF-8, one character each')
})
