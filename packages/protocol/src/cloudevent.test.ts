import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  parseBinaryCloudEvent,
  parseStructuredCloudEvent,
  toBinaryCloudEvent,
  toStructuredCloudEvent,
} from './cloudevent.ts'
import { HubError } from './error.ts'
import type { Event } from './event.ts'
import type { Fault } from './problem.ts'

type Members = Record<string, unknown>

const minimal = { specversion: '1.0', id: 'i-1', source: '/shop', type: 'order.created' }
const here = { source: '/workspaces/default' }

function read(text: string): Event {
  return JSON.parse(parseStructuredCloudEvent({ text, start: 0, value: JSON.parse(text) }).text)
}

const readObject = (members: Members): Event => read(JSON.stringify({ ...minimal, ...members }))

type Binary = {
  readonly contentType?: string
  readonly body?: string | Uint8Array
  readonly fields?: Record<string, string>
}

function readFields({ contentType, body = '', fields = {} }: Binary): Event {
  const own = Object.entries(minimal).map(([name, value]): [string, string] => [`ce-${name}`, value])
  const message = {
    fields: [...own.filter(([name]) => !(name in fields)), ...Object.entries(fields)],
    contentType,
    body: typeof body === 'string' ? Buffer.from(body) : body,
  }
  return JSON.parse(parseBinaryCloudEvent(message).text)
}

function faultsOf(act: () => unknown): Record<string, string> {
  try {
    act()
  } catch (error) {
    assert.ok(error instanceof HubError, String(error))
    assert.equal(error.code, 'validation-error')
    return Object.fromEntries((error.errors ?? []).map(({ pointer, detail }: Fault) => [pointer, detail]))
  }
  return {}
}

const pointersOf = (act: () => unknown): string[] => Object.keys(faultsOf(act))

test('attributes become members of our event, the rest stands in `cloudevent`', () => {
  const event = readObject({
    subject: 's',
    time: '2026-01-31T12:00:00.123456+02:00',
    datacontenttype: 'application/vnd.x+json',
    dataschema: 'https://schemas.example/order',
    data: { total: 42 },
    partitionkey: 'p',
    priority: 7,
    urgent: false,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  })
  assert.deepEqual(event, {
    event_type: 'order.created',
    source: '/shop',
    subject: 's',
    occurred_at: '2026-01-31T12:00:00.123456+02:00',
    external_event_id: 'i-1',
    payload: { total: 42 },
    cloudevent: {
      datacontenttype: 'application/vnd.x+json',
      dataschema: 'https://schemas.example/order',
      extensions: {
        partitionkey: 'p',
        priority: 7,
        urgent: false,
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      },
    },
  })
})

test('data and extensions keep the very characters in which they came', () => {
  const data = '{ "n" : 12345678901234567890, "f":1.0,"e":1e2, "s":"\\u00e4\\/" }'
  const text = `{"id":"\\u0069","source":"/s","type":"t","specversion":"1.0","data":${data},"ext":"\\u00e9"}`
  const { text: stored } = parseStructuredCloudEvent({ text, start: 0, value: JSON.parse(text) })
  assert.ok(stored.includes(`"payload":${data}`), stored)
  const out = toStructuredCloudEvent(`{"event_id":"e",${stored.slice(1)}`, here)
  assert.ok(out.includes(`"data":${data}`), out)
  assert.ok(out.includes('"ext":"\\u00e9"'), out)
  const { body } = toBinaryCloudEvent(`{"event_id":"e",${stored.slice(1)}`, here)
  assert.equal(Buffer.from(body).toString(), data)
})

test('line breaks between tokens become blanks: an event is one line', () => {
  const text = JSON.stringify({ ...minimal, data: { a: [1, '\n'] } }, undefined, 2)
  const { text: stored } = parseStructuredCloudEvent({ text, start: 0, value: JSON.parse(text) })
  assert.doesNotMatch(stored, /[\r\n]/)
  assert.deepEqual((JSON.parse(stored) as Event).payload, { a: [1, '\n'] })
})

