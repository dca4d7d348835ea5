import assert from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { TopicsError } from '../topics/error.ts'
import { withTopics } from '../topics/sessions.ts'
import { parseTopicFile, topicsFromFile } from './topics-from-file.ts'

const yaml = `DefaultCategory: testing
Topics:
  - Action: Created
    Entity: Test
    Description: >
      A test was made.
    Schema: &any
      type: object
      required: [id]
      properties:
        id: {type: string}
  - Action: Deleted
    Entity: Test
    Schema: *any
  - Action: Moved
    Entity: Test
    Category: other
    Schema:
      <<: *any
      additionalProperties: false
`

let folder: string
let path: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-topics-'))
  path = join(folder, 'topics.yaml')
  await writeFile(path, yaml)
})

after(() => rm(folder, { recursive: true }))

test('three topics load from a path, a URL, an open file, a stream, and from JSON', async () => {
  await using file = await open(path)
  const json = join(folder, 'topics.json')
  const reference = await topicsFromFile(path)
  const { defaultCategory: category } = reference
  const list = reference.list.map(({ action, entity, category, schema }) => ({
    Action: action,
    Entity: entity,
    Category: category,
    Schema: schema,
  }))
  await writeFile(json, JSON.stringify({ DefaultCategory: category, Topics: list }, null, '\t'))
  for (const source of [path, pathToFileURL(path), file, createReadStream(path), json]) {
    const topics = await topicsFromFile(source)
    assert.deepEqual(
      topics.list.map(({ eventType }) => eventType),
      ['testing.TestCreated', 'testing.TestDeleted', 'other.TestMoved'],
    )
    assert.deepEqual(topics.get({ action: 'Moved', entity: 'Test', category: 'other' }).schema, {
      type: 'object',
      required: ['id'],
      properties: { id: { type: 'string' } },
      additionalProperties: false,
    })
  }
  // It is the caller's: still open.
  assert.ok((await file.stat()).isFile())
})

test('a file can be given the type of its definitions', async () => {
  type File = {
    DefaultCategory: 'testing'
    Topics: [{ Action: 'Created'; Entity: 'Test'; Schema: { type: 'object'; properties: { id: { type: 'string' } } } }]
  }
  const session = withTopics(null, await topicsFromFile<File>(path), { service: 'tests' }).serviceSession()
  session.createdTest({ id: '1' })
  // @ts-expect-error -- no text
  assert.throws(() => session.createdTest({ id: 1 }))
})

/** The faults of a file, as `line: detail`. */
function faultsOf(text: string): string[] {
  try {
    parseTopicFile(text, 'topics.yaml')
    return []
  } catch (error) {
    assert.ok(error instanceof TopicsError)
    assert.match(error.message, /^topics\.yaml cannot be used:/)
    return error.faults.map(({ line, detail }) => `${line}: ${detail}`)
  }
}

test('faults are told by line, all at once', () => {
  const faults = faultsOf(
    yaml
      .replace('Action: Created', 'Action: created')
      .replace('required: [id]', 'required: id')
      .replace('Entity: Test\n    Category', 'Entety: Test\n    Category'),
  )
  assert.equal(faults.length, 6)
  for (const [index, pattern] of [
    /^3: Action must be words/,
    /^9: Schema\/required must be a list of names/,
    // The alias leads to the place where the fault is written; what a merge brings is told where it is merged.
    /^9: Schema\/required must be a list of names/,
    /^16: Entety is no member of a topic/,
    /^15: Entity is missing/,
    /^18: Schema\/required must be a list of names/,
  ].entries()) {
    assert.match(faults[index] ?? '', pattern)
  }
})

test('what is no YAML, names a member twice or stands for an object of some language is refused by line', () => {
  assert.match(faultsOf('Topics: [')[0] ?? '', /^1: /)
  assert.match(faultsOf('Topics: []\nTopics: []')[0] ?? '', /^2: .*unique/)
  assert.match(faultsOf('Topics:\n  - !!python/object/apply:os.system ["touch x"]')[0] ?? '', /^2: .*python\/object/)
  assert.match(faultsOf('a: 1\n---\nb: 2')[0] ?? '', /document/)
  assert.match(faultsOf('')[0] ?? '', /must be an object with Topics/)
  const names = 'abcdefghij'.split('')
  const bomb = names.map((name, n) => `${name}: &${name} [${n === 0 ? 'x' : `*${names[n - 1]}, `.repeat(10)}]`)
  assert.match(faultsOf(bomb.join('\n'))[0] ?? '', /alias/i)
})

test('a file that is not there is the error of whoever reads it', async () => {
  await assert.rejects(topicsFromFile(join(folder, 'missing.yaml')), { code: 'ENOENT' })
})
