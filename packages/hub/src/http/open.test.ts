import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { problems, routes } from '@sluice/protocol'
import { openTestHub, type TestHub } from '../test-hub.ts'

let t: TestHub

before(async () => {
  t = await openTestHub({
    corsOrigins: ['https://app.example'],
    trustProxy: ['10.0.0.0/8'],
    publicUrl: 'https://events.example',
  })
})
after(() => t.close())

const open = { key: null }

test('status, health and links need no key', async () => {
  const status = await t.call<{ status: string; version: string }>('GET', '/status', open)
  assert.deepEqual([status.status, status.body.status], [200, 'ok'])
  const health = await t.call<{ status: string }>('GET', '/health', open)
  assert.deepEqual([health.status, health.body.status], [200, 'ok'])
  const root = await t.call<{ docs: string }>('GET', '/', open)
  assert.equal(root.body.docs, '/docs')
  const browser = await t.call('GET', '/', { ...open, headers: { accept: 'text/html,*/*' } })
  assert.deepEqual([browser.status, browser.headers.get('location')], [302, '/console/'])
})

test('the description names every route and the public address', async () => {
  const { body } = await t.call<{ paths: object; servers: { url: string }[] }>('GET', '/openapi.json', open)
  assert.deepEqual(Object.keys(body.paths), [...new Set(Object.values(routes).map(({ path }) => path))])
  assert.equal(body.servers[0]?.url, 'https://events.example')
})

test('the pages for people hold no script and say so', async () => {
  const docs = await t.call('GET', '/docs', open)
  for (const { path } of Object.values(routes)) assert.ok(docs.text.includes(path.replaceAll('&', '&amp;')), path)
  const pages = [
    docs,
    ...(await Promise.all(Object.keys(problems).map((code) => t.call('GET', `/problems/${code}`, open)))),
  ]
  for (const page of pages) {
    assert.equal(page.status, 200)
    assert.ok(!page.text.includes('<script'))
    assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'/)
    assert.equal(page.headers.get('x-content-type-options'), 'nosniff')
  }
  assert.equal((await t.fail('GET', '/problems/%3Cscript%3E', open)).status, 404)
})

test('metrics are for loopback and for keys that may read; a forwarded request is no loopback', async () => {
  const ask = async (
    remoteAddress: string,
    headers: Record<string, string> = {},
    key: string | null = null,
  ): Promise<number> => (await t.call('GET', '/metrics', { key, remoteAddress, headers })).status
  assert.equal(await ask('127.0.0.1'), 200)
  assert.equal(await ask('::ffff:127.0.0.1'), 200)
  assert.equal(await ask('::1'), 200)
  assert.equal(await ask('203.0.113.9'), 401)
  assert.equal(await ask('127.0.0.1', { 'x-forwarded-for': '127.0.0.1' }), 401)
  assert.equal(await ask('127.0.0.1', { forwarded: 'for=127.0.0.1' }), 401)
  assert.equal(await ask('10.1.1.1', { 'x-forwarded-for': '127.0.0.1' }), 200)
  assert.equal(await ask('10.1.1.1', { 'x-forwarded-for': '127.0.0.1, 203.0.113.9, 10.2.2.2' }), 401)
  assert.equal(await ask('203.0.113.9', {}, t.adminKey), 200)
  assert.equal(await ask('203.0.113.9', {}, await t.makeKey({ role: 'publisher' })), 403)
})

test('metrics count requests, events and commits', async () => {
  await t.call('POST', '/v1/events', { body: { event_type: 'a', payload: {} } })
  await t.call('POST', '/v1/inboxes/default/lease')
  const { text } = await t.call('GET', '/metrics')
  assert.match(text, /^sluice_http_requests_total\{route="publishEvent",method="POST",status="2xx"\} 1$/m)
  assert.match(text, /^sluice_http_request_seconds_count\{route="publishEvent"\} 1$/m)
  assert.match(text, /^sluice_events_published_total 1$/m)
  assert.match(text, /^sluice_events_leased_total 1$/m)
  assert.match(text, /^sluice_store_queue_events 0$/m)
  assert.match(text, /^process_cpu_seconds_total /m)
})

test('addresses that are not there, and methods that they do not have', async () => {
  const missing = await t.fail('GET', '/v2/events', open)
  assert.deepEqual([missing.status, missing.error_code, missing.type], [404, 'not-found', '/problems/not-found'])
  const wrong = await t.call('PUT', '/v1/events', open)
  assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'GET, POST'])
  assert.equal((await t.fail('POST', '/v1/events/inbox')).status, 405)
  assert.equal((await t.fail('GET', '/v1/events/')).status, 404)
  assert.equal((await t.fail('BREW', '/status', open)).status, 405)
  const head = await t.call('HEAD', '/status', open)
  assert.deepEqual([head.status, head.text], [200, ''])
})

test('a problem names its place and its request', async () => {
  const given = await t.call<{ correlation_id: string; instance: string }>('GET', '/v1/events/x', {
    headers: { 'x-request-id': 'trace-1' },
  })
  assert.deepEqual(
    [given.headers.get('x-request-id'), given.body.correlation_id, given.body.instance],
    ['trace-1', 'trace-1', '/v1/events/x'],
  )
  const odd = await t.call('GET', '/status', { ...open, headers: { 'x-request-id': 'a b<script>' } })
  assert.match(odd.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/)
})

test('pages of configured origins may call; others get no leave', async () => {
  const preflight = (origin: string): ReturnType<TestHub['call']> =>
    t.call('OPTIONS', '/v1/events', { ...open, headers: { origin, 'access-control-request-method': 'POST' } })
  const known = await preflight('https://app.example')
  assert.deepEqual([known.status, known.headers.get('access-control-allow-origin')], [204, 'https://app.example'])
  assert.match(known.headers.get('access-control-allow-headers') ?? '', /Idempotency-Key/)
  const stranger = await preflight('https://evil.example')
  assert.deepEqual([stranger.status, stranger.headers.get('access-control-allow-origin')], [405, null])
  const read = await t.call('GET', '/v1/events/inbox', { headers: { origin: 'https://app.example' } })
  assert.equal(read.headers.get('access-control-allow-origin'), 'https://app.example')
  const refused = await t.call('GET', '/v1/events/inbox', { key: null, headers: { origin: 'https://app.example' } })
  assert.deepEqual([refused.status, refused.headers.get('access-control-allow-origin')], [401, 'https://app.example'])
  assert.equal(refused.headers.get('vary'), 'Origin')
})
