import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { createServer as createSocketServer, type AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import type { Attempt, Event, Inbox, PushTested } from '@sluice/protocol'
import { Webhook } from 'standardwebhooks'
import { eventually } from '../../test-eventually.ts'
import { openTestHub, type TestHub } from '../../test-hub.ts'

type Heard = { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string }

let t: TestHub
let origin: string
let heard: Heard[] = []
let answer: (response: ServerResponse, one: Heard) => void = (response) => void response.end('fine')
const server = createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray()).toString()
  const one = { path: request.url ?? '', headers: request.headers, body }
  heard.push(one)
  answer(response, one)
})
/** Takes a connection and ends it, or speaks what is no TLS. */
const rude = createSocketServer((socket) => void socket.on('error', () => undefined).destroy())

before(async () => {
  for (const one of [server, rude]) {
    one.listen(0, '127.0.0.1')
    await once(one, 'listening')
  }
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  t = await openTestHub({ allowCidr: ['127.0.0.0/8'], roles: ['deliver', 'schedule'], clock: Date.now })
})
after(async () => {
  await t.close()
  server.closeAllConnections()
  server.close()
  rude.close()
})
beforeEach(() => {
  heard = []
  answer = (response) => void response.end('fine')
})

const secret = `whsec_${Buffer.alloc(24, 5).toString('base64')}`
let made = 0

async function put(push: object = {}, change: object = {}): Promise<Inbox> {
  made += 1
  const body = {
    filter: { event_types: [`test.p${made}`] },
    retry: { schedule_seconds: [0] },
    push: { url: `${origin}/p${made}`, secret, ...push },
    ...change,
  }
  const answered = await t.call<Inbox>('PUT', `/v1/inboxes/p${made}`, { body })
  assert.equal(answered.status, 201, answered.text)
  return answered.body
}

async function publish({ key }: Pick<Inbox, 'key'>, payload: object = {}): Promise<string> {
  const { body } = await t.call<Event>('POST', '/v1/events', { body: { event_type: `test.${key}`, payload } })
  return body.event_id
}

const show = async ({ key }: Pick<Inbox, 'key'>): Promise<Inbox> =>
  (await t.call<Inbox>('GET', `/v1/inboxes/${key}`)).body
const attempts = async ({ key }: Pick<Inbox, 'key'>): Promise<Attempt[]> =>
  (await t.call<{ attempts: Attempt[] }>('GET', `/v1/inboxes/${key}/attempts`)).body.attempts
const delivered = (inbox: Inbox): Promise<Attempt[]> =>
  eventually(
    () => attempts(inbox),
    (list) => list.some(({ outcome }) => outcome === 'delivered'),
  )

test('an event is sent, and whoever knows Standard Webhooks can verify it', async () => {
  const inbox = await put({ headers: { authorization: 'Bearer receiver' } })
  const id = await publish(inbox, { n: 7 })
  const [attempt] = await delivered(inbox)
  assert.deepEqual([attempt?.event_id, attempt?.result], [id, 'http-200'])
  const [one, ...more] = heard
  assert.equal(more.length, 0)
  const event = new Webhook(secret).verify(one?.body ?? '', one?.headers as Record<string, string>) as Event
  assert.deepEqual([event.event_id, event.payload], [id, { n: 7 }])
  assert.equal(one?.headers['webhook-id'], id)
  assert.equal(one?.headers.authorization, 'Bearer receiver')
})

test('the public key verifies, too, and stands in a key set', async () => {
  const inbox = await put()
  await publish(inbox)
  await delivered(inbox)
  const [one] = heard
  const { body: set } = await t.call<{ keys: JsonWebKey[] }>('GET', '/.well-known/jwks.json', { key: null })
  const key = await crypto.subtle.importKey('jwk', set.keys[0] ?? {}, 'Ed25519', false, ['verify'])
  const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signatures } = one?.headers ?? {}
  const signature =
    String(signatures)
      .split(' ')
      .find((text) => text.startsWith('v1a,'))
      ?.slice(4) ?? ''
  const signed = Buffer.from(`${String(id)}.${String(at)}.${one?.body}`)
  assert.ok(await crypto.subtle.verify('Ed25519', key, Buffer.from(signature, 'base64'), signed))
  assert.equal(inbox.door?.public_key, `whpk_${Buffer.from(set.keys[0]?.x ?? '', 'base64url').toString('base64')}`)
  const { body: other } = await t.call<{ keys: JsonWebKey[] }>('GET', '/.well-known/jwks.json?workspace=other', {
    key: null,
  })
  assert.notEqual(other.keys[0]?.x, set.keys[0]?.x)
})

