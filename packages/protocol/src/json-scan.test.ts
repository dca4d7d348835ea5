import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { DepthError, scanElements, scanMembers, startOfJson } from './json-scan.ts'

const space = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r'), maxLength: 3 })

/** How one value is printed: a source of white space, and whether characters of strings are escaped. */
type Printer = { readonly nextSpace: () => string; readonly escape: boolean }

// One character stays as it is: JSON.parse of V8 in Node 24.21 may take an escaped name of one character for a backslash.
const printString = (text: string, { escape }: Printer): string =>
  escape && text.length !== 1 ? `"${escapeAll(text)}"` : JSON.stringify(text)

const escapeAll = (text: string): string =>
  Array.from(text.split(''), (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')

function print(value: unknown, printer: Printer): string {
  const { nextSpace: s } = printer
  if (typeof value === 'string') return printString(value, printer)
  if (Array.isArray(value)) return `[${s()}${value.map((item) => `${print(item, printer)}${s()}`).join(`,${s()}`)}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).map(
    ([name, item]) => `${printString(name, printer)}${s()}:${s()}${print(item, printer)}${s()}`,
  )
  return `{${s()}${members.join(`,${s()}`)}}`
}

const printer = fc
  .tuple(fc.array(space, { minLength: 1, maxLength: 7 }), fc.boolean())
  .map(([spaces, escape]): Printer => {
    let turn = 0
    return { escape, nextSpace: () => spaces[(turn += 1) % spaces.length] ?? '' }
  })
// Strings of quotes, backslashes and brackets are what a scanner stumbles over.
const trickyText = fc.string({
  unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', ' ', 'a', '\n', '😀'),
  maxLength: 8,
})
const json = fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 })
const value = fc.oneof(
  json,
  trickyText,
  fc.array(fc.oneof(json, trickyText), { maxLength: 4 }),
  fc.dictionary(trickyText, json, { maxKeys: 3 }),
)

describe('scanMembers', () => {
  it('finds spans that parse to the same names and values, in any print', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.oneof(trickyText, fc.string({ unit: 'binary' })), value),
        printer,
        space,
        (object, how, lead) => {
          const text = lead + print(object, how)
          const members = scanMembers(text, startOfJson(text), 200)
          assert.deepEqual(
            members.map(({ name }) => name),
            Object.keys(JSON.parse(text)),
          )
          for (const { name, start, valueStart, end } of members) {
            assert.equal(JSON.parse(text.slice(start, text.indexOf(':', start + printString(name, how).length))), name)
            assert.deepEqual(JSON.parse(text.slice(valueStart, end)), JSON.parse(JSON.stringify(object[name])))
            assert.equal(
              text.slice(valueStart, end).trim(),
              text.slice(valueStart, end),
              'no white space around the value',
            )
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  it('lists duplicates, also when one of them hides behind an escape', () => {
    const names = (text: string): string[] => scanMembers(text, 0, 10).map(({ name }) => name)
    assert.deepEqual(names('{"a":1,"a":2}'), ['a', 'a'])
    assert.deepEqual(names(String.raw`{"payload":1,"p\u0061yload":2}`), ['payload', 'payload'])
    assert.deepEqual(names(String.raw`{"\u005f_proto__":1,"":2,"\"":3}`), ['__proto__', '', '"'])
  })

  it('gives what its example shows', () => {
    assert.deepEqual(scanMembers('{"a":1}', 0, 10), [{ name: 'a', start: 1, valueStart: 5, end: 6 }])
    assert.deepEqual(scanMembers(' { }', 1, 10), [])
  })

  it('begins where it is told, and stops with its object', () => {
    const text = '[{"a":[1,2]},{"b":{}}]'
    assert.deepEqual(
      scanMembers(text, 13, 10).map(({ name }) => name),
      ['b'],
    )
  })
})

describe('depth', () => {
  const nested = (levels: number): string => `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`

  it('is counted inside the object, and refused beyond', () => {
    assert.equal(scanMembers(nested(128), 0, 128).length, 1)
    assert.throws(() => scanMembers(nested(129), 0, 128), DepthError)
    assert.equal(
      scanMembers(`{"a":"${'['.repeat(500)}","b":[[]],"c":[[]]}`, 0, 2).length,
      3,
      'neither text nor neighbours count',
    )
  })

  it('is refused early, at any depth, without a deep stack', () => {
    assert.throws(() => scanMembers(nested(1_000_000), 0, 128), DepthError)
    assert.throws(() => scanElements(`[${nested(1_000_000)}]`, 0, 128), DepthError)
  })
})

describe('scanElements', () => {
  it('finds spans that parse to the same elements, in any print', () => {
    fc.assert(
      fc.property(fc.array(value), printer, space, (array, how, lead) => {
        const text = lead + print(array, how)
        const spans = scanElements(text, startOfJson(text), 200)
        assert.deepEqual(
          spans.map(({ start, end }) => JSON.parse(text.slice(start, end))),
          JSON.parse(text),
        )
      }),
      { numRuns: 500 },
    )
  })
})
