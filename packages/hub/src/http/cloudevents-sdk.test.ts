import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Accepted, BatchAccepted } from '@sluice/protocol'
import { CloudEvent, HTTP, type CloudEventV1 } from 'cloudevents'
import fc from 'fast-check'
import { openTestHub, type TestHub } from '../test-hub.ts'

let t: TestHub
let events: string

before(async () => {
  t = await openTestHub({ roles: ['http'] })
  events = `http://127.0.0.1:${t.hub.port}/v1/events`
})
after(() => t.close())

const authorization = (): Record<string, string> => ({ authorization: `Bearer ${t.adminKey}` })

let made = 0
function toEvent(members: Partial<CloudEventV1<unknown>>): CloudEvent<unknown> {
  made += 1
  const own = { id: `sdk-${made}`, source: '/sdk', type: 'sdk.made', time: '2026-01-31T12:00:00.000Z' }
  return new CloudEvent({ ...own, ...members })
}

type Message = { readonly headers: object; readonly body: unknown }

async function send({ headers, body }: Message): Promise<string> {
  const response = await fetch(events, {
    method: 'POST',
    headers: { ...(headers as Record<string, string>), ...authorization() },
    body: (typeof body === 'number' ? String(body) : body) as string, // texts and bytes
  })
  const answer = await response.text()
  assert.equal(response.status, 201, answer)
  return (JSON.parse(answer) as Accepted).event_id
}

async function read(path: string, accept = '*/*'): Promise<Message & { readonly bytes: Buffer }> {
  const response = await fetch(events + path, { headers: { ...authorization(), accept } })
  const bytes = Buffer.from(await response.arrayBuffer())
  assert.equal(response.status, 200, bytes.toString())
  return { headers: Object.fromEntries(response.headers), body: bytes.toString(), bytes }
}

/** What the hub adds, and what the package makes of its own accord. */
function withoutHub(event: CloudEvent<unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(event).filter(([name]) => name !== 'sleventid' && name !== 'recordedtime'))
}

const parse = (message: Message): CloudEvent<unknown> => HTTP.toEvent(message as never) as CloudEvent<unknown>

const data = { total: 42, lines: [{ name: 'Größe "L" 100% 😀' }], none: null }
const members: Partial<CloudEventV1<unknown>> = {
  subject: 'order-7',
  datacontenttype: 'application/json',
  dataschema: 'https://schemas.example/order',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  partitionkey: 'p-1',
}

test('what HTTP.structured sends comes back equal through HTTP.toEvent, structured and binary', async () => {
  const event = toEvent({ ...members, data, sequence: '0001', count: 7, done: true })
  const id = await send(HTTP.structured(event))
  const structured = parse(await read(`/${id}`, 'application/cloudevents+json'))
  assert.deepEqual(withoutHub(structured), withoutHub(event))
  const binary = parse(await read(`/${id}?format=cloudevents-binary`))
  // In fields every value is text.
  assert.deepEqual(withoutHub(binary), { ...withoutHub(event), count: '7', done: 'true' })
})

test('what HTTP.binary sends comes back equal through HTTP.toEvent, structured and binary', async () => {
  const event = toEvent({ ...members, data })
  const id = await send(HTTP.binary(event))
  assert.deepEqual(withoutHub(parse(await read(`/${id}?format=cloudevents-binary`))), withoutHub(event))
  assert.deepEqual(withoutHub(parse(await read(`/${id}?format=cloudevents`))), withoutHub(event))
})

test('bytes come back as they were, whatever mode they came in', async () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
  const event = toEvent({ datacontenttype: 'application/octet-stream', data: bytes })
  for (const message of [HTTP.binary(event), HTTP.structured(event.cloneWith({ id: `${event.id}-s` }))]) {
    const id = await send(message)
    const binary = await read(`/${id}?format=cloudevents-binary`)
    assert.deepEqual([...binary.bytes], [...bytes])
    const structured = JSON.parse(String((await read(`/${id}?format=cloudevents`)).body)) as CloudEventV1<unknown>
    assert.equal(structured.data_base64, event.data_base64)
  }
})

