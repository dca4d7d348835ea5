import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TopicNotFoundError, TopicsError } from './error.ts'
import { defineTopics, parseTopics } from './topics.ts'

const topic = { Action: 'Created', Entity: 'Test', Schema: {} }

/** The faults of definitions, as `pointer: detail`. */
function faultsOf(definitions: unknown): string[] {
  try {
    parseTopics(definitions)
    return []
  } catch (error) {
    assert.ok(error instanceof TopicsError)
    return error.faults.map(({ pointer, detail }) => `${pointer}: ${detail}`)
  }
}

function faultsOfTopics(...topics: unknown[]): string[] {
  return faultsOf({ DefaultCategory: 'testing', Topics: topics })
}

test('three topics load, from an object and from text, and are found by their names', () => {
  const definitions = {
    DefaultCategory: 'testing',
    Topics: [
      { ...topic, Description: 'of the tests' },
      { ...topic, Action: 'Deleted' },
      { ...topic, Category: 'other' },
    ],
  }
  for (const topics of [
    defineTopics(definitions),
    parseTopics(definitions),
    parseTopics(JSON.stringify(definitions)),
  ]) {
    assert.equal(topics.list.length, 3)
    const { eventType, description } = topics.get({ action: 'Created', entity: 'Test' })
    assert.deepEqual([eventType, description], ['testing.TestCreated', 'of the tests'])
    assert.equal(topics.get({ action: 'Created', entity: 'Test', category: 'other' }).eventType, 'other.TestCreated')
    assert.throws(() => topics.get({ action: 'Moved', entity: 'Test' }), {
      name: 'TopicNotFoundError',
      message:
        'topic not found: testing.TestMoved; there are testing.TestCreated, testing.TestDeleted, other.TestCreated',
    })
    assert.deepEqual(topics.methods(), ['createdTest', 'deletedTest'])
  }
})

test('a name that is split in another place is another topic, though its event type is written the same', () => {
  const topics = parseTopics({ DefaultCategory: 'a', Topics: [{ ...topic, Entity: 'MyTest' }] })
  assert.throws(() => topics.get({ action: 'TestCreated', entity: 'My' }), TopicNotFoundError)
})

test('a missing action, entity, schema, category or list is named', () => {
  assert.deepEqual(faultsOfTopics({ Entity: 'Test', Schema: {} }), ['/Topics/0/Action: Action is missing'])
  assert.deepEqual(faultsOfTopics({ Action: 'Created', Schema: {} }), ['/Topics/0/Entity: Entity is missing'])
  assert.match(
    faultsOfTopics({ Action: 'Created', Entity: 'Test' })[0] ?? '',
    /^\/Topics\/0\/Schema: Schema is missing/,
  )
  assert.match(faultsOf({ Topics: [topic] })[0] ?? '', /Category is missing, and there is no DefaultCategory/)
  assert.match(faultsOf({ DefaultCategory: 'a' })[0] ?? '', /Topics must be a list/)
  for (const nothing of [null, [], 7, undefined]) assert.match(faultsOf(nothing)[0] ?? '', /must be an object/)
  assert.match(faultsOf('{"Topics": [}')[0] ?? '', /not JSON/)
})

test('names in the wrong case and unknown members are named, all at once', () => {
  const faults = faultsOf({
    DefaultCategory: 'Testing',
    Extra: 1,
    Topics: [
      { Action: 'created', Entity: 'myEntity', Category: 'Other', Description: 7, Schema: {}, Shema: {} },
      { Action: 'CREATED', Entity: 'My_Entity', Category: 'sluice', Schema: {} },
    ],
  })
  for (const pointer of ['/Extra', '/DefaultCategory', '/Topics/0/Shema', '/Topics/0/Action', '/Topics/0/Entity']
    .concat(['/Topics/0/Category', '/Topics/0/Description', '/Topics/1/Action', '/Topics/1/Entity'])
    .concat(['/Topics/1/Category'])) {
    assert.equal(faults.filter((fault) => fault.startsWith(`${pointer}: `)).length, 1, pointer)
  }
  assert.equal(faults.length, 10)
})

test('the same topic twice is refused, instead of the later one taking the place of the earlier', () => {
  assert.deepEqual(faultsOfTopics(topic, topic), [
    '/Topics/1: is the event type of Topics[0] (Entity Test, Action Created) already',
  ])
  assert.deepEqual(faultsOfTopics(topic, { ...topic, Category: 'other' }), [])
})

