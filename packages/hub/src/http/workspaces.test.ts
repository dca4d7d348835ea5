import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Accepted, EventPage, Workspace } from '@sluice/protocol'
import { openTestHub, type TestHub } from '../test-hub.ts'

let t: TestHub

before(async () => {
  t = await openTestHub()
})
after(() => t.close())

test('PUT ensures a workspace, with an inbox of its own', async () => {
  const made = await t.call<Workspace>('PUT', '/v1/workspaces/acme')
  assert.deepEqual([made.status, made.body.key, made.body.events, made.body.inboxes], [201, 'acme', 0, 1])
  assert.equal((await t.call('PUT', '/v1/workspaces/acme', { body: {} })).status, 200)
  assert.equal((await t.call<Workspace>('GET', '/v1/workspaces/acme')).body.key, 'acme')
  type Page = { workspaces: Workspace[]; pagination: { next_cursor: string | null } }
  const first = await t.call<Page>('GET', '/v1/workspaces?limit=1')
  const second = await t.call<Page>('GET', `/v1/workspaces?cursor=${first.body.pagination.next_cursor}`)
  assert.deepEqual(
    [...first.body.workspaces, ...second.body.workspaces].map(({ key }) => key),
    ['acme', 'default'],
  )
})

test('nothing crosses from one workspace to another', async () => {
  await t.call('PUT', '/v1/workspaces/one')
  await t.call('PUT', '/v1/workspaces/two')
  const one = await t.makeKey({ workspace: 'one', role: 'admin' })
  const two = await t.makeKey({ workspace: 'two', role: 'admin' })
  const published = await t.call<Accepted>('POST', '/v1/events', { key: one, body: { event_type: 'a', payload: {} } })
  await t.call('PUT', '/v1/inboxes/private', { key: one })
  const id = published.body.event_id
  for (const [method, path] of [
    ['GET', `/v1/events/${id}`],
    ['DELETE', `/v1/events/${id}`],
    ['GET', '/v1/inboxes/private'],
    ['GET', '/v1/inboxes/private/stream'],
  ] as const) {
    assert.equal((await t.fail(method, path, { key: two })).status, 404, path)
  }
  const inbox = await t.call<EventPage>('GET', '/v1/events/inbox', { key: two })
  const search = await t.call<EventPage>('GET', '/v1/events', { key: two })
  assert.deepEqual([inbox.body.events, search.body.events], [[], []])
  const ack = await t.call<{ results: { status: string }[] }>('POST', '/v1/inboxes/default/ack', {
    key: two,
    body: { lease_id: 'l', event_ids: [id] },
  })
  assert.deepEqual(
    ack.body.results.map(({ status }) => status),
    ['unknown'],
  )
})

test('a workspace goes with its keys and events; the default one stays', async () => {
  await t.call('PUT', '/v1/workspaces/short')
  const key = await t.makeKey({ workspace: 'short', role: 'admin' })
  await t.call('POST', '/v1/events', { key, body: { event_type: 'a', payload: {} } })
  assert.equal((await t.call('DELETE', '/v1/workspaces/short')).status, 204)
  assert.equal((await t.fail('GET', '/v1/events/inbox', { key })).status, 401)
  for (const method of ['GET', 'DELETE'] as const) {
    assert.equal((await t.fail(method, '/v1/workspaces/short')).status, 404)
  }
  assert.equal((await t.fail('DELETE', '/v1/workspaces/default')).error_code, 'conflict')
})
