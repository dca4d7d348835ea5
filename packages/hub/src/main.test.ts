import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { Lease } from '@sluice/protocol'
import { openLocalAdmin, startHub, type Hub } from './main.ts'

let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-main-'))
})
after(() => rm(folder, { recursive: true }))

const start = (data: string, port = 0): Promise<Hub> =>
  startHub({
    data: join(folder, data),
    host: '127.0.0.1',
    port,
    secretKeys: [new Uint8Array(32).fill(1)],
    logLevel: 'silent',
    trustProxy: [],
    corsOrigins: [],
  })

const auth = (key: string | null): Record<string, string> => ({
  authorization: `Bearer ${key}`,
  'content-type': 'application/json',
})
const event = JSON.stringify({ event_type: 'a', payload: {} })

test('the first start of an empty store shows an admin key, later ones none; events and cursors stay', async () => {
  const first = await start('restart')
  const key = first.apiKey
  assert.match(key ?? '', /^slk_/)
  for (let n = 0; n < 2; n += 1)
    await fetch(`${first.url}/v1/events`, { method: 'POST', headers: auth(key), body: event })
  const page = await (await fetch(`${first.url}/v1/events/inbox?limit=1`, { headers: auth(key) })).json()
  await first.close()
  await first.close()
  const second = await start('restart')
  assert.equal(second.apiKey, null)
  const { next_cursor: cursor } = (page as { pagination: { next_cursor: string } }).pagination
  const next = await fetch(`${second.url}/v1/events/inbox?cursor=${cursor}`, { headers: auth(key) })
  assert.equal(((await next.json()) as { events: unknown[] }).events.length, 1)
  await second.close()
})

test('one hub on a data folder; a taken port is told, and the store let go of', async () => {
  const hub = await start('single')
  await assert.rejects(start('single'), { code: 'conflict' })
  await assert.rejects(start('elsewhere', hub.port), { code: 'EADDRINUSE' })
  await (await start('elsewhere')).close()
  await hub.close()
})

test('keys and workspaces are kept on the folder beside a running hub', async () => {
  const hub = await start('admin')
  const admin = await openLocalAdmin({ data: join(folder, 'admin'), exclusive: false })
  const made = await admin.createKey({ user_id: 'cli', role: 'publisher' })
  const publish = (): Promise<Response> =>
    fetch(`${hub.url}/v1/events`, { method: 'POST', headers: auth(made.api_key), body: event })
  assert.equal((await publish()).status, 201)
  assert.equal((await admin.patchKey(made.key_id, { rate_limit: 7 })).rate_limit, 7)
  const rotated = await admin.rotateKey(made.key_id)
  assert.notEqual(rotated.api_key, made.api_key)
  assert.equal((await admin.putWorkspace('acme')).key, 'acme')
  assert.deepEqual(
    (await admin.listWorkspaces({ limit: 1 })).workspaces.map(({ key }) => key),
    ['acme'],
  )
  await admin.createKey({ user_id: 'cli', workspace: 'acme' })
  assert.equal((await admin.listKeys({ workspace: 'acme' })).keys.length, 1)
  await admin.revokeKey(made.key_id)
  assert.deepEqual(
    (await admin.listKeys({ status: 'revoked' })).keys.map(({ key_id }) => key_id),
    [made.key_id],
  )
  await assert.rejects(admin.createKey({ user_id: '' }), { code: 'validation-error' })
  await assert.rejects(openLocalAdmin({ data: join(folder, 'admin'), exclusive: true }), { code: 'conflict' })
  await admin.close()
  await hub.close()
})

test('closing answers who waits, ends streams and gives back what they hold', async () => {
  const hub = await start('closing')
  const key = hub.apiKey
  const call = (method: string, path: string, body?: string): Promise<Response> =>
    fetch(hub.url + path, { method, headers: auth(key), ...(body !== undefined && { body }) })
  await call('PUT', '/v1/inboxes/empty')
  const waiting = call('POST', '/v1/inboxes/empty/lease', '{"wait_seconds":20}')
  for (let n = 0; n < 3; n += 1) await call('POST', '/v1/events', event)
  const following = await call('GET', '/v1/inboxes/default/stream')
  const frames = following.text()
  const waited = (async () => (await waiting).json())()
  await call('DELETE', '/v1/inboxes/empty')
  await hub.close()
  assert.match(await frames, /event: event/)
  assert.ok(await waited)
})

test('a request on a kept connection of a closing hub is told to go elsewhere', async () => {
  const hub = await start('kept')
  const socket = connect(hub.port, '127.0.0.1')
  const answers = text(socket)
  // The second request has begun by the time the first is answered.
  const answered = once(socket, 'data')
  socket.write('GET /status HTTP/1.1\r\nHost: x\r\n\r\nGET /status HTTP/1.1\r\nHost: x\r\n')
  await answered
  const closing = hub.close()
  socket.write('\r\n')
  const [, first, second] = (await answers).split('HTTP/1.1 ')
  assert.match(first ?? '', /^200 /)
  assert.match(second ?? '', /^503 [^]*connection: close[^]*"error_code":"shutting-down"/i)
  await closing
})

test('an abandoned stream that works gives back at the end what it had not sent', async () => {
  const hub = await start('give-back')
  const key = hub.apiKey
  for (let n = 0; n < 3; n += 1)
    await fetch(`${hub.url}/v1/events`, { method: 'POST', headers: auth(key), body: event })
  const stream = await hub.app.request('/v1/inboxes/default/stream?lease_seconds=60&limit=3', { headers: auth(key) })
  const reader = stream.body?.getReader()
  await reader?.read()
  await reader?.read()
  const ending = hub.app.request('/status')
  assert.equal((await ending).status, 200)
  await reader?.cancel()
  const lease = await hub.app.request('/v1/inboxes/default/lease', { method: 'POST', headers: auth(key) })
  assert.equal(((await lease.json()) as Lease).events.length, 2)
  await hub.close()
  assert.equal((await hub.app.request('/status')).status, 503)
})
