import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { AuditEntry, Key, KeyWithSecret } from '@sluice/protocol'
import { openTestHub, type TestHub } from '../test-hub.ts'

let t: TestHub

before(async () => {
  t = await openTestHub()
})
after(() => t.close())

async function make(body: object): Promise<KeyWithSecret> {
  const answer = await t.call<KeyWithSecret>('POST', '/v1/keys', { body: { user_id: 'u', ...body } })
  assert.equal(answer.status, 201, answer.text)
  return answer.body
}

const poll = (key: string) => ({ key, path: '/v1/events/inbox' })

async function statusOf(key: string): Promise<string> {
  const { path, ...options } = poll(key)
  const answer = await t.call<{ error_code: string }>('GET', path, options)
  return answer.status === 200 ? 'ok' : `${answer.status} ${answer.body.error_code}`
}

test('a key is shown once, with its settings, and never its hash', async () => {
  const settings = {
    user_email: 'u@example.org',
    role: 'viewer',
    allowed_event_types: ['a.*'],
    allowed_actions: null,
    rate_limit: 100,
    expires_at: '2030-01-01T00:00:00.000Z',
  }
  const made = await make(settings)
  const { api_key: secret, ...key } = made
  assert.match(secret, /^slk_[0-9a-f]{16}_[\w-]{43}$/)
  assert.ok(secret.startsWith(`slk_${key.key_id}_`))
  assert.deepEqual({ ...key, ...settings, user_id: 'u', status: 'active', workspace: 'default' }, key)
  const shown = await t.call<Key>('GET', `/v1/keys/${key.key_id}`)
  assert.deepEqual(shown.body, key)
  const row = await t.hub.store.findKey(key.key_id)
  for (const { text } of [await t.call('GET', '/v1/keys'), shown, await t.call('GET', '/v1/audit')]) {
    assert.ok(!text.includes(secret.slice(21)) && !text.includes(row?.secretHash ?? ''))
  }
})

test('keys of the workspace are listed in pages, and by status', async () => {
  await t.call('PUT', '/v1/workspaces/listed')
  const admin = await make({ workspace: 'listed', role: 'admin' })
  const { key_id: id } = await make({ workspace: 'listed' })
  await t.call('DELETE', `/v1/keys/${id}`)
  type Page = { keys: Key[]; pagination: { next_cursor: string | null; has_more: boolean } }
  const first = await t.call<Page>('GET', '/v1/keys?limit=1', { key: admin.api_key })
  const second = await t.call<Page>('GET', `/v1/keys?cursor=${first.body.pagination.next_cursor}`, {
    key: admin.api_key,
  })
  const ids = [...first.body.keys, ...second.body.keys].map(({ key_id }) => key_id)
  assert.deepEqual(ids, [id, admin.key_id].toSorted())
  const active = await t.call<Page>('GET', '/v1/keys?status=active', { key: admin.api_key })
  assert.deepEqual(
    active.body.keys.map(({ key_id }) => key_id),
    [admin.key_id],
  )
})

