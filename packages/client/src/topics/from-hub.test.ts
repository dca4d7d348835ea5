import assert from 'node:assert/strict'
import { test } from 'node:test'
import { useHub } from '../../../../scripts/use-hub.ts'
import { createAdmin } from '../admin.ts'
import { createSluice } from '../client.ts'
import { TopicDataError, TopicsError } from './error.ts'
import { topicsFromHub } from './from-hub.ts'
import { withTopics } from './sessions.ts'

const { connection } = await useHub()
const admin = createAdmin(connection)

const Schema = { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } }

test('topics come from the hub, all pages of them, and sessions publish on them', async () => {
  const many = Array.from({ length: 210 }, (_, n) => ({ Action: 'Done', Entity: `Task${n}`, Category: 'work', Schema }))
  await admin.importEventTypes({
    DefaultCategory: 'crm',
    Topics: [{ Action: 'Created', Entity: 'Test', Schema }, ...many],
  })
  await admin.putEventType('plain.type', {})
  const all = await topicsFromHub(admin)
  assert.deepEqual([all.list.length, all.defaultCategory], [211, undefined])
  const topics = await topicsFromHub(admin, { category: 'crm' })
  assert.deepEqual(
    [topics.list.map(({ eventType }) => eventType), topics.defaultCategory],
    [['crm.TestCreated'], 'crm'],
  )
  const session = withTopics(createSluice(connection), topics, { service: 'tests' }).serviceSession()
  session['createdTest']?.({ n: 1 })
  assert.throws(() => session['createdTest']?.({ n: 'one' }), TopicDataError)
  assert.equal((await session.flush()).accepted, 1)
})

test('an event that the hub keeps in quarantine has left the session, and its result says so', async () => {
  await admin.putEventType('kept.TestKept', {
    schema: { type: 'object' },
    mode: 'quarantine',
    category: 'kept',
    entity: 'Test',
    action: 'Kept',
  })
  const topics = await topicsFromHub(admin, { category: 'kept' })
  const session = withTopics(createSluice(connection), topics, { service: 'tests' }).serviceSession()
  // The hub has become stricter since the topics were read.
  await admin.putEventType('kept.TestKept', { schema: Schema }, { allowIncompatible: true })
  session['keptTest']?.({ n: 'one' })
  const { results } = await session.flush()
  assert.deepEqual(
    results.map((result) => 'status' in result && result.status),
    ['quarantined'],
  )
  assert.equal(session.events.length, 0)
})

test('names that give no method are refused by name', async () => {
  await admin.importEventTypes({ DefaultCategory: 'odd', Topics: [{ Action: 'Created', Entity: 'URL', Schema }] })
  await assert.rejects(
    topicsFromHub(admin, { category: 'odd' }),
    (error: unknown) => error instanceof TopicsError && /odd\.URLCreated: Entity must be words/.test(error.message),
  )
})
