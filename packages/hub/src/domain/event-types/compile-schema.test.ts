import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compileSchema, findSchemaFaults } from './compile-schema.ts'
import type { Schema } from './subschemas.ts'

const faultsOf = (schema: Schema, payload: unknown, size = 100): string[] =>
  compileSchema(schema)(payload, size).map(({ pointer, detail }) => `${pointer} ${detail}`)

describe('compileSchema', () => {
  it('names every fault at once, by pointer', () => {
    const schema = {
      type: 'object',
      required: ['id'],
      additionalProperties: false,
      properties: {
        id: { type: 'string' },
        kind: { enum: ['a', 'b'] },
        lines: { type: 'array', items: { type: 'object', required: ['sku'] } },
        mail: { type: 'string', format: 'email' },
        'a/b': { const: 1 },
      },
    }
    const wrong = { kind: 'c', lines: [{ sku: 1 }, {}], mail: 'nobody', 'a/b': 2, more: true }
    assert.deepEqual(faultsOf(schema, wrong).toSorted(), [
      '/payload/a~1b must be 1',
      '/payload/id is required',
      '/payload/kind must be one of ["a","b"]',
      '/payload/lines/1/sku is required',
      '/payload/mail must match format "email"',
      '/payload/more is not among the members that the schema allows',
    ])
    assert.deepEqual(faultsOf(schema, { id: 'x' }), [])
  })

  it('lists a hundred and counts the rest', () => {
    const all = faultsOf(
      { items: { type: 'string' } },
      Array.from({ length: 1000 }, () => 1),
    )
    assert.deepEqual([all.length, all.at(-1)], [101, ' and 900 more faults'])
  })

  it('reads 2020-12 unless the schema says draft 7', () => {
    const older = { $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'string' }] }
    assert.deepEqual(findSchemaFaults(older), [])
    assert.deepEqual(faultsOf(older, [1]), ['/payload/0 must be string'])
    const newer = { $schema: 'https://json-schema.org/draft/2020-12/schema', prefixItems: [{ type: 'string' }] }
    for (const schema of [newer, { prefixItems: newer.prefixItems }])
      assert.deepEqual(faultsOf(schema, [1]), ['/payload/0 must be string'])
  })

  it('takes patterns as they are meant, unanchored, with names and escapes of JavaScript', () => {
    const pattern = (text: string): Schema => ({ properties: { a: { pattern: text } } })
    assert.deepEqual(faultsOf(pattern('b'), { a: 'abc' }), [])
    assert.deepEqual(faultsOf(pattern('^\\u00e9\\d+(?<unit>kg|g)$'), { a: 'é12kg' }), [])
    assert.equal(faultsOf(pattern('^b'), { a: 'abc' }).length, 1)
    assert.equal(faultsOf({ patternProperties: { '^n_': { type: 'number' } } }, { n_a: 'x' }).length, 1)
  })

  it('is not led astray by what every object inherits', () => {
    assert.deepEqual(faultsOf({ required: ['toString', 'constructor'] }, {}).length, 2)
    const schema: Schema = JSON.parse('{"properties":{"__proto__":{"type":"string"}},"additionalProperties":false}')
    assert.deepEqual(faultsOf(schema, JSON.parse('{"__proto__":{"polluted":1}}')).length <= 1, true)
    assert.equal('polluted' in {}, false)
  })

  it('keeps schemas of one name apart', () => {
    const first = compileSchema({ $id: 'https://example.com/a', type: 'string' })
    const second = compileSchema({ $id: 'https://example.com/a', type: 'number' })
    assert.deepEqual([first('a', 1), second(1, 1)], [[], []])
    const tree = (leaf: string): Schema => ({
      properties: { leaf: { $ref: '#/$defs/leaf' }, next: { $ref: '#' }, other: { $ref: '#here' } },
      $defs: { leaf: { type: leaf }, other: { $anchor: 'here', type: leaf } },
    })
    const [texts, numbers] = [compileSchema(tree('string')), compileSchema(tree('number'))]
    assert.deepEqual(texts({ leaf: 'a', next: { leaf: 'b', other: 'c' } }, 1), [])
    assert.deepEqual(numbers({ leaf: 1, next: { leaf: 2, other: 3 } }, 1), [])
    assert.equal(texts({ leaf: 1, next: { leaf: 2, other: 3 } }, 1).length, 3)
  })

  it('19.99 is a multiple of 0.01', () => {
    assert.deepEqual(faultsOf({ multipleOf: 0.01 }, 19.99), [])
    assert.equal(faultsOf({ multipleOf: 0.01 }, 19.999).length, 1)
  })
})

