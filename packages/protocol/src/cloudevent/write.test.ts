import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  parseBinaryCloudEvent,
  parseStructuredCloudEvent,
  toBinaryCloudEvent,
  toCloudEventBatch,
  toStructuredCloudEvent,
} from '../cloudevent.ts'
import type { Event } from '../event.ts'
import { toUriReference } from './grammar.ts'

type Members = Record<string, unknown>

const here = { source: '/workspaces/default' }

function read(text: string): Event {
  return JSON.parse(parseStructuredCloudEvent({ text, start: 0, value: JSON.parse(text) }).text)
}

const readObject = (members: Members): Event =>
  read(JSON.stringify({ specversion: '1.0', id: 'i-1', source: '/shop', type: 'order.created', ...members }))

const full = {
  event_id: '019c0000-0000-8000-8000-000000000001',
  timestamp: '2026-01-31T12:00:01.000Z',
  event_type: 'order.created',
  payload: { total: 42 },
  source: 'shop',
  subject: 'order-7',
  occurred_at: '2026-01-31T12:00:00Z',
  metadata: { region: 'eu', ü: ['%'] },
  actor: { type: 'user', id: 'u-1' },
  identity: { id: 'i', email: 'e@example.org', phone: '+1', external_id: 'x' },
  entity: { type: 'order', id: '7' },
  correlation_id: 'c-1',
  external_event_id: 'x-1',
  channel: 'ch',
  attempt: 2,
}

test('a native event goes out as a CloudEvent with an extension for each member that has no attribute', () => {
  assert.deepEqual(JSON.parse(toStructuredCloudEvent(JSON.stringify(full), here)), {
    specversion: '1.0',
    id: 'x-1',
    source: 'shop',
    type: 'order.created',
    time: '2026-01-31T12:00:00Z',
    subject: 'order-7',
    datacontenttype: 'application/json',
    sleventid: '019c0000-0000-8000-8000-000000000001',
    correlationid: 'c-1',
    authtype: 'user',
    authid: 'u-1',
    slchannel: 'ch',
    slentitytype: 'order',
    slentityid: '7',
    slidentityid: 'i',
    slidentityemail: 'e@example.org',
    slidentityphone: '+1',
    slidentityextid: 'x',
    slmetadata: '{"region":"eu","ü":["%"]}',
    recordedtime: '2026-01-31T12:00:01.000Z',
    slattempt: 2,
    data: { total: 42 },
  })
})

test('what goes out and comes in again has lost nothing but what the hub said', () => {
  for (const type of ['user', 'service', 'third-party'] as const) {
    const event = { ...full, actor: { type, id: 'a' } }
    const { event_id: _id, timestamp, attempt: _attempt, ...said } = event
    const back = read(toStructuredCloudEvent(JSON.stringify(event), here))
    const { cloudevent, ...members } = back
    assert.deepEqual(members, said)
    assert.equal(cloudevent?.extensions?.['recordedtime'], timestamp)
    const { headers, body } = toBinaryCloudEvent(JSON.stringify(event), here)
    const binary = parseBinaryCloudEvent({
      fields: Object.entries(headers),
      contentType: headers['content-type'],
      body,
    })
    assert.deepEqual(
      { ...(JSON.parse(binary.text) as Event), cloudevent: undefined },
      { ...said, cloudevent: undefined },
    )
  }
})

test('an event without a source and an id of its own gets those of the hub', () => {
  const plain = { event_id: 'e-1', timestamp: full.timestamp, event_type: 't', payload: {} }
  const { id, source, sleventid } = JSON.parse(toStructuredCloudEvent(JSON.stringify(plain), here)) as Members
  assert.deepEqual([id, source, sleventid], ['e-1', '/workspaces/default', undefined])
  const named = JSON.parse(toStructuredCloudEvent(JSON.stringify({ ...plain, source: 'Shop 1' }), here)) as Members
  assert.deepEqual([named['id'], named['source']], ['e-1', 'Shop%201'])
  const external = JSON.parse(
    toStructuredCloudEvent(JSON.stringify({ ...plain, external_event_id: 'x' }), here),
  ) as Members
  assert.deepEqual([external['id'], external['slexternalid']], ['e-1', 'x'])
})

