import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Validator } from '@cfworker/json-schema'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { RE2JS } from 're2js'
import { catalogue, describeEventType, domains, type CatalogueEntry } from './catalogue.ts'
import { EventType } from './event-type.ts'
import { exampleOf } from './example.ts'
import type { JsonSchema } from './schema.ts'
import { writtenExamples } from './written-examples.ts'

const ajv = new Ajv2020({ strict: true, strictRequired: true, allErrors: true })
addFormats.default(ajv)

/** Two judges that are not ours: the one inside the hub, and the one that runs where there is no `eval`. */
function toJudges({ schema }: CatalogueEntry): ((payload: unknown) => boolean)[] {
  const compiled = ajv.compile(schema)
  // The library's type has no readonly lists; it only reads them.
  const interpreter = new Validator(structuredClone(schema) as ConstructorParameters<typeof Validator>[0], '2020-12')
  return [(payload) => compiled(payload), (payload) => interpreter.validate(payload).valid]
}

/** All schemas in a schema, itself among them, each with its path. */
function walk(schema: JsonSchema, path = ''): [string, JsonSchema][] {
  const members = Object.entries(schema.properties ?? {}).flatMap(([name, member]) => walk(member, `${path}/${name}`))
  return [[path, schema], ...members, ...(schema.items ? walk(schema.items, `${path}/items`) : [])]
}

test('there are at least 225 event types, each with a name of its own', () => {
  assert.ok(catalogue.length >= 225, `${catalogue.length}`)
  assert.equal(new Set(catalogue.map(({ event_type }) => event_type)).size, catalogue.length)
  for (const name of ['order.created', 'order.paid', 'form.submitted', 'customer.created']) {
    assert.ok(describeEventType(name), name)
  }
  assert.equal(describeEventType('order.exploded'), undefined)
})

test('names are <entity>.<past-tense verb>', () => {
  const irregular = /^(became|held|left|lost|made|paid|ran|read|sent|shown|spent|withdrawn|won|written)$/
  for (const { event_type } of catalogue) {
    assert.match(event_type, /^[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*$/)
    const [verb = ''] = event_type.split('.')[1]?.split('_') ?? []
    assert.ok(verb.endsWith('ed') || irregular.test(verb), `${event_type} is not in the past`)
  }
})

test('the constants are the catalogue, in upper snake case', () => {
  const expected = catalogue.map(({ event_type }) => [event_type.toUpperCase().replaceAll('.', '_'), event_type])
  assert.deepEqual(Object.entries(EventType), expected)
  assert.equal(EventType.CUSTOMER_CREATED, 'customer.created')
})

test('each event type is described by one sentence of its own', () => {
  for (const { event_type, description } of catalogue) assert.match(description, /^[A-Z].{18,}[^.]\.$/, event_type)
  assert.equal(new Set(catalogue.map(({ description }) => description)).size, catalogue.length)
})

test('each domain is described and has event types', () => {
  assert.deepEqual(
    [...new Set(catalogue.map(({ domain }) => domain))],
    domains.map(({ name }) => name),
  )
  for (const { about } of domains) assert.match(about, /^[A-Z].*\.$/)
})

test('no two event types have the same payload', () => {
  const seen = new Map<string, string>()
  for (const { event_type, schema } of catalogue) {
    const text = JSON.stringify(schema)
    assert.equal(seen.get(text), undefined, `${event_type} has the schema of ${seen.get(text)}`)
    seen.set(text, event_type)
  }
})

test('each schema says something: what is required, and what it must look like', () => {
  for (const { event_type, schema } of catalogue) {
    assert.ok((schema.required ?? []).length > 0, `${event_type} requires nothing`)
    for (const [path, part] of walk(schema)) {
      const { type, format, pattern, enum: words, minLength, minimum, items, properties } = part
      const says = [format, pattern, words, minLength, minimum, items, properties].some((each) => each !== undefined)
      // A number may be below 0 only where it is a difference.
      const may = type === 'boolean' || path.endsWith('/difference')
      assert.ok(says || may, `${event_type}${path} accepts any ${type}`)
    }
  }
})

test('members are named by what they hold: moments end in _at, days in _on, addresses in the web in url', () => {
  for (const { event_type, schema } of catalogue) {
    for (const [path, { type, format }] of walk(schema).filter(([, part]) => part.type !== 'array')) {
      const name =
        path
          .replace(/\/items$/, '')
          .split('/')
          .at(-1) ?? ''
      const [, ending = ''] = /(_at|_on|(?:^|_)url)s?$/.exec(name) ?? []
      const expected = { _at: 'date-time', _on: 'date', _url: 'uri', url: 'uri' }[ending]
      if (expected !== undefined) assert.equal(format, expected, `${event_type}${path}`)
      else assert.ok(!['date-time', 'date', 'uri'].includes(format ?? ''), `${event_type}${path}`)
      if (/_ids?$/.test(name)) assert.equal(type, 'string', `${event_type}${path}`)
    }
  }
})

test('patterns can be run by RE2', () => {
  const patterns = catalogue.flatMap(({ schema }) => walk(schema).flatMap(([, { pattern }]) => pattern ?? []))
  assert.ok(patterns.length > 0)
  for (const pattern of new Set(patterns)) assert.ok(RE2JS.compile(pattern), pattern)
})

for (const { name } of domains) {
  test(`${name}: schemas accept their examples and nothing that lacks a member or has another type in it`, () => {
    for (const entry of catalogue.filter(({ domain }) => domain === name)) {
      const example: Record<string, unknown> = exampleOf(entry.event_type)
      for (const accepts of toJudges(entry)) {
        assert.ok(accepts(example), `${entry.event_type} ${JSON.stringify(example)}`)
        assert.ok(accepts({ ...example, a_member_of_our_own: 1 }), entry.event_type)
        assert.ok(!accepts({}), entry.event_type)
        for (const member of entry.schema.required ?? []) {
          const { [member]: _, ...rest } = example
          assert.ok(!accepts(rest), `${entry.event_type} without ${member}`)
        }
        for (const member of Object.keys(example)) {
          for (const wrong of [null, [], '']) {
            assert.ok(
              !accepts({ ...example, [member]: wrong }),
              `${entry.event_type} with ${JSON.stringify(wrong)} as ${member}`,
            )
          }
        }
      }
    }
  })

  test(`${name}: an event as somebody would write it is accepted`, () => {
    const written = Object.entries(writtenExamples).filter(([type]) => describeEventType(type)?.domain === name)
    assert.ok(written.length > 0)
    for (const [type, payload] of written) {
      const entry = describeEventType(type)
      assert.ok(entry)
      for (const accepts of toJudges(entry)) assert.ok(accepts(payload), type)
    }
  })
}