test('a secret is shown once, and followed by another one with an overlap', async () => {
  made += 1
  const key = `p${made}`
  const body = { filter: { event_types: [`test.${key}`] }, push: { url: `${origin}/${key}` } }
  const { body: inbox } = await t.call<Inbox>('PUT', `/v1/inboxes/${key}`, { body })
  const first = inbox.secret ?? assert.fail('no secret')
  assert.equal((await t.call<Inbox>('PUT', `/v1/inboxes/${key}`, { body })).status, 200)
  for (const shown of [
    await show(inbox),
    (await t.call('GET', '/v1/inboxes')).body,
    (await t.call('GET', '/v1/audit')).body,
  ])
    assert.ok(!JSON.stringify(shown).includes(first))
  const { body: rotated } = await t.call<{ secret: string }>('POST', `/v1/inboxes/${key}/secret/rotate`)
  await publish(inbox)
  await delivered(inbox)
  for (const one of [first, rotated.secret])
    assert.ok(new Webhook(one).verify(heard[0]?.body ?? '', heard[0]?.headers as Record<string, string>))
  await t.call('POST', `/v1/inboxes/${key}/secret/rotate`, { body: { overlap_seconds: 0, secret } })
  heard = []
  await publish(inbox)
  await eventually(
    () => heard.length,
    (count) => count > 0,
  )
  const headers = heard[0]?.headers as Record<string, string>
  assert.ok(new Webhook(secret).verify(heard[0]?.body ?? '', headers))
  const count = headers['webhook-signature']?.split(' ').filter((text) => text.startsWith('v1,')).length
  assert.equal(count, 1, 'without an overlap all that came before are over')
})

test('CloudEvents are sent where they are asked for', async () => {
  const inbox = await put({ format: 'cloudevents' })
  const id = await publish(inbox, { n: 1 })
  await delivered(inbox)
  assert.match(heard[0]?.headers['content-type'] ?? '', /^application\/cloudevents\+json/)
  const event = JSON.parse(heard[0]?.body ?? '')
  assert.deepEqual([event.specversion, event.id, event.type, event.data], ['1.0', id, `test.${inbox.key}`, { n: 1 }])
})

test('a failure is tried again with the same body; its answer is told, and not all of it', async () => {
  answer = (response) =>
    void response.writeHead(heard.length === 1 ? 500 : 204).end('x'.repeat(heard.length === 1 ? 9000 : 0))
  const inbox = await put()
  await publish(inbox, { n: 1 })
  const [last, first] = await delivered(inbox)
  assert.deepEqual([first?.result, first?.outcome, last?.result], ['http-500', 'released', 'http-204'])
  assert.ok((first?.reason?.length ?? 9999) < 600)
  assert.equal(heard[0]?.body, heard[1]?.body)
  assert.deepEqual(
    heard.map(({ headers }) => headers['webhook-attempt']),
    ['1', '2'],
  )
})

test('410 disables the inbox, and its events wait', async () => {
  answer = (response) => void response.writeHead(410).end()
  const inbox = await put()
  await publish(inbox)
  const gone = await eventually(
    () => show(inbox),
    ({ status, leased }) => status === 'disabled' && leased === 0,
  )
  assert.match(gone.door?.reason ?? '', /410/)
  assert.deepEqual([gone.waiting, gone.dead], [1, 0])
  answer = (response) => void response.end()
  await t.call('POST', `/v1/inboxes/${inbox.key}/resume`)
  assert.equal((await delivered(inbox))[0]?.attempt, 1)
})

test('Retry-After is honoured, for the whole inbox', async () => {
  answer = (response) => void response.writeHead(heard.length === 1 ? 429 : 200, { 'retry-after': '7' }).end()
  const inbox = await put({ concurrency: 1 })
  await publish(inbox)
  await publish(inbox)
  const held = await eventually(
    () => show(inbox),
    ({ door }) => door?.reason !== null,
  )
  assert.match(held.door?.reason ?? '', /^waits until .*http-429/)
  assert.equal(heard.length, 1)
})

const hostile: readonly (readonly [
  what: string,
  result: RegExp,
  act: (response: ServerResponse) => void,
  push?: object,
])[] = [
  ['hangs', /^timed-out/, () => undefined],
  ['answers drop by drop', /^timed-out/, (response) => void setInterval(() => response.write('.'), 50).unref()],
  [
    'redirects to the metadata of a cloud',
    /^http-302/,
    (response) => void response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
  ],
  ['cuts the connection', /^not-reached/, (response) => void response.destroy()],
]
for (const [what, result, act] of hostile) {
  test(`a receiver that ${what} has failed, and the others do not wait for it`, async () => {
    answer = (response, { path }) => (path === '/others' ? void response.end() : act(response))
    const inbox = await put({ timeout_seconds: 1, concurrency: 2 }, { max_attempts: 1 })
    const others = await put({ url: `${origin}/others` })
    for (let n = 0; n < 4; n += 1) await publish(inbox)
    await publish(others)
    await delivered(others)
    const list = await eventually(
      () => attempts(inbox),
      (all) => all.length === 4,
    )
    for (const { result: seen, outcome } of list) {
      assert.match(seen ?? '', result)
      assert.equal(outcome, 'dead')
    }
  })
}