test('null is an absent attribute, but null data is data', () => {
  const event = readObject({ subject: null, time: null, ext: null, data_base64: null, data: null })
  assert.deepEqual(Object.keys(event), ['event_type', 'source', 'external_event_id', 'payload', 'cloudevent'])
  assert.deepEqual([event.payload, event.cloudevent], [null, {}])
  assert.equal('payload' in readObject({}), false)
  assert.deepEqual(
    pointersOf(() => readObject({ id: null, type: null })),
    ['/id', '/type'],
  )
})

test('data is never there twice; what a writer prints as null does not count', () => {
  assert.deepEqual(
    pointersOf(() => readObject({ data: 1, data_base64: 'AA==' })),
    ['/data'],
  )
  assert.deepEqual({ ...readObject({ data: null, data_base64: 'AAH/' }) }.payload_base64, 'AAH/')
  assert.equal(readObject({ data: 1, data_base64: null }).payload as unknown, 1)
  for (const bad of ['A', 'AA', 'A===', 'AA=A', 'A\nA=', 'A-_=', 7, {}])
    assert.deepEqual(
      pointersOf(() => readObject({ data_base64: bad })),
      ['/data_base64'],
      JSON.stringify(bad),
    )
})

test('a string of data with a JSON type is a JSON string, not JSON to be read again', () => {
  const event = readObject({ datacontenttype: 'application/json', data: '{"a":1}' })
  assert.equal(event.payload as unknown, '{"a":1}')
  const wire = JSON.stringify(event)
  assert.equal(Buffer.from(toBinaryCloudEvent(wire, here).body).toString(), '"{\\"a\\":1}"')
})

test('what is required is named when it is missing, all faults at once', () => {
  assert.deepEqual(
    pointersOf(() => read('{}')),
    ['/specversion', '/id', '/source', '/type'],
  )
  assert.deepEqual(
    pointersOf(() => parseBinaryCloudEvent({ fields: [], contentType: undefined, body: new Uint8Array() })),
    ['header.ce-specversion', 'header.ce-id', 'header.ce-source', 'header.ce-type'],
  )
  const many = {
    specversion: '0.3',
    id: 5,
    source: 'a b',
    type: '',
    time: 'now',
    subject: '\n',
    dataschema: '/x',
    A: 1,
  }
  assert.deepEqual(pointersOf(() => readObject(many)).toSorted(), [
    '/A',
    '/dataschema',
    '/id',
    '/source',
    '/specversion',
    '/subject',
    '/time',
    '/type',
  ])
})

const refused: readonly (readonly [Members, pointer: string, detail: RegExp])[] = [
  [{ specversion: '0.3' }, '/specversion', /must be 1\.0/],
  [{ specversion: 1 }, '/specversion', /string/],
  [{ id: '' }, '/id', /empty/],
  [{ id: 'x'.repeat(256) }, '/id', /255/],
  [{ source: '' }, '/source', /empty/],
  [{ source: 'my shop' }, '/source', /URI-reference/],
  [{ source: '/größe' }, '/source', /URI-reference/],
  [{ source: `/${'x'.repeat(255)}` }, '/source', /255/],
  [{ type: 'sluice.made' }, '/type', /reserved/],
  [{ type: 'x'.repeat(256) }, '/type', /255/],
  [{ type: 'a\u0007' }, '/type', /control/],
  [{ type: '\ud800' }, '/type', /surrogate/],
  [{ subject: '' }, '/subject', /empty/],
  [{ subject: 'x'.repeat(256) }, '/subject', /255/],
  [{ time: '2026-02-30T00:00:00Z' }, '/time', /RFC 3339/],
  [{ datacontenttype: 'json' }, '/datacontenttype', /media type/],
  [{ dataschema: 'order.json' }, '/dataschema', /absolute/],
  [{ Ext: 'x' }, '/Ext', /a to z/],
  [{ my_ext: 'x' }, '/my_ext', /a to z/],
  [{ 'a/b': 'x' }, '/a~1b', /a to z/],
  [{ ['x'.repeat(101)]: 'x' }, `/${'x'.repeat(100)}`, /100/],
  [{ ext: 1.5 }, '/ext', /integer/],
  [{ ext: 2 ** 31 }, '/ext', /32 bits/],
  [{ ext: {} }, '/ext', /string/],
  [{ ext: [] }, '/ext', /string/],
  [{ ext: 'a\nb' }, '/ext', /control/],
  [{ ext: 'x'.repeat(4097) }, '/ext', /4096/],
  [{ slmetadata: '[1]' }, '/slmetadata', /object/],
  [{ slmetadata: '{' }, '/slmetadata', /object/],
  [{ slidentityemail: '' }, '/slidentityemail', /empty/],
  [{ slentityid: '7' }, '/slentitytype', /sibling/],
  [{ slchannel: 7 }, '/slchannel', /string/],
]

