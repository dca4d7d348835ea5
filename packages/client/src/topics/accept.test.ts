import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Validator } from '@cfworker/json-schema'
import fc from 'fast-check'
import { toAccept } from './accept.ts'

const names = fc.constantFrom('a', 'b', '__proto__', 'toString')
const scalar = fc.constantFrom(null, true, 0, -0, 1, 1.5, -2, 1e21, '', 'a', 'ab', '😀', 'x@y.de', '2026-01-31', 'no')
const { value: data } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(names, tie('value'), { maxKeys: 3 }),
  ),
}))
const count = fc.nat(3)
const number = fc.constantFrom(-1, 0, 0.5, 1, 2)
const type = fc.constantFrom('object', 'array', 'string', 'number', 'integer', 'boolean', 'null')
const { schema } = fc.letrec((tie) => ({
  schema: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.boolean(),
    fc.record(
      {
        type: fc.oneof(type, fc.array(type, { minLength: 1, maxLength: 3 })),
        enum: fc.array(fc.oneof(scalar, data), { minLength: 1, maxLength: 4 }),
        const: fc.oneof(scalar, data),
        minimum: number,
        maximum: number,
        exclusiveMinimum: number,
        exclusiveMaximum: number,
        minLength: count,
        maxLength: count,
        minItems: count,
        maxItems: count,
        pattern: fc.constantFrom('^a', 'b$', '.'),
        format: fc.constantFrom('email', 'date', 'no-such-format', 'toString'),
        required: fc.array(names, { maxLength: 2 }),
        properties: fc.dictionary(names, tie('schema'), { maxKeys: 3 }),
        additionalProperties: tie('schema'),
        items: tie('schema'),
        description: fc.constant('a note'),
      },
      { requiredKeys: [] },
    ),
  ),
}))

test('what is accepted at a glance, the validator accepts as well; and it knows of every schema made of its keywords', () => {
  fc.assert(
    fc.property(schema, fc.array(data, { maxLength: 8 }), (schema, values) => {
      const accepts = toAccept(schema)
      assert.ok(accepts)
      const validator = new Validator(structuredClone(schema) as object, '2020-12')
      for (const value of values) if (accepts(value)) assert.ok(validator.validate(value).valid)
    }),
    { numRuns: 2000 },
  )
})

test('good data of everyday is accepted at a glance', () => {
  const accepts = toAccept({
    type: 'object',
    required: ['id'],
    properties: {
      id: { type: 'string' },
      n: { type: ['integer', 'null'] },
      list: { type: 'array', items: { enum: ['a'] } },
    },
    additionalProperties: false,
  })
  assert.equal(accepts?.({ id: '1', n: null, list: ['a'] }), true)
  assert.equal(accepts?.({ id: '1', other: 1 }), false)
})

test('a keyword that is not known here is left to the validator, wherever it stands', () => {
  for (const more of [{ $ref: '#' }, { anyOf: [true] }, { not: {} }, { uniqueItems: true }, { 'x-ours': 1 }]) {
    assert.equal(toAccept(more), undefined)
    assert.equal(toAccept({ properties: { a: { items: more } } }), undefined)
    assert.equal(toAccept({ additionalProperties: more }), undefined)
  }
  assert.equal(toAccept({ items: [{}] }), undefined)
})
