import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isExactNumber, parseExact, printExact } from './exact-json.ts'

const texts = [
  '9007199254740993',
  '-9223372036854775808',
  '[1,9007199254740993,2]',
  '{"a":{"b":[12345678901234567890.123456789]}}',
  '0.1234567890123456789',
  '1e400',
  '{"id": 9007199254740993, "text": "12345678901234567890"}',
  '123456789012345678901234567890',
]

for (const text of texts) {
  test(`${text} comes back digit by digit`, () => {
    assert.equal(printExact(parseExact(text)), text.replaceAll(/(?<=[:,]) /g, ''))
  })
}

test('numbers that a double holds are numbers', () => {
  assert.deepEqual(
    parseExact('[1, 2.5, 0.1, 1e3, 9007199254740991, 123456789012345.6]'),
    [1, 2.5, 0.1, 1000, 9007199254740991, 123456789012345.6],
  )
  assert.equal(parseExact('9007199254740993'), 9007199254740993n)
  assert.ok(isExactNumber(parseExact('12345678901234567.5')))
  assert.equal(parseExact('1.50000000000000000000'), 1.5)
})

test('every JSON is parsed as JSON.parse does, but for its long numbers', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const plain = JSON.stringify(JSON.parse(text))
      assert.equal(JSON.stringify(JSON.parse(printExact(parseExact(text)))), plain)
    }),
  )
})

test('every integer is exact', () => {
  fc.assert(
    fc.property(fc.bigInt(-(10n ** 30n), 10n ** 30n), (whole) => {
      assert.equal(printExact(parseExact(`{"n":${whole}}`)), `{"n":${whole}}`)
    }),
  )
})

test('what is no JSON is refused', () => {
  for (const text of ['', '{', '{"a":12345678901234567890', '01234567890123456789'])
    assert.throws(() => parseExact(text), SyntaxError)
})