test('extensions that know an actor or a correlation fill ours and go out as they came', () => {
  const event = readObject({
    authtype: 'app_user',
    authid: 'a',
    correlationid: 'c',
    recordedtime: '2020-01-01T00:00:00Z',
  })
  assert.deepEqual([event.actor, event.correlation_id], [{ type: 'user', id: 'a' }, 'c'])
  const out = JSON.parse(
    toStructuredCloudEvent(JSON.stringify({ ...event, event_id: 'e', timestamp: full.timestamp }), here),
  ) as Members
  assert.deepEqual([out['authtype'], out['recordedtime']], ['app_user', '2020-01-01T00:00:00Z'])
  assert.equal(readObject({ authtype: 'unknown', authid: 'a' }).actor, undefined)
  assert.equal(readObject({ correlationid: 'x'.repeat(256) }).correlation_id, undefined)
})

test('what another hub said about its copy is not taken over', () => {
  const event = readObject({ sleventid: 'theirs', slattempt: 3 })
  assert.equal(event.cloudevent?.extensions, undefined)
  const out = JSON.parse(toStructuredCloudEvent(JSON.stringify({ ...event, event_id: 'ours' }), here)) as Members
  assert.equal(out['sleventid'], 'ours')
})

test('binary out: content type and fields', () => {
  const wire = (members: Members): string => JSON.stringify({ event_id: 'e', event_type: 't €', ...members })
  const text = toBinaryCloudEvent(wire({ payload: 'a "b"', cloudevent: { datacontenttype: 'text/plain' } }), here)
  assert.deepEqual([text.headers['content-type'], Buffer.from(text.body).toString()], ['text/plain', 'a "b"'])
  assert.equal(text.headers['ce-type'], 't%20%E2%82%AC')
  assert.equal(text.headers['ce-datacontenttype'], undefined)
  const implied = toBinaryCloudEvent(wire({ payload: 'a', cloudevent: {} }), here)
  assert.deepEqual([implied.headers['content-type'], Buffer.from(implied.body).toString()], ['application/json', '"a"'])
  const bytes = toBinaryCloudEvent(wire({ payload_base64: 'AAE=', cloudevent: {} }), here)
  assert.deepEqual([bytes.headers['content-type'], [...bytes.body]], [undefined, [0, 1]])
  assert.equal(toBinaryCloudEvent(wire({ cloudevent: {} }), here).body.byteLength, 0)
})

test('a batch is an array, also of nothing', () => {
  const wire = JSON.stringify({ event_id: 'e', event_type: 't', payload: {} })
  assert.equal(toCloudEventBatch([], here), '[]')
  assert.equal((JSON.parse(toCloudEventBatch([wire, wire], here)) as unknown[]).length, 2)
})

test('what our events may hold and CloudEvents may not is replaced, and in metadata escaped', () => {
  const event = { event_id: 'e', event_type: 'a\u0085b', payload: {}, metadata: { '\ufffe': '\u{1ffff}\u0085' } }
  const text = JSON.stringify(event).replace('"metadata":{', '"metadata":{\t')
  const { type, slmetadata } = JSON.parse(toStructuredCloudEvent(text, here)) as Members
  assert.equal(type, 'a\ufffdb')
  assert.match(String(slmetadata), /^[\u0020-\u007e]*$/)
  assert.deepEqual(read(toStructuredCloudEvent(text, here)).metadata, event.metadata)
})

const short = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
  .filter((text) => !/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(text))
const newEvent = fc.record(
  {
    event_type: short,
    payload: fc.dictionary(fc.string(), fc.jsonValue()),
    source: short.map(toUriReference),
    external_event_id: short,
    subject: short,
    occurred_at: fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) })
      .map((date) => date.toISOString()),
    metadata: fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ noUnicodeString: false })),
    actor: fc.record({ type: fc.constantFrom('user', 'service', 'third-party'), id: short }),
    identity: fc.record({ id: short, email: short, phone: short, external_id: short }, { requiredKeys: ['id'] }),
    entity: fc.record({ type: short, id: short }),
    correlation_id: short,
    channel: short,
  },
  { requiredKeys: ['event_type', 'payload', 'source', 'external_event_id'] },
)

test('any native event comes back from structured and from binary mode with all its members', () => {
  fc.assert(
    fc.property(newEvent, (event) => {
      const text = JSON.stringify({ event_id: 'e', timestamp: full.timestamp, ...event })
      const said: unknown = JSON.parse(JSON.stringify(event))
      const { cloudevent: _rest, ...structured } = read(toStructuredCloudEvent(text, here))
      assert.deepEqual(structured, said)
      const { headers, body } = toBinaryCloudEvent(text, here)
      const parsed = parseBinaryCloudEvent({
        fields: Object.entries(headers),
        contentType: headers['content-type'],
        body,
      })
      const { cloudevent: _fields, ...binary } = JSON.parse(parsed.text) as Event
      assert.deepEqual(binary, said)
    }),
  )
})
