import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { checkConfig, parseConfig, parseInterval } from './config.ts'

const schema = { type: 'object' }
const base = { name: 'a', version: '1.0.0', description: 'b', actions: {} }
const withInput = (input: unknown) => ({
  ...base,
  actions: { act: { description: 'x', input_schema: input, output_schema: schema } },
})

test('every fault is named at once, by its place', () => {
  const { config, errors } = checkConfig({
    version: 1,
    actions: { one: {}, two: 'x', three: { description: '', input_schema: [], output_schema: { type: 'objekt' } } },
    polling_triggers: {
      poll: { description: 'x', input_schema: schema, output_schema: schema, polling_interval: 'x' },
    },
    auth: { type: 'platform', scopes: 7 },
  })
  assert.equal(config, undefined)
  assert.deepEqual(
    errors.map(({ pointer }) => pointer).toSorted(),
    [
      '/name',
      '/description',
      '/actions/one/description',
      '/actions/one/input_schema',
      '/actions/one/output_schema',
      '/actions/two',
      '/actions/three/description',
      '/actions/three/input_schema',
      '/actions/three/output_schema',
      '/polling_triggers/poll/polling_interval',
      '/auth/provider',
      '/auth/scopes',
    ].toSorted(),
  )
})

test('values that are no configuration at all are refused, never with a raw error', () => {
  for (const value of [null, [], 'a', 7, true]) assert.equal(checkConfig(value).errors.length, 1, JSON.stringify(value))
  for (const text of ['', '{', '[]', '{"name":"x",}', 'null']) assert.equal(parseConfig(text).config, undefined, text)
  assert.equal(parseConfig('\ufeff' + JSON.stringify(base)).config?.name, 'a')
})

const repairs: readonly (readonly [what: string, config: unknown, pointer: string])[] = [
  [
    'a boolean required',
    withInput({ type: 'object', properties: { a: { type: 'string', required: false } } }),
    '/actions/act/input_schema/properties/a/required',
  ],
  [
    'a misspelt keyword',
    withInput({ type: 'object', properties: { a: { type: 'string', desciption: 'x' } } }),
    '/actions/act/input_schema/properties/a/desciption',
  ],
  ['an unknown format', withInput({ type: 'string', format: 'colour' }), '/actions/act/input_schema/format'],
  ['a pattern that is none', withInput({ type: 'string', pattern: '(' }), '/actions/act/input_schema/pattern'],
  [
    'a keyword inside a list',
    withInput({ oneOf: [{ type: 'string', hint: 1 }] }),
    '/actions/act/input_schema/oneOf/0/hint',
  ],
  ['scopes in one text', { ...base, auth: { type: 'platform', provider: 'p', scopes: 'read, write' } }, '/auth/scopes'],
  ['custom auth without fields', { ...base, auth: { type: 'custom' } }, '/auth/fields'],
  ['a flag as text', { ...base, supports_billing: 'true' }, '/supports_billing'],
]
for (const [what, config, pointer] of repairs) {
  test(`${what} is mended and reported, and refused when strict`, () => {
    const lenient = checkConfig(config)
    assert.ok(lenient.config)
    assert.deepEqual(
      lenient.repairs.map((repair) => repair.pointer),
      [pointer],
    )
    const strict = checkConfig(config, { strict: true })
    assert.equal(strict.config, undefined)
    assert.deepEqual(
      strict.errors.map((error) => error.pointer),
      [pointer],
    )
  })
}

test('required: true of a property becomes the name in the object around it', () => {
  const { config } = checkConfig(withInput({ type: 'object', properties: { a: { type: 'string', required: true } } }))
  assert.deepEqual(config?.actions['act']?.input_schema['required'], ['a'])
})

test('what real configurations have needs no repair', () => {
  const input = {
    type: 'object',
    properties: {
      a: { type: ['string', 'null'], label: 'A', help_text: 'x', format: 'password' },
      f: { type: 'object', format: 'file' },
      b: { type: 'string', nullable: true, default: 'x' },
    },
    required: [],
  }
  const { repairs: found, errors } = checkConfig(withInput(input))
  assert.deepEqual([found, errors], [[], []])
})

test('intervals are whole numbers with a unit, above zero', () => {
  assert.deepEqual(['30s', '5m', '1h', '1d', '2H', ' 10S '].map(parseInterval), [30, 300, 3600, 86_400, 7200, 10])
  for (const text of ['', 'x', '5', 'm', '0s', '-1m', '1.5h', '5 minutes'])
    assert.equal(parseInterval(text), undefined, text)
})

const corpus = new URL('../../../../../shared/data/autohive-configs/', import.meta.url)
const missing = existsSync(corpus) ? false : 'the real configurations are not on this machine'
test('real configurations load, with every schema compiled', { skip: missing }, () => {
  const names = readdirSync(corpus).filter((name) => name.endsWith('.json'))
  const parsed = names.map((name) => ({ name, ...parseConfig(readFileSync(new URL(name, corpus), 'utf8')) }))
  assert.deepEqual(
    parsed.flatMap(({ errors }) => errors),
    [],
  )
  assert.deepEqual(
    parsed.flatMap(({ name, repairs: made }) => made.map(({ pointer }) => `${name}#${pointer}`)),
    ['aws.json#/auth/fields/properties/aws_session_token/required'],
  )
})
