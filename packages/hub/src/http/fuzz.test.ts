import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { routes, type Accepted, type BatchAccepted, type EventPage, type Route } from '@sluice/protocol'
import { openTestHub, type TestHub } from '../test-hub.ts'

let t: TestHub

before(async () => {
  t = await openTestHub()
  // So that what is sent to any route is stored there, too: one name stands for all parameters.
  const source = { scheme: 'none', handshake: 'slack', event_type: { pointer: '/type' }, id: { pointer: '/x' } }
  await t.call('PUT', '/v1/sources/default', { body: source })
})
after(() => t.close())

const withoutStreams = Object.entries<Route>(routes).flatMap(([name, route]) =>
  name === 'streamInbox' || name === 'tailEvents' ? [] : [route],
)

const names = fc.constantFrom('default', 'x', '__proto__', '..', '%00', "'", 'ä', 'a'.repeat(300))
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
/** JSON that is often nearly an event, a lease or a key. */
const nearly = fc
  .dictionary(
    fc.constantFrom(
      'event_type',
      'payload',
      'events',
      'lease_id',
      'limit',
      'user_id',
      'role',
      'filter',
      'to',
      'all',
      'type',
      'identity',
      'customer',
      'properties',
      'category',
      'data',
      '__proto__',
      'x',
    ),
    fc.oneof(fc.jsonValue(), fc.constantFrom('a', {}, [], 1, true, null), names),
  )
  .map((value) => JSON.stringify(value))
const texts = fc.oneof(nearly, fc.json(), fc.string({ unit: 'binary' }))
const contentTypes = fc.constantFrom(
  'application/json',
  'application/x-ndjson',
  'text/plain',
  'application/json;charset=x',
  '',
)
/** Mostly none: a signature that is refused hides what lies behind it. */
const signatures = fc.oneof(
  { weight: 9, arbitrary: fc.constant({}) },
  fc.record({
    'x-sluice-signature': fc.constantFrom('', 'sha256=', `sha256=${'0'.repeat(64)}`, 'x'.repeat(5000)),
    'x-sluice-timestamp': fc.constantFrom('', '0', '1767225600', '9'.repeat(400), '-1', 'NaN'),
    'x-sluice-key-id': fc.constantFrom('', '__proto__', '0'.repeat(16)),
  }),
)
const queries = fc.oneof(
  fc.constant(''),
  fc.webQueryParameters(),
  fc.constantFrom('limit=1', 'limit=9e9', 'cursor=x.y', 'after=x', 'text=%', '&&=', 'limit', 'timestamp='),
)

test('whatever is sent, to any route: no answer of 500, and problems where it is refused', async () => {
  const requests = fc.record({
    route: fc.constantFrom(...withoutStreams),
    name: names,
    body: fc.oneof(texts, bytes),
    contentType: contentTypes,
    query: queries,
    encoding: fc.constantFrom('gzip', 'identity', undefined),
    signature: signatures,
  })
  const property = fc.asyncProperty(
    requests,
    async ({ route, name, body, contentType, query, encoding, signature }) => {
      const path = route.path.replaceAll(/\{\w+\}/g, encodeURIComponent(name))
      const headers = { ...signature, 'content-type': contentType, ...(encoding && { 'content-encoding': encoding }) }
      const sent = route.method === 'GET' ? {} : { body }
      const answer = await t.call<{ error_code?: string }>(route.method, `${path}?${query}`, { headers, ...sent })
      assert.ok(answer.status < 500, `${route.method} ${path}?${query}: ${answer.text}`)
      if (answer.text.startsWith('<!doctype html>')) return assert.ok(route.isPage ?? answer.status === 200)
      // That client takes JSON for success.
      if (route.dialect === 'briteevents' && answer.status === 401) assert.equal(typeof answer.body, 'string')
      else if (answer.status >= 400) assert.equal(typeof answer.body.error_code, 'string')
    },
  )
  await fc.assert(property, { numRuns: 600 })
})

/** JSON that is often a CloudEvent, or nearly one. */
const good = fc.record({
  specversion: fc.constant('1.0'),
  id: fc.uuid(),
  source: fc.constantFrom('/s', 'urn:a:b', 'x'),
  type: fc.constant('t'),
})
const data = fc.oneof(
  fc.record({ data: fc.jsonValue() }),
  fc.record({ data_base64: fc.base64String(), datacontenttype: fc.constantFrom('image/png', 'application/json') }),
  fc.record({ data: fc.string({ unit: 'binary' }), datacontenttype: fc.constantFrom('text/plain', 'a/b+json') }),
)
const odd = fc.dictionary(
  fc.constantFrom(
    'specversion',
    'id',
    'source',
    'time',
    'subject',
    'data',
    'data_base64',
    'ext',
    'slmetadata',
    '__proto__',
    'É',
  ),
  fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' }), fc.constantFrom('1.0', '/a', '{}', 'AAE=', 'a:b', 1, null)),
  { maxKeys: 2 },
)
const cloudEvent = fc
  .tuple(good, data, fc.oneof(fc.constant({}), odd))
  .map((parts) => Object.assign({}, ...parts) as object)
const fieldText = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) })