test('an answer of 20 MB is not read to its end', async () => {
  let written = 0
  answer = (response) => {
    const chunk = Buffer.alloc(64 * 1024)
    const more = (): void => {
      while (written < 20 * 1024 * 1024 && !response.destroyed) {
        written += chunk.length
        if (!response.write(chunk)) return void response.once('drain', more)
      }
      response.end()
    }
    response.on('error', () => undefined)
    more()
  }
  const inbox = await put()
  await publish(inbox)
  await delivered(inbox)
  assert.ok(written < 20 * 1024 * 1024, `${written} bytes were taken`)
})

test('bad TLS and a port where nobody is are failures like others', async () => {
  const port = (rude.address() as AddressInfo).port
  for (const url of [`https://127.0.0.1:${port}/`, 'http://127.0.0.1:1/']) {
    const inbox = await put({ url }, { max_attempts: 1 })
    await publish(inbox)
    const [attempt] = await eventually(
      () => attempts(inbox),
      (list) => list.length > 0,
    )
    assert.equal(attempt?.result, 'not-reached')
  }
})

test('an address that may not be reached is refused when it is put', async () => {
  const refuse = async (push: object) => t.fail('PUT', '/v1/inboxes/never', { body: { push } })
  for (const url of [
    'http://169.254.169.254/latest',
    'http://10.0.0.1/',
    'http://[::1]/',
    'http://[fd00::1]/',
    'http://0x0a000001/',
  ])
    assert.deepEqual(
      (await refuse({ url })).errors?.map(({ pointer }) => pointer),
      ['/push/url'],
      url,
    )
  for (const push of [
    { url: 'ftp://a.example' },
    { url: 'https://u:p@a.example/' },
    { url: origin, headers: { 'Webhook-Id': 'x' } },
    { url: origin, secret: 'short' },
  ])
    assert.equal((await refuse(push)).status, 400)
  const both = { url: origin }
  const action = { integration: 'none', action: 'none' }
  assert.equal((await t.fail('PUT', '/v1/inboxes/never', { body: { push: both, action } })).status, 400)
})

test('an address that may not be reached is not connected to, however it came there', async () => {
  const inbox = await put({}, { max_attempts: 1 })
  const { store } = t.hub
  const workspace = await store.findWorkspace('default')
  const row = await store.findInbox(workspace?.id ?? 0, inbox.key)
  assert.ok(workspace && row)
  const settings = { ...row.settings, push: { url: 'http://169.254.169.254/latest' } }
  await store.updateInbox(workspace.id, inbox.key, { settings })
  await publish(inbox)
  const [attempt] = await eventually(
    () => attempts(inbox),
    (list) => list.length > 0,
  )
  assert.equal(attempt?.result, 'address-refused')
})

test('an example is sent on demand, and its answer shown', async () => {
  const inbox = await put()
  answer = (response) => void response.writeHead(418).end('a teapot')
  const { body } = await t.call<PushTested>('POST', `/v1/inboxes/${inbox.key}/test`)
  assert.deepEqual([body.ok, body.result, body.detail], [false, 'http-418', 'a teapot'])
  assert.ok(new Webhook(secret).verify(heard[0]?.body ?? '', heard[0]?.headers as Record<string, string>))
  const plain = await t.fail('POST', '/v1/inboxes/default/test')
  assert.equal(plain.error_code, 'conflict')
})

test('inboxes that wait for their rate are no reason for others to wait', async () => {
  const slow = await Promise.all(Array.from({ length: 40 }, () => put({ rate: 0.01 })))
  const quick = await put()
  const bodies = slow.flatMap(({ key }) =>
    Array.from({ length: 8 }, () => ({ event_type: `test.${key}`, payload: {} })),
  )
  for (let at = 0; at < bodies.length; at += 80)
    await t.call('POST', '/v1/events/batch', { body: bodies.slice(at, at + 80) })
  await eventually(
    () => new Set(heard.map(({ path }) => path)).size,
    (count) => count === slow.length,
  )
  await eventually(
    async () => (await Promise.all(slow.map(show))).reduce((sum, { leased }) => sum + leased, 0),
    (leased) => leased === 0,
  )
  await publish(quick)
  await delivered(quick)
  assert.equal(heard.length, slow.length + 1)
})

test('a rate spreads what is there already', async () => {
  const inbox = await put({ rate: 20 })
  for (let n = 0; n < 12; n += 1) await publish(inbox, { n })
  const list = await eventually(
    () => attempts(inbox),
    ({ length }) => length === 12,
  )
  assert.ok(list.every(({ outcome }) => outcome === 'delivered'))
})
