import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfiguration, type ConfigurationSource } from './configuration.ts'

const source = {
  api_key: 'secret',
  size: { type: 'number', default: '10' },
  live: { type: 'boolean', optional: true },
  types: 'list',
  region: { type: 'text', enum: ['eu', 'us'], default: 'eu' },
  more: { type: 'json', optional: true },
} as const satisfies ConfigurationSource

test('texts are read as what they are', () => {
  const { values, secrets } = readConfiguration(source, {
    api_key: 'k-123',
    live: 'TRUE',
    types: 'a, b,',
    more: '{"x":[1]}',
    unknown: 'is ignored',
  })
  assert.deepEqual(values, {
    api_key: 'k-123',
    size: 10,
    live: true,
    types: ['a', 'b'],
    region: 'eu',
    more: { x: [1] },
  })
  assert.deepEqual(secrets, ['k-123'])
})

test('every fault is named, and no value', () => {
  const given = { api_key: '<YOUR_API_KEY>', size: 'many', live: 'yes', region: 'mars', more: '{', extra: 7 }
  assert.throws(
    () => readConfiguration(source, given),
    (error: Error) => {
      assert.equal(error.name, 'ConfigurationError')
      assert.deepEqual(error.message.split('\n').slice(1).toSorted(), [
        '  /api_key: is still a placeholder; put the real value there',
        '  /extra: must be a text, in quotes; it is number',
        '  /live: must be "true" or "false"',
        '  /more: must be JSON, in quotes',
        '  /region: must be one of eu, us',
        '  /size: must be a number, in quotes',
        '  /types: is missing',
      ])
      return true
    },
  )
})

for (const given of ['', '  ', 'YOUR_API_KEY', 'changeme', '<key>']) {
  test(`a secret that is ${JSON.stringify(given)} is none`, () => {
    assert.throws(() => readConfiguration({ api_key: 'secret' }, { api_key: given }), /is blank|is still a placeholder/)
  })
}

test('a JSON Schema says more', () => {
  const schema = {
    type: 'object',
    required: ['host'],
    properties: { host: { type: 'string', pattern: '^[a-z.]+$' }, password: { type: 'string', format: 'password' } },
  } as const
  assert.deepEqual(readConfiguration(schema, { host: 'db.example', password: 'hunter22' }).secrets, ['hunter22'])
  assert.throws(() => readConfiguration(schema, { host: '10.0.0.1' }), /host must match pattern/)
  assert.throws(() => readConfiguration(schema, {}), /must have required property 'host'/)
})

test('what is no object, or too large, is none', () => {
  for (const given of [null, [], 'x']) assert.throws(() => readConfiguration({}, given), /must be a JSON object/)
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`n${index}`, 'x']))
  assert.throws(() => readConfiguration({}, many), /has more than 100 members/)
})