test('whatever is sent as a CloudEvent: no answer of 500, and what was taken can be read in every form', async () => {
  const structured = fc.record({
    body: fc.oneof(
      cloudEvent.map((event) => JSON.stringify(event)),
      cloudEvent.map((event) => JSON.stringify(event)),
      texts,
      bytes,
    ),
    headers: fc.constant({ 'content-type': 'application/cloudevents+json' }),
  })
  const batch = fc.record({
    body: fc.array(fc.oneof(cloudEvent, fc.jsonValue()), { maxLength: 4 }).map((list) => JSON.stringify(list)),
    headers: fc.constant({ 'content-type': 'application/cloudevents-batch+json' }),
  })
  const binary = fc.record({
    body: fc.oneof(texts, bytes),
    headers: fc.record(
      {
        'ce-specversion': fc.constant('1.0'),
        'ce-id': fc.oneof(fc.uuid(), fieldText),
        'ce-source': fc.constantFrom('/s', 'x', '%'),
        'ce-type': fc.constant('t'),
        'ce-ext': fieldText,
        'ce-slmetadata': fc.oneof(fc.constant('{}'), fieldText),
        'content-type': fc.oneof(contentTypes, fc.constant('image/png')),
      },
      { requiredKeys: ['ce-specversion', 'ce-id', 'ce-source', 'ce-type', 'content-type'] },
    ),
  })
  let taken = 0
  const authorized = (): Record<string, string> => ({ authorization: `Bearer ${t.adminKey}` })
  const property = fc.asyncProperty(fc.oneof(structured, batch, binary), async ({ body, headers }) => {
    const answer = await t.call<Partial<Accepted & BatchAccepted>>('POST', '/v1/events', { body, headers })
    assert.ok(answer.status < 500, answer.text)
    const ids = [
      answer.body.event_id,
      ...(answer.body.results ?? []).map((result) => ('event_id' in result ? result.event_id : undefined)),
    ]
    for (const id of ids) {
      if (id === undefined) continue
      taken += 1
      for (const query of ['', '?format=cloudevents', '?format=cloudevents-binary'])
        assert.equal((await t.hub.app.request(`/v1/events/${id}${query}`, { headers: authorized() })).status, 200)
    }
  })
  await fc.assert(property, { numRuns: 600 })
  assert.ok(taken > 100, `only ${taken} were taken`)
})

test('whatever is sent to a source is stored, and can be read in every form', async () => {
  const sent = fc.record({
    body: fc.oneof(texts, bytes, nearly),
    type: fc.oneof(
      contentTypes,
      fc.constantFrom('application/x-www-form-urlencoded', 'image/png', 'text/plain'),
      fieldText,
    ),
  })
  const property = fc.asyncProperty(sent, async ({ body, type }) => {
    const headers = { 'content-type': type }
    const answer = await t.call<Partial<Accepted>>('POST', '/in/default', { key: null, body, headers })
    assert.ok(answer.status === 202 || answer.status === 200, `${answer.status} ${answer.text}`)
    const { event_id: id } = answer.body
    if (id === undefined) return
    const authorization = `Bearer ${t.adminKey}`
    for (const query of ['', '?format=cloudevents', '?format=cloudevents-binary'])
      assert.equal((await t.hub.app.request(`/v1/events/${id}${query}`, { headers: { authorization } })).status, 200)
  })
  await fc.assert(property, { numRuns: 400 })
})

test('addresses and methods of any kind', async () => {
  const property = fc.asyncProperty(
    fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'PURGE'),
    fc.webPath(),
    async (method, path) => {
      const { status } = await t.call(method, path)
      assert.ok(status < 500)
    },
  )
  await fc.assert(property, { numRuns: 200 })
})

test('any payload comes back as it was sent', async () => {
  const payload = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 4 }))
  const space = fc.constantFrom('', ' ', '\n', '\t', '\r\n')
  const events = fc.array(fc.tuple(payload, fc.option(fc.uuid(), { nil: undefined }), space), {
    minLength: 1,
    maxLength: 5,
  })
  const property = fc.asyncProperty(events, fc.boolean(), async (given, asLines) => {
    await t.call('POST', '/v1/inboxes/default/seek', { body: { to: 'latest' } })
    const items = given.map(([sent, key, gap]) => {
      const event = `{${gap}"payload":${JSON.stringify(sent)}${key === undefined ? '' : `,"idempotency_key":"${key}"`},${gap}"event_type":"x"${gap}}`
      return asLines ? event.replaceAll(/[\r\n]/g, ' ') : event
    })
    const body = asLines ? items.join('\n') : `[${items.join(',')}]`
    const headers = { 'content-type': asLines ? 'application/x-ndjson' : 'application/json' }
    const stored = await t.call<BatchAccepted>('POST', '/v1/events/batch', { body, headers })
    assert.deepEqual([stored.status, stored.body.failed], [200, 0], stored.text)
    const page = await t.call<EventPage>('GET', '/v1/events/inbox')
    const seen = page.body.events.map((event) => event.payload)
    assert.deepEqual(
      seen,
      given.map(([sent]) => JSON.parse(JSON.stringify(sent))),
    )
  })
  await fc.assert(property, { numRuns: 60 })
})
