import assert from 'node:assert/strict'
import { test } from 'node:test'
import { useHub } from '../../../../scripts/use-hub.ts'
import { createAdmin } from '../admin.ts'
import { createSluice } from '../client.ts'
import { EventValidationError } from '../error.ts'
import { catalogue } from './catalogue.ts'
import { exampleOf } from './example.ts'
import { writtenExamples } from './written-examples.ts'

const { connection } = await useHub()
const sluice = createSluice(connection)
const { results } = await createAdmin(connection).importEventTypes({
  event_types: catalogue.map(({ event_type: name, description, domain, schema }) => ({
    name,
    description,
    category: domain,
    schema,
    mode: 'reject',
  })),
})
assert.deepEqual(
  results.map(({ name, change }) => [name, change]),
  catalogue.map(({ event_type }) => [event_type, 'new']),
)

test('a hub that has the whole catalogue takes an example of each event type', async () => {
  const examples = catalogue.map(({ event_type }) => ({ event_type, payload: exampleOf(event_type) }))
  const written = Object.entries(writtenExamples).map(([event_type, payload]) => ({ event_type, payload }))
  const { results } = await sluice.events.sendBatch([...examples, ...written])
  assert.deepEqual(
    results.filter((result) => !('event_id' in result)),
    [],
  )
})

test('it refuses an example without its first required member, and says which', async () => {
  for (const { event_type, schema } of catalogue) {
    const [member = ''] = schema.required ?? []
    const { [member]: _, ...payload }: Record<string, unknown> = exampleOf(event_type)
    await assert.rejects(sluice.events.send(event_type, payload), (error) => {
      assert.ok(error instanceof EventValidationError, event_type)
      assert.match(JSON.stringify(error.faults), new RegExp(`\\b${member}\\b`))
      return true
    })
  }
})
