import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { compileSchema } from './compile-schema.ts'
import { findIncompatibilities } from './find-incompatibilities.ts'
import type { Schema } from './subschemas.ts'

const told = (before: Schema, after: Schema): string[] =>
  findIncompatibilities(before, after).map(({ pointer, detail }) => `${pointer} ${detail}`)

const members = (properties: Schema, more: Schema = {}): Schema => ({ type: 'object', properties, ...more })

describe('findIncompatibilities', () => {
  it('names what is narrower, where it stands', () => {
    const cases: readonly (readonly [Schema, Schema, string])[] = [
      [{}, { required: ['a'] }, '/required "a" has become required'],
      [{ type: ['string', 'null'] }, { type: 'string' }, '/type no longer takes null'],
      [{ type: 'number' }, { type: 'integer' }, '/type no longer takes numbers that are no integers'],
      [{}, { type: 'object' }, '/type now takes object only'],
      [{ enum: ['a', 'b'] }, { enum: ['a', 'c'] }, '/enum no longer takes "b"'],
      [{ enum: ['a', 'b'] }, { const: 'a' }, '/const no longer takes "b"'],
      [{ enum: ['a', 1] }, { type: 'string' }, '/type no longer takes 1'],
      [{ enum: [1, 1.5] }, { type: ['integer', 'null'] }, '/type no longer takes 1.5'],
      [{ enum: [{}, null, []] }, { type: ['object', 'array'] }, '/type no longer takes null'],
      [{}, { enum: ['a', 'b'] }, '/enum now takes the listed values only'],
      [
        members({ a: {}, b: {} }, { additionalProperties: false }),
        members({ a: {} }, { additionalProperties: false }),
        '/properties/b "b" has gone, and other members are refused',
      ],
      [members({ a: {} }), members({ a: {} }, { additionalProperties: false }), '/additionalProperties other members'],
      [members({ a: {} }), members({ a: { type: 'string' } }), '/properties/a/type now takes string only'],
      [members({ 'x/y': {} }), members({ 'x/y': { minLength: 1 } }), '/properties/x~1y/minLength is now 1'],
      [{ maximum: 10 }, { maximum: 9 }, '/maximum was 10 and is now 9'],
      [{ minLength: 2 }, { minLength: 3 }, '/minLength was 2 and is now 3'],
      [{ items: {} }, { items: { type: 'string' } }, '/items/type now takes string only'],
      [{ prefixItems: [{}] }, { prefixItems: [{ const: 1 }] }, '/prefixItems/0/const now takes 1 only'],
      [{ pattern: 'a' }, { pattern: 'b' }, '/pattern is another one'],
      [{}, { format: 'email' }, '/format is new'],
      [{}, { uniqueItems: true }, '/uniqueItems equal items are now refused'],
      [{}, { not: { type: 'null' } }, '/not is new'],
      [{}, { allOf: [{ minimum: 1 }] }, '/allOf/0 is new or narrower'],
      [{ anyOf: [{ const: 1 }, { const: 2 }] }, { anyOf: [{ const: 1 }] }, '/anyOf the alternative 1 of before'],
      [{ $ref: '#/$defs/a', $defs: { a: {} } }, { $ref: '#/$defs/a', $defs: { a: { type: 'string' } } }, '/type now'],
    ]
    for (const [before, after, words] of cases) {
      const [first = '', ...others] = told(before, after)
      assert.ok(first.startsWith(words), `${JSON.stringify(after)}: ${first}`)
      assert.deepEqual(others, [])
    }
  })

  it('has nothing against what takes more, or the same', () => {
    const pairs: readonly (readonly [Schema, Schema])[] = [
      [{ required: ['a'] }, {}],
      [{ type: 'string' }, { type: ['string', 'null'] }],
      [{ type: 'integer' }, { type: 'number' }],
      [{ enum: ['a'] }, { enum: ['a', 'b'] }],
      [{ const: 'a' }, { enum: ['a', 'b'] }],
      [{ const: 'a' }, { type: 'string' }],
      [members({ a: {} }), members({ a: {}, b: { type: 'string' } })],
      [members({ a: {} }, { additionalProperties: false }), members({ a: {} })],
      [
        { minimum: 5, maxLength: 3 },
        { minimum: 4, maxLength: 4 },
      ],
      [{ anyOf: [{ const: 1 }] }, { anyOf: [{ const: 2 }, { const: 1 }] }],
      [{ allOf: [{ minimum: 1 }, { maximum: 9 }] }, { allOf: [{ maximum: 9 }] }],
      [
        { $ref: '#/$defs/a', $defs: { a: { type: 'string' } } },
        { $ref: '#/definitions/b', definitions: { b: { type: 'string' } } },
      ],
      [{ title: 'a', description: 'b' }, { title: 'c' }],
    ]
    for (const [before, after] of pairs) assert.deepEqual(told(before, after), [], JSON.stringify(after))
  })

  it('ends where schemas refer to themselves', () => {
    const tree = (leaf: Schema): Schema => members({ leaf, children: { type: 'array', items: { $ref: '#' } } })
    assert.deepEqual(told(tree({ type: 'string' }), tree({ type: 'string' })), [])
    assert.deepEqual(told(tree({ type: 'string' }), tree({ type: 'null' })), [
      '/properties/leaf/type no longer takes string',
    ])
  })

  it('gives up on what takes too long to compare, and says so', () => {
    const wide = (depth: number, n: number): Schema =>
      depth === 0 ? { minimum: n } : { anyOf: Array.from({ length: 10 }, (_, at) => wide(depth - 1, n + at)) }
    assert.match(told(wide(3, 0), wide(3, 5)).join(), /too large to be compared/)
  })

  it('says nothing only where every payload that was right stays right', () => {
    const leaf = fc.oneof(
      fc.constant({}),
      fc.record({ type: fc.constantFrom('string', 'integer', 'number', 'null', 'object', 'array') }),
      fc.record({ enum: fc.uniqueArray(fc.constantFrom('a', 'b', 1, null), { minLength: 1 }) }),
      fc.record({ minLength: fc.nat(2) }),
      fc.record({ maximum: fc.integer({ min: -1, max: 2 }) }),
    )
    const schema = fc.record(
      {
        type: fc.constantFrom('object', ['object', 'string']),
        // The same names in both: a new optional member is no narrowing by our rule.
        properties: fc.record({ a: leaf, b: leaf, c: fc.record({ items: leaf }) }),
        required: fc.subarray(['a', 'b', 'c']),
        additionalProperties: fc.oneof(fc.boolean(), leaf),
      },
      { requiredKeys: ['properties'] },
    )
    const value = fc.oneof(fc.constantFrom('a', 'b', 'abc', null, 1, 1.5, -1, 3), fc.constant({}), fc.constant([]))
    const payload = fc.oneof(
      fc.record({ a: value, b: value, c: fc.array(value, { maxLength: 2 }), d: value }, { requiredKeys: [] }),
      value,
    )
    const property = fc.property(schema, schema, fc.array(payload, { maxLength: 12 }), (before, after, payloads) => {
      if (findIncompatibilities(before, after).length > 0) return
      const [was, is] = [compileSchema(before), compileSchema(after)]
      for (const one of payloads)
        if (was(one, 10).length === 0) assert.deepEqual(is(one, 10), [], JSON.stringify({ before, after, one }))
    })
    fc.assert(property, { numRuns: 400 })
  })
})
