import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type {
  Accepted,
  AuditEntry,
  BatchAccepted,
  EventPage,
  EventType,
  EventTypeSaved,
  EventTypesImported,
  EventTypeWithVersions,
} from '@sluice/protocol'
import { usePostgres } from '../../../../scripts/use-postgres.ts'
import { openTestHub, type TestHub } from '../test-hub.ts'

const postgres = await usePostgres()

for (const kind of ['sqlite', 'postgres'] as const) {
  describe(`event types on ${kind}`, { skip: kind === 'postgres' && postgres.skip }, () => {
    let t: TestHub

    before(async () => {
      t = await openTestHub(kind === 'postgres' ? { database: { url: postgres.url } } : {})
    })
    after(() => t.close())

    const put = (name: string, body: object, query = '') =>
      t.call<EventTypeSaved>('PUT', `/v1/event-types/${encodeURIComponent(name)}${query}`, { body })
    const publish = (type: string, payload: object, headers: Record<string, string> = {}) =>
      t.call<Accepted>('POST', '/v1/events', { body: { event_type: type, payload }, headers })

    const schema = { type: 'object', required: ['id'], properties: { id: { type: 'string' }, n: { type: 'integer' } } }

    it('PUT makes an event type, says when it is the same, and keeps what is left out', async () => {
      const made = await put('order.made', { description: 'An order', schema })
      assert.deepEqual([made.status, made.body.change, made.body.version, made.body.mode], [201, 'new', 1, 'warn'])
      const reordered = { properties: schema.properties, required: schema.required, type: 'object' }
      const same = await put('order.made', { schema: reordered })
      assert.deepEqual([same.status, same.body.change, same.body.version], [200, 'same', 1])
      const mode = await put('order.made', { mode: 'reject' })
      assert.deepEqual([mode.body.change, mode.body.version, mode.body.description], ['compatible', 1, 'An order'])
      const wider = await put('order.made', { schema: { ...schema, required: [] }, description: null })
      assert.deepEqual([wider.body.change, wider.body.version, wider.body.description], ['compatible', 2, null])
      const shown = await t.call<EventTypeWithVersions>('GET', '/v1/event-types/order.made')
      assert.deepEqual(
        shown.body.versions.map(({ version, schema: kept }) => [version, kept]),
        [
          [2, { ...schema, required: [] }],
          [1, schema],
        ],
      )
      const bare = await put('bare/name %', {})
      assert.deepEqual(
        [bare.status, bare.body.name, bare.body.schema, bare.body.version],
        [201, 'bare/name %', null, 0],
      )
      assert.equal((await t.call('DELETE', '/v1/event-types/bare%2Fname%20%25')).status, 204)
      assert.equal((await t.fail('DELETE', '/v1/event-types/bare%2Fname%20%25')).status, 404)
      assert.equal((await t.fail('GET', '/v1/event-types/bare%2Fname%20%25')).status, 404)
    })

    it('a schema that refuses what it took before is refused by naming where, unless it is meant', async () => {
      await put('user.made', { schema })
      const narrower = { ...schema, required: ['id', 'n'], properties: { id: { type: 'string', minLength: 3 } } }
      const problem = await t.fail('PUT', '/v1/event-types/user.made', { body: { schema: narrower } })
      assert.deepEqual([problem.status, problem.error_code], [409, 'incompatible-schema'])
      assert.deepEqual(problem.errors, [
        { pointer: '/schema/required', detail: '"n" has become required' },
        { pointer: '/schema/properties/id/minLength', detail: 'is now 3' },
      ])
      const meant = await put('user.made', { schema: narrower }, '?allow_incompatible=true')
      assert.deepEqual([meant.status, meant.body.change, meant.body.version], [200, 'incompatible', 2])
      assert.equal(meant.body.incompatible.length, 2)
    })

    it('what cannot be used as a schema is refused by pointer', async () => {
      const cases: readonly (readonly [object, string, RegExp])[] = [
        [{ type: 'objekt' }, '/schema/type', /allowed values/],
        [{ properties: { a: { pattern: '(?=x)' } } }, '/schema/properties/a/pattern', /look-around/],
        [{ patternProperties: { '(a)\\1': {} } }, '/schema/patternProperties/(a)\\1', /back-references/],
        [{ properties: { a: { $ref: 'http://localhost/x' } } }, '/schema/properties/a/$ref', /not fetched/],
        [{ properties: { a: { $ref: '#/$defs/none' } } }, '/schema/properties/a/$ref', /leads to no schema/],
        [{ allOf: [{ $ref: '#' }] }, '/schema', /never ends/],
        [{ $schema: 'http://json-schema.org/draft-04/schema#' }, '/schema/$schema', /draft 7/],
        [{ items: [{ type: 'string' }] }, '/schema/items', /can name draft 7/],
        [{ enum: ['x'.repeat(70_000)] }, '/schema', /65536 bytes/],
        [{ allOf: Array.from({ length: 1001 }, () => ({})) }, '/schema', /1000 schemas/],
      ]
      for (const [wrong, pointer, words] of cases) {
        const { status, errors } = await t.fail('PUT', '/v1/event-types/wrong', { body: { schema: wrong } })
        assert.equal(status, 400)
        assert.deepEqual(errors?.[0]?.pointer, pointer)
        assert.match(errors[0].detail, words)
      }
      for (const body of [{ mode: 'strict' }, { schema: [] }, { schema: true }, { sceema: {} }, { description: 'a\0' }])
        assert.equal((await t.fail('PUT', '/v1/event-types/wrong', { body })).status, 400)
      for (const name of ['sluice.made', 'x'.repeat(256), 'a%00'])
        assert.equal((await t.fail('PUT', `/v1/event-types/${name}`, { body: {} })).status, 400)
      assert.equal((await t.fail('GET', '/v1/event-types/wrong')).status, 404)
    })

    it('lists page, and go by category', async () => {
      for (const name of ['l.c', 'l.a', 'l.b']) await put(name, { category: name === 'l.b' ? 'other' : 'listed' })
      type Page = { event_types: EventType[]; pagination: { next_cursor: string | null } }
      const first = await t.call<Page>('GET', '/v1/event-types?category=listed&limit=1')
      const second = await t.call<Page>(
        'GET',
        `/v1/event-types?category=listed&cursor=${first.body.pagination.next_cursor}`,
      )
      assert.deepEqual(
        [...first.body.event_types, ...second.body.event_types].map(({ name }) => name),
        ['l.a', 'l.c'],
      )
      const elsewhere = await t.fail('GET', `/v1/event-types?cursor=${first.body.pagination.next_cursor}`)
      assert.equal(elsewhere.error_code, 'invalid-cursor')
    })

    it('the modes: off says nothing, warn stores and says so, reject stores nothing', async () => {
      await put('modes.checked', { schema, mode: 'off' })
      assert.equal((await publish('modes.checked', {})).body.warnings, undefined)
      await put('modes.checked', { mode: 'warn' })
      const warned = await publish('modes.checked', { n: 1.5 })
      assert.deepEqual([warned.status, warned.body.status], [201, 'accepted'])
      assert.deepEqual(warned.body.warnings?.[0]?.errors, [
        { pointer: '/payload/id', detail: 'is required' },
        { pointer: '/payload/n', detail: 'must be integer' },
      ])
      assert.equal((await publish('modes.checked', { id: 'a' })).body.warnings, undefined)
      await put('modes.checked', { mode: 'reject' })
      const problem = await t.fail('POST', '/v1/events', { body: { event_type: 'modes.checked', payload: { id: 1 } } })
      assert.deepEqual([problem.status, problem.error_code], [422, 'schema-mismatch'])
      assert.deepEqual(problem.errors, [{ pointer: '/payload/id', detail: 'must be string' }])
      assert.equal((await publish('modes.checked', { id: 'a' })).status, 201)
      await t.call('DELETE', '/v1/event-types/modes.checked')
      assert.equal((await publish('modes.checked', { id: 1 })).status, 201)
      const found = await t.call<EventPage>('GET', '/v1/events?event_type=modes.checked')
      assert.deepEqual(
        found.body.events.map(({ payload }) => payload),
        [{ id: 1 }, { id: 'a' }, { id: 'a' }, { n: 1.5 }, {}],
      )
      const metrics = await t.call<string>('GET', '/metrics')
      assert.match(metrics.text, /sluice_events_warned_total 1\n/)
      assert.match(metrics.text, /sluice_events_refused_total 1\n/)
    })

    it('in a batch each event is judged by itself', async () => {
      await put('batch.strict', { schema, mode: 'reject' })
      await put('batch.lax', { schema, mode: 'warn' })
      const events = [
        { event_type: 'batch.strict', payload: { id: 'a' } },
        { event_type: 'batch.strict', payload: {} },
        { event_type: 'batch.lax', payload: {} },
        { event_type: 'batch.unknown', payload: {} },
        { event_type: '', payload: {} },
      ]
      const { body } = await t.call<BatchAccepted>('POST', '/v1/events/batch', { body: { events } })
      assert.deepEqual([body.accepted, body.failed], [3, 2])
      assert.deepEqual(
        body.results.map((result) =>
          'error' in result ? result.error.error_code : [result.status, result.warnings?.length],
        ),
        [['accepted', undefined], 'schema-mismatch', ['accepted', 1], ['accepted', undefined], 'validation-error'],
      )
    })

    it('every way in is judged: CloudEvents of each mode, and dialects', async () => {
      await put('door.PanelOpened', { schema, mode: 'reject' })
      const ce = { specversion: '1.0', id: '1', source: '/s', type: 'door.PanelOpened' }
      const send = async (path: string, body: unknown, headers: Record<string, string> = {}): Promise<unknown> => {
        const answer = await t.call<{ error_code?: string }>('POST', path, { body, headers })
        return [answer.status, answer.body.error_code]
      }
      const refused = [422, 'schema-mismatch']
      const structured = { 'content-type': 'application/cloudevents+json' }
      for (const data of [{ data: {} }, { data: [] }, { data: 'text' }, { data_base64: 'AAAA' }])
        assert.deepEqual(await send('/v1/events', { ...ce, ...data }, structured), refused, JSON.stringify(data))
      const fields = Object.fromEntries(Object.entries(ce).map(([name, value]) => [`ce-${name}`, value]))
      assert.deepEqual(await send('/v1/events', {}, fields), refused)
      const batch = await t.call<BatchAccepted>('POST', '/v1/events/batch', {
        body: [{ ...ce, data: { id: 'a' } }, ce],
        headers: { 'content-type': 'application/cloudevents-batch+json' },
      })
      assert.deepEqual([batch.body.accepted, batch.body.failed], [1, 1])
      const envelope = { category: 'door', entity: 'Panel', action: 'Opened', actor: { id: 'user-1', type: 'user' } }
      assert.deepEqual(await send('/dialects/briteevents/events', { ...envelope, data: { id: 1 } }), [
        400,
        'schema-mismatch',
      ])
      assert.deepEqual(await send('/dialects/briteevents/events', { ...envelope, data: { id: 'a' } }), [201, undefined])
      const injected = { type: 'door.PanelOpened', properties: { id: 1 } }
      assert.deepEqual(await send('/api/integrations/events', injected), refused)
    })

    it('a repetition of what was stored is a duplicate, whatever the schema has become', async () => {
      const headers = { 'idempotency-key': 'stored-before' }
      const stored = await publish('later.strict', { n: 1 }, headers)
      await put('later.strict', { schema, mode: 'reject' })
      const again = await publish('later.strict', { n: 1 }, headers)
      assert.deepEqual([again.status, again.body.status, again.body.event_id], [200, 'duplicate', stored.body.event_id])
      const problem = await t.fail('POST', '/v1/events', { body: { event_type: 'later.strict', payload: {} }, headers })
      assert.equal(problem.error_code, 'idempotency-mismatch')
    })

    it('unknown types are allowed, warned of or refused, as the workspace says', async () => {
      await t.call('PUT', '/v1/workspaces/strict')
      const key = await t.makeKey({ workspace: 'strict', role: 'admin' })
      const body = { event_type: 'un.known', payload: {} }
      assert.equal((await t.call<Accepted>('POST', '/v1/events', { key, body })).body.warnings, undefined)
      const set = (unknown: string) =>
        t.call<{ unknown_event_types: string }>('PUT', '/v1/workspaces/strict', {
          body: { unknown_event_types: unknown },
        })
      assert.equal((await set('warn')).body.unknown_event_types, 'warn')
      const warned = await t.call<Accepted>('POST', '/v1/events', { key, body })
      assert.equal(warned.body.warnings?.[0]?.code, 'unknown-event-type')
      await set('refuse')
      const problem = await t.fail('POST', '/v1/events', { key, body })
      assert.deepEqual([problem.status, problem.error_code], [422, 'unknown-event-type'])
      await t.call('PUT', '/v1/event-types/un.known', { key })
      assert.equal((await t.call('POST', '/v1/events', { key, body })).status, 201)
      assert.equal((await t.call('PUT', '/v1/workspaces/strict')).status, 200)
      assert.equal((await t.fail('POST', '/v1/events', { key, body: { ...body, event_type: 'x' } })).status, 422)
      assert.equal((await publish('un.known', {})).body.warnings, undefined, 'in the other workspace')
    })

    it('a topic definition file comes in as it is, and a dry run changes nothing', async () => {
      const file = {
        DefaultCategory: 'crm',
        Topics: [
          { Action: 'Created', Entity: 'MyEntity', Description: 'One more', Schema: schema },
          { Action: 'Paid', Entity: 'Invoice', Category: 'billing', Schema: {} },
        ],
      }
      const load = async (query: string, body: object = file): Promise<EventTypesImported['results']> =>
        (await t.call<EventTypesImported>('POST', `/v1/event-types/import${query}`, { body })).body.results
      const changesOf = (results: EventTypesImported['results']): unknown =>
        results.map(({ name, change, version }) => [name, change, version])
      const made = [
        ['crm.MyEntityCreated', 'new', 1],
        ['billing.InvoicePaid', 'new', 1],
      ]
      assert.deepEqual(changesOf(await load('?dry_run=true')), made)
      assert.equal((await t.fail('GET', '/v1/event-types/crm.MyEntityCreated')).status, 404)
      assert.deepEqual(changesOf(await load('?mode=reject')), made)
      const { body } = await t.call<EventType>('GET', '/v1/event-types/crm.MyEntityCreated')
      assert.deepEqual(
        [body.category, body.entity, body.action, body.description, body.mode],
        ['crm', 'MyEntity', 'Created', 'One more', 'reject'],
      )
      assert.deepEqual(
        (await load('')).map(({ change }) => change),
        ['same', 'same'],
      )
      const narrower = {
        event_types: [
          { name: 'crm.MyEntityCreated', schema: { ...schema, required: ['id', 'n'] } },
          { name: 'fresh', mode: 'off' },
        ],
      }
      const planned = await load('?dry_run=true', narrower)
      assert.deepEqual(
        planned.map(({ change, incompatible }) => [change, incompatible.length]),
        [
          ['incompatible', 1],
          ['new', 0],
        ],
      )
      const problem = await t.fail('POST', '/v1/event-types/import', { body: narrower })
      assert.deepEqual([problem.status, problem.errors?.[0]?.pointer], [409, '/event_types/0/schema/required'])
      assert.equal((await t.fail('GET', '/v1/event-types/fresh')).status, 404, 'all or none')
      assert.equal((await load('?allow_incompatible=true', narrower)).length, 2)
    })

    it('an import may be as large as a batch', async () => {
      const types = Array.from({ length: 1000 }, (_, n) => ({ name: `large.n${n}`, description: 'x'.repeat(1000) }))
      const made = await t.call<EventTypesImported>('POST', '/v1/event-types/import', { body: { event_types: types } })
      assert.deepEqual([made.status, made.body.results.length], [200, 1000])
      const more = { event_types: [...types, { name: 'large.more' }] }
      assert.equal((await t.fail('POST', '/v1/event-types/import', { body: more })).status, 400)
      const unread = { event_types: [{ name: 'a', description: 'x'.repeat(5_300_000) }] }
      assert.equal((await t.fail('POST', '/v1/event-types/import', { body: unread })).status, 413)
    })

    it('a malformed import is refused as a whole, and every fault is named', async () => {
      const body = {
        Topics: [
          { Action: 'created', Entity: 'A', Category: 'crm', Schema: {} },
          { Action: 'Created', Entity: 'B', Category: 'crm', Schema: { type: 5 } },
          { Action: 'Created', Entity: 'C', Schemas: {} },
        ],
      }
      const pointers = async (sent: object): Promise<string[]> =>
        ((await t.fail('POST', '/v1/event-types/import', { body: sent })).errors ?? []).map(({ pointer }) => pointer)
      assert.deepEqual(await pointers(body), ['/Topics/0/Action', '/Topics/2/Schema', '/Topics/2/Schemas'])
      const good = { Action: 'Created', Entity: 'B', Schema: {} }
      assert.deepEqual(await pointers({ Topics: [good] }), ['/Topics/0/Category'])
      assert.deepEqual(await pointers({ DefaultCategory: 'crm', Topics: [good, good] }), ['/Topics/1'])
      assert.deepEqual(await pointers({ DefaultCategory: 'crm', Topics: [{ ...good, Schema: { type: 'x' } }] }), [
        '/Topics/0/Schema/type',
      ])
      assert.deepEqual(await pointers({ event_types: [{ name: 'a' }, { name: 'a' }] }), ['/event_types/1'])
      assert.deepEqual(await pointers({}), [''])
      assert.deepEqual(await pointers({ Topics: [good], event_types: [{ name: 'a' }] }), [''])
      assert.equal((await t.fail('GET', '/v1/event-types/crm.BCreated')).status, 404)
    })

    it('who changed what is written down', async () => {
      await put('audited', { schema })
      await put('audited', { schema })
      await put('audited', { mode: 'off' })
      await t.call('DELETE', '/v1/event-types/audited')
      const audit = await t.call<{ entries: AuditEntry[] }>('GET', '/v1/audit')
      const entries = audit.body.entries.filter(({ target }) => target === 'audited')
      assert.deepEqual(
        entries.map(({ verb }) => verb),
        ['event-type.delete', 'event-type.update', 'event-type.create'],
      )
      assert.deepEqual(entries.at(-1)?.details, { version: 1, mode: 'warn', change: 'new' })
    })
  })
}