for (const [members, pointer, detail] of refused) {
  test(`refused by attribute: ${JSON.stringify(members).slice(0, 60)}`, () => {
    const faults = faultsOf(() => readObject(members))
    assert.deepEqual(Object.keys(faults), [pointer])
    assert.match(faults[pointer] ?? '', detail)
  })
}

test('members given twice, too deep, or no object are refused', () => {
  assert.deepEqual(
    faultsOf(() => read('{"specversion":"1.0","id":"a","id":"b","source":"/","type":"t"}')),
    {
      '/id': 'given twice',
    },
  )
  assert.deepEqual(
    pointersOf(() => read('{"specversion":"1.0","id":"a","source":"/","type":"t","__proto__":{}}')),
    ['/__proto__'],
  )
  for (const text of ['[]', '17', 'null', '"x"'])
    assert.deepEqual(
      pointersOf(() => read(text)),
      [''],
    )
  const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)
  assert.match(faultsOf(() => read(`${JSON.stringify(minimal).slice(0, -1)},"data":${deep(128)}}`))[''] ?? '', /128/)
  assert.ok(read(`${JSON.stringify(minimal).slice(0, -1)},"data":${deep(127)}}`))
  const binary = (levels: number) => (): Event => readFields({ contentType: 'application/json', body: deep(levels) })
  assert.match(faultsOf(binary(128))['data'] ?? '', /128/)
  assert.ok(binary(127)())
})

test('metadata keep their digits, and are no way around the depth of an event', () => {
  const text = JSON.stringify({ ...minimal, slmetadata: ' {"n": 12345678901234567890.10} ' })
  const { text: stored } = parseStructuredCloudEvent({ text, start: 0, value: JSON.parse(text) })
  assert.ok(stored.includes('"metadata":{"n": 12345678901234567890.10},'), stored)
  const nested = (levels: number): string => `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`
  assert.ok(readObject({ slmetadata: nested(126) }))
  for (const levels of [127, 200_000])
    assert.match(faultsOf(() => readObject({ slmetadata: nested(levels) }))['/slmetadata'] ?? '', /127 levels/)
})

test('more than 100 extensions are refused; long names are only advised against', () => {
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`x${index}`, '']))
  assert.match(faultsOf(() => readObject(many))[''] ?? '', /101 extensions/)
  assert.ok(readObject({ averylongnameforanextension: 'x' }))
})

test('binary: fields are attributes, percent-decoded, and the body is the data by its media type', () => {
  const fields = { 'ce-subject': 'Gr%C3%B6%C3%9Fe%20%22L%22', 'ce-ext': '"quoted \\"x\\""', 'x-other': 'not ours' }
  const event = readFields({ contentType: 'application/json; charset=utf-8', body: ' {"a": 1.0}\n', fields })
  assert.deepEqual(event, {
    event_type: 'order.created',
    source: '/shop',
    subject: 'Größe "L"',
    external_event_id: 'i-1',
    payload: { a: 1 },
    cloudevent: { datacontenttype: 'application/json; charset=utf-8', extensions: { ext: 'quoted "x"' } },
  })
})

