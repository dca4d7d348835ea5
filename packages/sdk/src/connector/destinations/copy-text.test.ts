import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Column } from '../destination.ts'
import { toCopyText } from './copy-text.ts'

const columns: readonly Column[] = [
  { name: 'a', type: 'STRING' },
  { name: 'b', type: 'STRING' },
]

const unescaped: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\\': '\\' }

/** As the format says that it is read. */
function readCopyText(copied: string): (string | null)[][] {
  return copied
    .split('\n')
    .slice(0, -1)
    .map((line) =>
      line
        .split('\t')
        .map((field) =>
          field === '\\N' ? null : field.replaceAll(/\\(.)/g, (_, letter: string) => unescaped[letter] ?? '?'),
        ),
    )
}

const field = fc.option(
  fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('\\', '\n', '\r', '\t', 'N', '.', '"', "'", ',', '\v', '\b', 'x') }),
  ),
)

test('any text comes back', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(field, field)), (rows) => {
      const clean = rows.map((row) => row.map((value) => value?.replaceAll('\0', '\uFFFD') ?? null))
      assert.deepEqual(readCopyText([...toCopyText(columns, rows, 'replace')].join('')), clean)
    }),
    { numRuns: 500 },
  )
})

test('the end-of-data mark, null and the empty text are three things', () => {
  const rows = [['\\.', '\\N'], ['', null], []]
  assert.equal([...toCopyText(columns, rows, 'refuse')].join(''), '\\\\.\t\\\\N\n\t\\N\n\\N\t\\N\n')
})

test('NUL is refused with the name of its column', () => {
  assert.throws(() => [...toCopyText(columns, [['x', 'a\0b']], 'refuse')], {
    kind: 'destination',
    message: /^column b has a text with the character NUL/,
  })
})

test('bytes, booleans and numbers', () => {
  const types = ['BINARY', 'BOOLEAN', 'DOUBLE', 'LONG'] as const
  const row = [Uint8Array.of(0, 92, 255), true, -1e-7, 9_223_372_036_854_775_807n]
  const typed = types.map((type): Column => ({ name: type, type }))
  assert.deepEqual([...toCopyText(typed, [row], 'refuse')], ['\\\\x005cff\ttrue\t-1e-7\t9223372036854775807\n'])
})

test('many rows come in pieces', () => {
  const rows = Array.from({ length: 100 }, () => ['x'.repeat(10_000), null])
  const pieces = [...toCopyText(columns, rows, 'refuse')]
  assert.ok(pieces.length > 10 && pieces.every((piece) => piece.length < 80_000))
})