test('two topics that are written as one event type, or give one method, are refused', () => {
  const apart = { ...topic, Entity: 'My', Action: 'TestCreated' }
  assert.match(faultsOfTopics({ ...topic, Entity: 'MyTest' }, apart)[0] ?? '', /is the event type of Topics\[0\]/)
  const turned = { ...topic, Entity: 'Created', Action: 'Test' }
  assert.match(faultsOfTopics(topic, turned)[0] ?? '', /the method \w+ would stand for Topics\[0\]/)
  const hiding = { ...topic, Entity: 'Id', Action: 'Job' }
  assert.match(faultsOfTopics(hiding)[0] ?? '', /the method jobId would hide/)
  assert.deepEqual(faultsOfTopics({ ...topic, Action: 'PaidBack' }), [])
})

test('a schema that is none is refused by name and place', () => {
  const faults = (Schema: unknown) => faultsOfTopics({ ...topic, Schema })
  for (const [schema, pointer] of [
    [7, ''],
    [null, ''],
    [{ type: 'strng' }, '/type'],
    [{ type: [] }, '/type'],
    [{ type: 'string' }, ''],
    [{ required: 'id' }, '/required'],
    [{ properties: [] }, '/properties'],
    [{ properties: { a: { minLength: -1 } } }, '/properties/a/minLength'],
    [{ properties: { a: { pattern: '(' } } }, '/properties/a/pattern'],
    [{ patternProperties: { '[': {} } }, '/patternProperties/['],
    [{ anyOf: [] }, '/anyOf'],
    [{ items: [{ type: 1 }] }, '/items/0/type'],
    [{ enum: [] }, '/enum'],
    [{ multipleOf: 0 }, '/multipleOf'],
    [{ exclusiveMinimum: true }, '/exclusiveMinimum'],
    [{ $ref: '#/$defs/missing' }, '/$ref'],
    [{ properties: { a: { $ref: 'https://example.com/schema' } } }, '/properties/a/$ref'],
    [{ $ref: '#' }, ''],
    [{ $dynamicRef: '#a' }, '/$dynamicRef'],
    [{ $schema: 'http://json-schema.org/draft-03/schema#' }, '/$schema'],
    [false, ''],
  ] as const) {
    const [fault = '', ...more] = faults(schema)
    assert.ok(fault.startsWith(`/Topics/0/Schema${pointer}: `), `${JSON.stringify(schema)}: ${fault}`)
    assert.deepEqual(more, [])
  }
})

test('schemas of each draft are taken, and left as they were', () => {
  const frozen = Object.freeze({ $ref: '#/$defs/a', $defs: Object.freeze({ a: { type: 'object' } }), 'x-note': 'ours' })
  for (const Schema of [
    frozen,
    true,
    {},
    { type: ['object', 'null'] },
    { $schema: 'http://json-schema.org/draft-04/schema#', properties: { a: { minimum: 1, exclusiveMinimum: true } } },
    { $schema: 'http://json-schema.org/draft-07/schema', dependencies: { a: ['b'], c: {} } },
    { $schema: 'https://json-schema.org/draft/2019-09/schema', dependentRequired: { a: ['b'] } },
    { $schema: 'https://json-schema.org/draft/2020-12/schema', properties: { a: { prefixItems: [{}] } } },
  ]) {
    assert.deepEqual(faultsOfTopics({ ...topic, Schema }), [])
  }
})

test('every fault of data is told where it is, formats are enforced, and values are not repeated', () => {
  const topics = parseTopics({
    DefaultCategory: 'a',
    Topics: [
      {
        ...topic,
        Schema: {
          type: 'object',
          additionalProperties: false,
          required: ['id', 'name'],
          properties: {
            id: { type: 'string', format: 'uuid' },
            at: { type: 'string', format: 'date-time' },
            mail: { type: 'string', format: 'email' },
            'a/b': { type: 'array', items: { $ref: '#/$defs/line' } },
          },
          $defs: { line: { type: 'object', properties: { n: { type: 'integer', minimum: 1 } } } },
        },
      },
    ],
  })
  const { validate } = topics.get({ action: 'Created', entity: 'Test' })
  const faults = validate({ id: 'x', at: 'soon', mail: 'secret', 'a/b': [{ n: 1 }, { n: 0 }], other: 1 })
  assert.deepEqual(faults.map(({ pointer }) => pointer).toSorted(), ['', '/at', '/a~1b/1/n', '/id', '/mail', '/other'])
  assert.match(faults.find(({ pointer }) => pointer === '')?.detail ?? '', /does not have required property "name"/)
  assert.doesNotMatch(JSON.stringify(faults), /secret|soon/)
})