const bodies: readonly (readonly [Binary, Members])[] = [
  [{ contentType: 'application/json', body: '"x"' }, { payload: 'x' }],
  [{ contentType: 'text/json', body: '[1,null]' }, { payload: [1, null] }],
  [{ contentType: 'text/plain', body: 'a\n"b"' }, { payload: 'a\n"b"' }],
  [{ contentType: 'application/xml', body: '<a/>' }, { payload: '<a/>' }],
  [{ contentType: 'text/plain', body: Buffer.from([0xff, 1]) }, { payload_base64: '/wE=' }],
  [{ contentType: 'text/plain', body: 'a\u0000b' }, { payload_base64: 'YQBi' }],
  [{ contentType: 'text/plain; charset=iso-8859-1', body: 'a' }, { payload_base64: 'YQ==' }],
  [{ contentType: 'application/json; charset=utf-16', body: '{}' }, { payload_base64: 'e30=' }],
  [{ contentType: 'image/png', body: Buffer.from([0x89, 0x50]) }, { payload_base64: 'iVA=' }],
  [{ body: '{}' }, { payload_base64: 'e30=' }],
  [{ contentType: 'application/json', body: '' }, {}],
  [{}, {}],
]

for (const [given, expected] of bodies) {
  test(`binary data ${JSON.stringify(given)} is stored as ${JSON.stringify(expected)}`, () => {
    const { payload, payload_base64, cloudevent } = readFields(given)
    assert.deepEqual(
      { ...(payload !== undefined && { payload }), ...(payload_base64 !== undefined && { payload_base64 }) },
      expected,
    )
    assert.equal(cloudevent?.datacontenttype, given.contentType)
  })
}

test('binary: faults are told by field', () => {
  assert.deepEqual(
    pointersOf(() =>
      readFields({
        contentType: 'nonsense',
        fields: {
          'ce-id': '%C0%A0',
          'ce-source': 'a b',
          'ce-datacontenttype': 'application/json',
          'ce-data': '{}',
          'ce-my-ext': 'x',
          'ce-': 'x',
        },
      }),
    ).toSorted(),
    [
      'header.Content-Type',
      'header.ce-',
      'header.ce-data',
      'header.ce-datacontenttype',
      'header.ce-id',
      'header.ce-my-ext',
      'header.ce-source',
    ],
  )
  assert.match(
    faultsOf(() => readFields({ contentType: 'application/json', body: '{"a":' }))['data'] ?? '',
    /malformed/,
  )
  const notUtf8 = { contentType: 'application/json', body: Buffer.from([0x22, 0xff, 0x22]) }
  assert.match(faultsOf(() => readFields(notUtf8))['data'] ?? '', /UTF-8/)
})

test('data may have 262,144 bytes, counted as JSON text or as the bytes themselves', () => {
  const bytes = 262_144
  const refusedAs = (act: () => unknown): string => {
    try {
      act()
    } catch (error) {
      return error instanceof HubError ? error.code : String(error)
    }
    return 'taken'
  }
  const text = (length: number): string => 'ä'.repeat((length - 2) / 2)
  assert.equal(
    refusedAs(() => readObject({ data: text(bytes) })),
    'taken',
  )
  assert.equal(
    refusedAs(() => readObject({ data: text(bytes + 2) })),
    'payload-too-large',
  )
  const base64 = (length: number): string => Buffer.alloc(length).toString('base64')
  assert.equal(
    refusedAs(() => readObject({ data_base64: base64(bytes) })),
    'taken',
  )
  assert.equal(
    refusedAs(() => readObject({ data_base64: base64(bytes + 1) })),
    'payload-too-large',
  )
  assert.equal(
    refusedAs(() => readFields({ contentType: 'a/b', body: Buffer.alloc(bytes) })),
    'taken',
  )
  assert.equal(
    refusedAs(() => readFields({ contentType: 'a/b', body: Buffer.alloc(bytes + 1) })),
    'payload-too-large',
  )
})

test('the same event says the same in any mode, whatever its extensions and blanks', () => {
  const contentOf = (text: string): string =>
    parseStructuredCloudEvent({ text, start: 0, value: JSON.parse(text) }).content
  const structured = contentOf(JSON.stringify({ ...minimal, data: { a: [1] }, traceparent: 'x' }))
  const fields = Object.entries(minimal).map(([name, value]): [string, string] => [`ce-${name}`, value])
  const binary = (body: string): string =>
    parseBinaryCloudEvent({ fields, contentType: 'application/json', body: Buffer.from(body) }).content
  assert.equal(binary('{ "a": [ 1 ] }'), structured)
  assert.notEqual(binary('{ "a": [ 2 ] }'), structured)
  assert.notEqual(binary(''), binary('null'))
})
