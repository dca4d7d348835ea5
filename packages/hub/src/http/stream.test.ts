import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Accepted, Event, EventPage, Inbox, KeyWithSecret, Lease, LeasedEvent } from '@sluice/protocol'
import { openTestHub, type TestHub } from '../test-hub.ts'

let t: TestHub

before(async () => {
  t = await openTestHub()
})
after(() => t.close())

type Frame = { readonly id: string; readonly event: string; readonly data: unknown }
type Stream = {
  readonly next: () => Promise<Frame | undefined>
  readonly cancel: () => Promise<void>
  readonly headers: Headers
}

async function open(path: string, key: string | null, headers: Record<string, string> = {}): Promise<Stream> {
  const authorization: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` }
  const response = await t.hub.app.request(path, { headers: { ...authorization, ...headers } })
  assert.equal(response.status, 200, await (response.status === 200 ? '' : response.text()))
  assert.ok(response.body)
  // A piped decoder would read ahead, and what has been read counts as sent.
  const reader = response.body.getReader()
  return {
    headers: response.headers,
    cancel: () => reader.cancel(),
    next: async () => {
      for (;;) {
        const { value: bytes, done } = await reader.read()
        if (done) return undefined
        const value = new TextDecoder().decode(bytes)
        const fields = new Map(
          value
            .trimEnd()
            .split('\n')
            .map((line) => line.split(/: (.*)/s, 2) as [string, string]),
        )
        const data = fields.get('data')
        if (data !== undefined)
          return { id: fields.get('id') ?? '', event: fields.get('event') ?? '', data: JSON.parse(data) }
      }
    },
  }
}

async function fill(name: string, count: number): Promise<string> {
  await t.call('PUT', `/v1/workspaces/${name}`)
  const key = await t.makeKey({ workspace: name, role: 'admin' })
  for (let n = 1; n <= count; n += 1) await publish(key, n)
  return key
}

async function publish(key: string, n: number): Promise<Accepted> {
  return (await t.call<Accepted>('POST', '/v1/events', { key, body: { event_type: 'n', payload: { n } } })).body
}

/** What the next frame of a follower holds. */
async function nextEvent(stream: Stream): Promise<Event> {
  return (await nextFrame(stream)).data as Event // a follower's frame holds an event
}

const numberOf = (event: unknown): unknown => (event as Event).payload['n']

async function nextFrame(stream: Stream): Promise<Frame> {
  const frame = await stream.next()
  assert.ok(frame, 'the stream has ended')
  return frame
}

test('follows an inbox from where it stands, and what comes later; takes nothing', async () => {
  const key = await fill('follow', 2)
  await t.call('POST', '/v1/inboxes/default/lease', { key, body: { limit: 1 } })
  const stream = await open('/v1/inboxes/default/stream', key)
  assert.equal(stream.headers.get('content-type'), 'text/event-stream')
  const first = await nextFrame(stream)
  assert.deepEqual([first.event, numberOf(first.data)], ['event', 2])
  const coming = nextEvent(stream)
  const { event_id: id } = await publish(key, 3)
  assert.equal((await coming).event_id, id)
  await stream.cancel()
  const { body } = await t.call<Inbox>('GET', '/v1/inboxes/default', { key })
  assert.deepEqual([body.leased, body.behind], [1, 2])
})

test('the id of a frame is the cursor: Last-Event-ID and polling go on after it', async () => {
  const key = await fill('resume', 3)
  const stream = await open('/v1/inboxes/default/stream?from=earliest', key)
  const first = await nextFrame(stream)
  await stream.cancel()
  const cursor = first.id
  const resumed = await open('/v1/inboxes/default/stream?from=earliest', key, { 'last-event-id': cursor })
  assert.equal(numberOf(await nextEvent(resumed)), 2)
  await resumed.cancel()
  const given = await open(`/v1/inboxes/default/stream?cursor=${cursor}`, key)
  assert.equal(numberOf(await nextEvent(given)), 2)
  await given.cancel()
  const polled = await t.call<EventPage>('GET', `/v1/events/inbox?cursor=${cursor}`, { key })
  assert.deepEqual(
    polled.body.events.map(({ payload }) => payload['n']),
    [2, 3],
  )
})

test('from=latest waits for news; the filter of the inbox holds, and its change too', async () => {
  const key = await fill('latest', 2)
  const filter = { payload: [{ pointer: '/n', gte: 4 }] }
  await t.call('PUT', '/v1/inboxes/big', { key, body: { filter } })
  const stream = await open('/v1/inboxes/big/stream?from=latest', key)
  const coming = nextEvent(stream)
  await publish(key, 3)
  await publish(key, 4)
  assert.equal(numberOf(await coming), 4)
  await stream.cancel()
})

type LeaseFrame = { readonly lease_id: string; readonly leased_until: string; readonly event: LeasedEvent }

async function nextLease(stream: Stream): Promise<LeaseFrame> {
  return (await nextFrame(stream)).data as LeaseFrame // what a leasing stream sends
}

test('with lease_seconds it competes for work: a lease in each frame, and no more than the limit out at a time', async () => {
  const key = await fill('work', 3)
  const stream = await open('/v1/inboxes/default/stream?lease_seconds=60&limit=2', key)
  const [first, second] = [await nextLease(stream), await nextLease(stream)]
  assert.deepEqual([first.event.payload['n'], second.event.payload['n']], [1, 2])
  assert.deepEqual([first.event.attempt, first.lease_id], [1, second.lease_id])
  assert.equal(first.leased_until, new Date(t.hub.store.nowMs() + 60_000).toISOString())
  let third: LeaseFrame | undefined
  const coming = nextLease(stream).then((frame) => (third = frame))
  const { body } = await t.call<Inbox>('GET', '/v1/inboxes/default', { key })
  assert.deepEqual([body.leased, body.behind, third], [2, 1, undefined])
  await t.call('POST', '/v1/inboxes/default/ack', {
    key,
    body: { lease_id: first.lease_id, event_ids: [first.event.event_id] },
  })
  assert.equal((await coming).event.payload['n'], 3)
  await stream.cancel()
})

test('an acknowledgement by DELETE makes room too', async () => {
  const key = await fill('room', 2)
  const stream = await open('/v1/inboxes/default/stream?lease_seconds=60&limit=1', key)
  const first = await nextLease(stream)
  const coming = nextLease(stream)
  await t.call('DELETE', `/v1/events/${first.event.event_id}`, { key })
  assert.equal((await coming).event.payload['n'], 2)
  await stream.cancel()
})

test('what was leased and not sent is given back when the reader goes, at no cost', async () => {
  const key = await fill('give-back', 3)
  const stream = await open('/v1/inboxes/default/stream?lease_seconds=60&limit=3', key)
  await stream.next()
  await stream.cancel()
  const { body } = await t.call<Lease>('POST', '/v1/inboxes/default/lease', { key, body: {} })
  assert.deepEqual(
    body.events.map(({ payload, attempt }) => [payload['n'], attempt]),
    [
      [2, 1],
      [3, 1],
    ],
  )
})

test('competing for work takes a role that may consume', async () => {
  const key = await t.makeKey({ role: 'viewer' })
  const problem = await t.fail('GET', '/v1/inboxes/default/stream?lease_seconds=60', { key })
  assert.deepEqual([problem.status, problem.error_code], [403, 'forbidden'])
})

test('a ticket opens the stream of its inbox without a key, for a minute', async () => {
  const key = await fill('ticket', 1)
  await t.call('PUT', '/v1/inboxes/other', { key })
  type Ticket = { ticket: string; expires_at: string }
  const { body } = await t.call<Ticket>('POST', '/v1/inboxes/default/stream/ticket', { key })
  assert.equal(body.expires_at, new Date(t.hub.store.nowMs() + 60_000).toISOString())
  const stream = await open(`/v1/inboxes/default/stream?ticket=${body.ticket}`, null)
  assert.equal(numberOf(await nextEvent(stream)), 1)
  await stream.cancel()
  const refused = async (path: string): Promise<number> => (await t.fail('GET', path, { key: null })).status
  assert.equal(await refused(`/v1/inboxes/other/stream?ticket=${body.ticket}`), 401)
  assert.equal(await refused(`/v1/inboxes/default/stream?ticket=${body.ticket}x`), 401)
  assert.equal(await refused(`/v1/inboxes/default/events?ticket=${body.ticket}`), 401)
  assert.equal(await refused('/v1/inboxes/default/stream'), 401)
  t.advance(60_000)
  assert.equal(await refused(`/v1/inboxes/default/stream?ticket=${body.ticket}`), 401)
})

test('a stream ends when its key is revoked', async () => {
  const made = await t.call<KeyWithSecret>('POST', '/v1/keys', { body: { user_id: 'u', role: 'viewer' } })
  const stream = await open('/v1/inboxes/default/stream?from=latest', made.body.api_key)
  const ending = stream.next()
  await t.call('DELETE', `/v1/keys/${made.body.key_id}`)
  assert.equal(await ending, undefined)
})

test('a stream ends when its inbox is removed', async () => {
  const key = await fill('removed', 0)
  await t.call('PUT', '/v1/inboxes/short', { key })
  const [following, leasing] = await Promise.all([
    open('/v1/inboxes/short/stream', key),
    open('/v1/inboxes/short/stream?lease_seconds=5', key),
  ])
  const ending = Promise.all([following.next(), leasing.next()])
  await t.call('DELETE', '/v1/inboxes/short', { key })
  assert.deepEqual(await ending, [undefined, undefined])
})
