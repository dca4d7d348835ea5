import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Accepted, BatchAccepted, EventPage, Workspace } from '@sluice/protocol'
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

test('a quota of events holds for a day; what is beyond it is refused one by one, and the workspace was told before', async () => {
  await using hub = await openTestHub()
  const put = (quotas: object) => hub.call<Workspace>('PUT', '/v1/workspaces/small', { body: { quotas } })
  assert.deepEqual((await put({ events_per_day: 10 })).body.quotas, { events_per_day: 10 })
  const key = await hub.makeKey({ workspace: 'small', role: 'admin' })
  const send = (count: number) =>
    hub.call<BatchAccepted>('POST', '/v1/events/batch', {
      key,
      body: Array.from({ length: count }, () => ({ event_type: 'a', payload: {} })),
    })
  assert.equal((await send(7)).body.accepted, 7)
  const beyond = await send(5)
  assert.deepEqual([beyond.body.accepted, beyond.body.failed], [3, 2])
  assert.deepEqual(
    beyond.body.results.map((result) => ('error' in result ? result.error.error_code : result.status)),
    ['accepted', 'accepted', 'accepted', 'quota-exceeded', 'quota-exceeded'],
  )
  const refused = await hub.call('POST', '/v1/events', { key, body: { event_type: 'a', payload: {} } })
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, String(24 * 3600)])
  const told = await hub.call<EventPage>('GET', '/v1/events?event_type=sluice.*', { key })
  assert.deepEqual(
    told.body.events.map(({ event_type: type, payload }) => [type, payload?.['limit']]),
    [['sluice.quota.near', 10]],
  )
  hub.advance(86_400_000)
  assert.equal((await send(2)).body.accepted, 2)
  await put({ events_per_day: null })
  assert.equal((await send(20)).body.accepted, 20)
})

test('a quota of inboxes', async () => {
  await using hub = await openTestHub()
  await hub.call('PUT', '/v1/workspaces/small', { body: { quotas: { inboxes: 2 } } })
  const key = await hub.makeKey({ workspace: 'small', role: 'admin' })
  assert.equal((await hub.call('PUT', '/v1/inboxes/one', { key })).status, 201)
  assert.equal((await hub.fail('PUT', '/v1/inboxes/two', { key })).error_code, 'quota-exceeded')
  assert.equal((await hub.call('PUT', '/v1/inboxes/one', { key })).status, 200, 'it is there already')
  await hub.call('DELETE', '/v1/inboxes/one', { key })
  assert.equal((await hub.call('PUT', '/v1/inboxes/two', { key })).status, 201)
  const wrong = await hub.fail('PUT', '/v1/workspaces/small', { body: { quotas: { inboxes: 0, tables: 4 } } })
  assert.deepEqual(wrong.errors?.map(({ pointer }) => pointer).toSorted(), ['/quotas/inboxes', '/quotas/tables'])
})