test('texts of other types come back as texts', async () => {
  const event = toEvent({ datacontenttype: 'text/plain', data: 'Größe\n"L"' })
  for (const message of [HTTP.binary(event), HTTP.structured(event.cloneWith({ id: `${event.id}-s` }))]) {
    const id = await send(message)
    assert.equal((await read(`/${id}?format=cloudevents-binary`)).body, 'Größe\n"L"')
    assert.equal(parse(await read(`/${id}?format=cloudevents`)).data, 'Größe\n"L"')
  }
})

test('a batch goes in and comes out equal', async () => {
  const sent = [
    toEvent({ source: '/batch', data }),
    toEvent({ source: '/batch', data: ['x'] }),
    toEvent({ source: '/batch' }),
  ]
  const response = await fetch(`${events}/batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents-batch+json', ...authorization() },
    body: JSON.stringify(sent),
  })
  const answer = (await response.json()) as BatchAccepted
  assert.deepEqual([response.status, answer.accepted], [200, 3])
  const page = await read('?source=%2Fbatch', 'application/cloudevents-batch+json')
  const found = HTTP.toEvent({
    headers: { 'content-type': 'application/cloudevents-batch+json' },
    body: page.body,
  }) as CloudEvent<unknown>[]
  assert.deepEqual(found.map(withoutHub), sent.toReversed().map(withoutHub))
})

test('a native event is a CloudEvent that the package finds valid', async () => {
  const native = { event_type: 'a', payload: { n: 1 }, source: 'Größe 1', actor: { type: 'service', id: 's' } }
  const response = await fetch(events, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization() },
    body: JSON.stringify(native),
  })
  const { event_id: id } = (await response.json()) as Accepted
  const event = parse(await read(`/${id}`, 'application/cloudevents+json'))
  assert.equal(event.validate(), true)
  assert.deepEqual([event.id, event.source, event.data], [id, 'Gr%C3%B6%C3%9Fe%201', { n: 1 }])
})

const json = fc.jsonValue({ noUnicodeString: false }).filter((value) => JSON.stringify(value) !== 'null')
const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .filter((value) => !/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(value))

test('any data, subject and extension come back equal from structured mode, and as the same bytes', async () => {
  await fc.assert(
    fc.asyncProperty(json, text, text, async (value, subject, ext) => {
      const event = toEvent({ data: value, subject, ext, datacontenttype: 'application/json' })
      const body = JSON.stringify({ ...event.toJSON(), data: value })
      const id = await send({ headers: { 'content-type': 'application/cloudevents+json' }, body })
      const structured = JSON.parse(String((await read(`/${id}?format=cloudevents`)).body)) as CloudEventV1<unknown>
      assert.deepEqual(
        [structured.data, structured.subject, structured['ext']],
        [JSON.parse(JSON.stringify(value)), subject, ext],
      )
      const binary = await read(`/${id}?format=cloudevents-binary`)
      assert.equal(binary.body, JSON.stringify(value))
      // Sent on as it is, it is known again.
      const fields = Object.entries(binary.headers).filter(([name]) => /^(ce-|content-type$)/.test(name))
      const again = await fetch(events, {
        method: 'POST',
        headers: { ...Object.fromEntries(fields), ...authorization() },
        body: String(binary.body),
      })
      assert.deepEqual([again.status, ((await again.json()) as Accepted).event_id], [200, id])
    }),
    { numRuns: 50 },
  )
})

test('any bytes come back equal from binary mode', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.constantFrom('image/png', 'text/plain', 'text/csv; charset=iso-8859-1', undefined),
      async (bytes, type) => {
        const { id: ceId } = toEvent({})
        const fields = { 'ce-specversion': '1.0', 'ce-id': ceId, 'ce-source': '/sdk', 'ce-type': 'bytes' }
        const id = await send({
          headers: { ...fields, ...(type !== undefined && { 'content-type': type }) },
          body: bytes,
        })
        const { bytes: back, headers } = await read(`/${id}?format=cloudevents-binary`)
        assert.deepEqual([...back], [...bytes])
        assert.equal((headers as Record<string, string>)['content-type'], type)
      },
    ),
    { numRuns: 50 },
  )
})
