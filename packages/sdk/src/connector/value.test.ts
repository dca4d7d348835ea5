import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ColumnType } from './column-type.ts'
import { parseExact } from './exact-json.ts'
import { convert, inferType } from './value.ts'

const inferred: readonly (readonly [unknown, ColumnType | undefined])[] = [
  [null, undefined],
  [undefined, undefined],
  [true, 'BOOLEAN'],
  [7, 'LONG'],
  [2 ** 53, 'DOUBLE'],
  [9007199254740993n, 'LONG'],
  [2n ** 63n, 'DECIMAL(38,0)'],
  [10n ** 40n, 'STRING'],
  [0.5, 'DOUBLE'],
  [Number.NaN, 'DOUBLE'],
  [parseExact('12345678901234567.25'), 'DECIMAL(38,2)'],
  ['2026-01-01', 'STRING'],
  [new Date(0), 'UTC_DATETIME'],
  [Uint8Array.of(1), 'BINARY'],
  [['a'], 'JSON'],
  [{ a: 1 }, 'JSON'],
]

for (const [value, type] of inferred) {
  test(`${typeof value} ${String(JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? String(member) : member)))} is ${type ?? 'nothing'}`, () => {
    assert.equal(inferType(value), type)
  })
}

const converted: readonly (readonly [unknown, ColumnType, unknown])[] = [
  ['true', 'BOOLEAN', true],
  ['yes', 'BOOLEAN', undefined],
  [1, 'BOOLEAN', undefined],
  ['12', 'LONG', 12],
  ['9007199254740993', 'LONG', 9007199254740993n],
  [2n ** 63n, 'LONG', undefined],
  [-(2n ** 63n), 'LONG', -(2n ** 63n)],
  [32768, 'SHORT', undefined],
  [1.5, 'LONG', undefined],
  ['1.5', 'DOUBLE', 1.5],
  [9007199254740993n, 'DOUBLE', undefined],
  ['x', 'DOUBLE', undefined],
  [12.5, 'DECIMAL(10,2)', '12.50'],
  ['-0.5', 'DECIMAL(3,2)', '-0.50'],
  ['1e3', 'DECIMAL(5,1)', '1000.0'],
  ['1.234', 'DECIMAL(10,2)', undefined],
  ['123456789.1', 'DECIMAL(10,2)', undefined],
  [parseExact('12345678901234567.25'), 'DECIMAL(38,2)', '12345678901234567.25'],
  ['2026-02-29', 'NAIVE_DATE', undefined],
  ['2024-02-29', 'NAIVE_DATE', '2024-02-29'],
  ['2026-01-31 10:00', 'NAIVE_DATETIME', '2026-01-31T10:00:00'],
  ['2026-01-31', 'NAIVE_DATETIME', '2026-01-31T00:00:00'],
  ['2026-01-31T10:00:00Z', 'NAIVE_DATETIME', undefined],
  ['2026-01-31T10:00:00.1234567', 'NAIVE_DATETIME', '2026-01-31T10:00:00.123456'],
  ['2026-01-31T10:00:00', 'UTC_DATETIME', undefined],
  ['2026-01-31T23:30:00.50-01:00', 'UTC_DATETIME', '2026-02-01T00:30:00.5Z'],
  ['2026-01-31 10:00:00+0530', 'UTC_DATETIME', '2026-01-31T04:30:00Z'],
  ['2026-01-31T25:00:00Z', 'UTC_DATETIME', undefined],
  [new Date('2026-01-31T10:00:00.250Z'), 'UTC_DATETIME', '2026-01-31T10:00:00.25Z'],
  [new Date('1969-12-31T23:59:59.500Z'), 'UTC_DATETIME', '1969-12-31T23:59:59.5Z'],
  [new Date(Number.NaN), 'UTC_DATETIME', undefined],
  [{ a: [9007199254740993n] }, 'JSON', '{"a":[9007199254740993]}'],
  ['text', 'JSON', '"text"'],
  [{ a: 1 }, 'STRING', '{"a":1}'],
  [1.5, 'STRING', '1.5'],
  ['text', 'BINARY', undefined],
  [null, 'LONG', null],
]

for (const [value, type, expected] of converted) {
  test(`${typeof value} as ${type} is ${String(expected)}`, () => assert.deepEqual(convert(value, type), expected))
}