test('Bearer in any case, Basic with the key as user name, and what is neither', async () => {
  const { api_key: key } = await make({})
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`
  for (const authorization of [
    `Bearer ${key}`,
    `bearer ${key}`,
    `BEARER  ${key} `,
    basic(`${key}:`),
    basic(`${key}:x`),
    basic(key),
  ]) {
    const answer = await t.call('GET', '/v1/events/inbox', { key: null, headers: { authorization } })
    assert.equal(answer.status, 200, authorization)
  }
  const other = `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`
  const unknown = key.replace(/^slk_.{16}/, `slk_${'0'.repeat(16)}`)
  const wrong = [
    '',
    'Bearer',
    'Bearer x',
    `Token ${key}`,
    key,
    `Bearer ${key}x`,
    `Bearer ${other}`,
    `Bearer ${unknown}`,
    basic(''),
    basic(`x:${key}`),
  ]
  for (const authorization of [undefined, ...wrong]) {
    const headers = authorization === undefined ? {} : { authorization }
    const answer = await t.call<{ error_code: string; title: string }>('GET', '/v1/events/inbox', {
      key: null,
      headers,
    })
    assert.deepEqual([answer.status, answer.body.error_code], [401, 'unauthorized'], authorization)
    assert.equal(answer.body.title, 'Invalid or missing API key')
    assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/)
  }
})

test('inactive, expired and revoked keys say so; activation brings one back, revocation is final', async () => {
  const { key_id: id, api_key: key } = await make({ expires_at: '2026-02-01T00:00:00Z' })
  const path = `/v1/keys/${id}`
  assert.equal(await statusOf(key), 'ok')
  await t.call('PATCH', path, { body: { status: 'inactive' } })
  assert.equal(await statusOf(key), '403 key-inactive')
  await t.call('PATCH', path, { body: { status: 'active', expires_at: '2020-01-01T00:00:00Z' } })
  assert.equal(await statusOf(key), '403 key-expired')
  await t.call('PATCH', path, { body: { expires_at: null } })
  assert.equal(await statusOf(key), 'ok')
  for (let n = 0; n < 2; n += 1) assert.equal((await t.call('DELETE', path)).status, 204)
  assert.equal(await statusOf(key), '403 key-revoked')
  assert.equal((await t.fail('PATCH', path, { body: { status: 'active' } })).error_code, 'conflict')
  assert.equal((await t.fail('POST', `${path}/rotate`)).error_code, 'conflict')
})

test('a wrong secret never learns the state of the key', async () => {
  const { key_id: id, api_key: key } = await make({})
  await t.call('DELETE', `/v1/keys/${id}`)
  assert.equal(await statusOf(`slk_${id}_${'A'.repeat(43)}`), '401 unauthorized')
  assert.equal(await statusOf(key), '403 key-revoked')
})

test('a rotated secret stops at once, or after the overlap', async () => {
  const { key_id: id, api_key: first } = await make({})
  assert.equal(await statusOf(first), 'ok')
  const second = await t.call<KeyWithSecret>('POST', `/v1/keys/${id}/rotate`)
  assert.deepEqual([await statusOf(first), await statusOf(second.body.api_key)], ['401 unauthorized', 'ok'])
  const third = await t.call<KeyWithSecret>('POST', `/v1/keys/${id}/rotate`, { body: { overlap_seconds: 60 } })
  assert.deepEqual([await statusOf(second.body.api_key), await statusOf(third.body.api_key)], ['ok', 'ok'])
  t.advance(60_000)
  assert.deepEqual(
    [await statusOf(second.body.api_key), await statusOf(third.body.api_key)],
    ['401 unauthorized', 'ok'],
  )
  assert.equal(second.headers.get('cache-control'), 'no-store')
})

test('a change of role or types is felt by the next request', async () => {
  const { key_id: id, api_key: key } = await make({ role: 'viewer' })
  const event = { event_type: 'a', payload: {} }
  assert.equal((await t.fail('POST', '/v1/events', { key, body: event })).status, 403)
  await t.call('PATCH', `/v1/keys/${id}`, { body: { role: 'publisher', user_id: 'v' } })
  assert.equal((await t.call('POST', '/v1/events', { key, body: event })).status, 201)
  await t.call('PATCH', `/v1/keys/${id}`, { body: { allowed_event_types: ['b'] } })
  assert.equal((await t.fail('POST', '/v1/events', { key, body: event })).error_code, 'event-type-not-allowed')
})

test('a refusal says which roles may', async () => {
  const { api_key: key } = await make({ role: 'viewer' })
  const problem = await t.fail('POST', '/v1/events', { key, body: {} })
  assert.deepEqual([problem.status, problem.error_code], [403, 'forbidden'])
  assert.match(problem.detail, /viewer.*admin or creator or publisher/)
})

test('a limited key sees its limit on every answer, and 429 beyond it', async () => {
  const { api_key: key } = await make({ role: 'viewer', rate_limit: 3 })
  const answers = [
    await t.call('GET', '/v1/events/inbox', { key }),
    await t.call('GET', '/v1/events/nonsense', { key }),
    await t.call('POST', '/v1/events', { key, body: {} }),
    await t.call('GET', '/v1/events/inbox', { key }),
  ]
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 404, 403, 429],
  )
  assert.deepEqual(
    answers.map(({ headers }) => headers.get('ratelimit-policy')),
    Array(4).fill('"default";q=3;w=60'),
  )
  assert.deepEqual(
    answers.map(({ headers }) => headers.get('ratelimit')?.slice(0, 13)),
    ['"default";r=2', '"default";r=1', '"default";r=0', '"default";r=0'],
  )
  assert.equal(answers.at(-1)?.headers.get('retry-after'), '60')
  t.advance(60_000)
  const { headers, status } = await t.call('GET', '/v1/events/inbox', { key })
  assert.deepEqual([status, headers.get('ratelimit')], [200, '"default";r=2;t=60'])
  assert.equal((await t.call('GET', '/v1/events/inbox')).headers.get('ratelimit'), null)
})

test('last_used_at is kept to the minute', async () => {
  const { key_id: id, api_key: key } = await make({})
  const lastUsed = async (): Promise<string | null> => {
    // It is written behind the request's back; a write that follows it is answered after it.
    await t.call('PUT', '/v1/workspaces/default')
    return (await t.call<Key>('GET', `/v1/keys/${id}`)).body.last_used_at
  }
  assert.equal(await lastUsed(), null)
  await statusOf(key)
  const first = await lastUsed()
  assert.equal(first, new Date(t.hub.store.nowMs()).toISOString())
  t.advance(59_000)
  await statusOf(key)
  assert.equal(await lastUsed(), first)
  t.advance(1000)
  await statusOf(key)
  assert.equal(await lastUsed(), new Date(t.hub.store.nowMs()).toISOString())
})

test('keys for other workspaces are made and kept by administrators of the instance alone', async () => {
  await t.call('PUT', '/v1/workspaces/acme')
  const acme = await make({ workspace: 'acme', role: 'admin' })
  const elsewhere = await make({})
  const refused = await t.fail('POST', '/v1/keys', { key: acme.api_key, body: { user_id: 'x', workspace: 'default' } })
  assert.deepEqual([refused.status, refused.error_code], [403, 'forbidden'])
  const own = await t.call<KeyWithSecret>('POST', '/v1/keys', {
    key: acme.api_key,
    body: { user_id: 'x', workspace: 'acme' },
  })
  assert.deepEqual([own.status, own.body.workspace], [201, 'acme'])
  for (const [method, path, body] of [
    ['GET', '', undefined],
    ['PATCH', '', { status: 'inactive' }],
    ['POST', '/rotate', {}],
    ['DELETE', '', undefined],
  ] as const) {
    const problem = await t.fail(method, `/v1/keys/${elsewhere.key_id}${path}`, {
      key: acme.api_key,
      ...(body && { body }),
    })
    assert.equal(problem.status, 404, method)
  }
  assert.equal(await statusOf(elsewhere.api_key), 'ok')
  assert.equal((await t.call('DELETE', `/v1/keys/${own.body.key_id}`)).status, 204)
  assert.equal((await t.fail('POST', '/v1/keys', { body: { user_id: 'x', workspace: 'nowhere' } })).status, 404)
  for (const id of ['x', '0'.repeat(16), '%00']) assert.equal((await t.fail('GET', `/v1/keys/${id}`)).status, 404)
})

test('what is done to keys, inboxes and workspaces is written down', async () => {
  await t.call('PUT', '/v1/workspaces/audited')
  const admin = await make({ workspace: 'audited', role: 'admin' })
  const key = admin.api_key
  const other = await t.call<KeyWithSecret>('POST', '/v1/keys', { key, body: { user_id: 'x' } })
  const id = other.body.key_id
  await t.call('PATCH', `/v1/keys/${id}`, { key, body: { rate_limit: 5 } })
  await t.call('POST', `/v1/keys/${id}/rotate`, { key })
  await t.call('DELETE', `/v1/keys/${id}`, { key })
  await t.call('PUT', '/v1/inboxes/crm', { key })
  await t.call('POST', '/v1/inboxes/crm/seek', { key, body: { to: 'earliest' } })
  await t.call('DELETE', '/v1/inboxes/crm', { key })
  type Page = { entries: AuditEntry[]; pagination: { next_cursor: string | null } }
  const first = await t.call<Page>('GET', '/v1/audit?limit=4', { key })
  const second = await t.call<Page>('GET', `/v1/audit?cursor=${first.body.pagination.next_cursor}`, { key })
  const entries = [...first.body.entries, ...second.body.entries]
  assert.deepEqual(
    entries.map(({ verb, target }) => [verb, target]),
    [
      ['inbox.delete', 'crm'],
      ['inbox.seek', 'crm'],
      ['key.revoke', id],
      ['key.rotate', id],
      ['key.update', id],
      ['key.create', id],
      ['key.create', admin.key_id],
    ],
  )
  assert.ok(entries.slice(0, -1).every(({ actor }) => actor === admin.key_id))
})
