import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseType, widen, type ColumnType } from './column-type.ts'

test('types are read in any case; DECIMAL needs its digits', () => {
  assert.deepEqual(parseType('utc_datetime'), { type: 'UTC_DATETIME' })
  assert.deepEqual(parseType({ type: 'DECIMAL', precision: 10, scale: 2 }), { type: 'DECIMAL(10,2)' })
  assert.deepEqual(parseType('decimal(38, 37)'), { type: 'DECIMAL(38,37)' })
  for (const [source, fault] of [
    ['DECIMAL', /needs precision and scale/],
    ['NUMBER', /"NUMBER" is no type; types are BOOLEAN/],
    [{ type: 'DECIMAL', precision: 39, scale: 0 }, /precision from 1 to 38/],
    [{ type: 'DECIMAL', precision: 5, scale: 6 }, /scale from 0 to that/],
    [{ type: 'STRING' }, /an object here can only be/],
    [7, /must be the name of a type/],
  ] as const) {
    const parsed = parseType(source)
    assert.ok('fault' in parsed && fault.test(parsed.fault), JSON.stringify(parsed))
  }
})

const joins: readonly (readonly [ColumnType, ColumnType, ColumnType])[] = [
  ['SHORT', 'INT', 'INT'],
  ['INT', 'LONG', 'LONG'],
  ['LONG', 'DOUBLE', 'DOUBLE'],
  ['FLOAT', 'DOUBLE', 'DOUBLE'],
  ['LONG', 'DECIMAL(10,2)', 'DECIMAL(21,2)'],
  ['DECIMAL(10,2)', 'DECIMAL(8,4)', 'DECIMAL(12,4)'],
  ['DECIMAL(38,0)', 'DECIMAL(38,9)', 'STRING'],
  ['DECIMAL(10,2)', 'DOUBLE', 'STRING'],
  ['NAIVE_DATE', 'NAIVE_DATETIME', 'NAIVE_DATETIME'],
  ['NAIVE_DATETIME', 'UTC_DATETIME', 'STRING'],
  ['BOOLEAN', 'LONG', 'STRING'],
  ['JSON', 'STRING', 'STRING'],
  ['XML', 'STRING', 'STRING'],
]

for (const [left, right, joined] of joins) {
  test(`${left} and ${right} are ${joined}, in either order`, () => {
    assert.equal(widen(left, right), joined)
    assert.equal(widen(right, left), joined)
    // What is wide enough stays.
    assert.equal(widen(joined, left), joined)
    assert.equal(widen(joined, right), joined)
  })
}