/** Of a and b, the same each time. */
function randomText(length: number): string {
  let seed = 1
  return Array.from({ length }, () => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed & 64 ? 'a' : 'b'
  }).join('')
}

/** None of these ends in time where an engine backtracks, compares each with each, or follows every branch. */
describe('hostile schemas and payloads', () => {
  it('patterns that backtrack for ever are matched in time', () => {
    const schema = { items: { pattern: '^(a+)+$' } }
    assert.equal(faultsOf(schema, [`${'a'.repeat(100_000)}!`]).length, 1)
  })

  it('equal items of a large array are found in time', () => {
    const items = Array.from({ length: 20_000 }, (_, n) => ({ n, m: [n] }))
    assert.deepEqual(faultsOf({ uniqueItems: true }, items), [])
    const twice = [...items, { m: [7], n: 7 }]
    assert.deepEqual(faultsOf({ uniqueItems: true }, twice), ['/payload must not hold equal items'])
  })

  it('a branching recursion is given up', () => {
    const branch = { properties: { x: { $ref: '#' } } }
    const schema = {
      anyOf: [
        { ...branch, required: ['q'] },
        { ...branch, required: ['r'] },
      ],
    }
    assert.deepEqual(findSchemaFaults(schema), [])
    let deep: unknown = {}
    for (let level = 0; level < 100; level += 1) deep = { x: deep }
    assert.deepEqual(faultsOf(schema, deep), ['/payload takes longer than 51 ms to check'])
    assert.equal(faultsOf(schema, {}).length, 3, 'and the next one is checked as ever')
  })

  it('a few bytes of patterns on a small event are given up', () => {
    const patterns = Array.from({ length: 5 }, (_, at) => ({ pattern: `(?:[ab]*a[ab]{900}[cd])|(?:e[ab]{${at}}f)` }))
    const schema = { properties: { s: { allOf: patterns } } }
    assert.deepEqual(findSchemaFaults(schema), [])
    const text = `cdef${randomText(15_000)}`
    assert.deepEqual(faultsOf(schema, { s: text }, text.length), [
      `/payload takes longer than ${50 + Math.ceil(text.length / 2048)} ms to check`,
    ])
  })

  it('long texts do not reach the expressions of formats', () => {
    for (const format of ['email', 'hostname', 'uri', 'date-time', 'duration', 'uuid'])
      assert.equal(faultsOf({ items: { format } }, [`a@${'a-'.repeat(50_000)}`]).length, 1, format)
  })

  it('what grows when it is followed, or never ends, is refused when it is saved', () => {
    const $defs = Object.fromEntries(
      Array.from({ length: 20 }, (_, n) => {
        const next = { $ref: `#/$defs/a${n + 1}` }
        return [`a${n}`, n < 19 ? { allOf: [next, next] } : {}]
      }),
    )
    const refused: readonly (readonly [Schema, RegExp])[] = [
      [{ $ref: '#/$defs/a0', $defs }, /asks more than 2000 things/],
      [{ $ref: '#' }, /never ends/],
      [{ anyOf: [{ $ref: '#/$defs/a' }], $defs: { a: { not: { $ref: '#' } } } }, /never ends/],
      [{ oneOf: Array.from({ length: 101 }, () => ({})) }, /100 alternatives/],
      [{ pattern: `a{1000}b{1000}${'c'.repeat(10)}d{900}` }, /too large|cannot be used/],
      [{ pattern: 'a'.repeat(1001) }, /1000 characters/],
      [
        { allOf: Array.from({ length: 12 }, (_, at) => ({ pattern: `^x{900}y{${at}}$` })) },
        /too large together: \d+ instructions/,
      ],
      [{ $async: true }, /\$async|not supported/],
      [{ properties: { a: { $id: 'x' } } }, /only stand at the top/],
      [{ $dynamicRef: '#a' }, /use \$ref/],
    ]
    for (const [schema, words] of refused)
      assert.match(findSchemaFaults(schema)[0]?.detail ?? 'nothing', words, JSON.stringify(schema).slice(0, 80))
    let deep: Schema = {}
    for (let level = 0; level < 40; level += 1) deep = { properties: { x: deep } }
    assert.match(findSchemaFaults(deep)[0]?.detail ?? '', /32 levels/)
  })

  it('names that hold the signs of pointers are told apart', () => {
    const schema = { properties: { 'a/b': { $ref: '#/properties/a~1b~0c' }, 'a/b~c': { type: 'string' } } }
    assert.deepEqual(findSchemaFaults(schema), [])
    assert.equal(faultsOf(schema, { 'a/b': 1 }).length, 1)
  })
})
