import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import type {
  Accepted,
  AuditEntry,
  BatchAccepted,
  Erased,
  Event,
  EventPage,
  Quarantined,
  QuarantinedEvent,
  QuarantineReleased,
  Workspace,
} from '@sluice/protocol'
import { usePostgres } from '../../../../scripts/use-postgres.ts'
import { openTestHub, type TestHub } from '../test-hub.ts'

const postgres = await usePostgres()

for (const kind of ['sqlite', 'postgres'] as const) {
  describe(`quarantine on ${kind}`, { skip: kind === 'postgres' && postgres.skip }, () => {
    let t: TestHub

    before(async () => {
      t = await openTestHub(kind === 'postgres' ? { database: { url: postgres.url } } : {})
    })
    after(() => t.close())

    const schema = { type: 'object', required: ['id'], properties: { id: { type: 'string' } } }
    const keepBack = (name: string, mode = 'quarantine') =>
      t.call('PUT', `/v1/event-types/${name}`, { body: { schema, mode } })
    const publish = (type: string, payload: object, headers: Record<string, string> = {}) =>
      t.call<Accepted>('POST', '/v1/events', { body: { event_type: type, payload }, headers })
    const release = async (body: object): Promise<QuarantineReleased> =>
      (await t.call<QuarantineReleased>('POST', '/v1/quarantine/release', { body })).body
    const logged = async (type: string): Promise<Event[]> =>
      (await t.call<EventPage>('GET', `/v1/events?event_type=${type}`)).body.events

    it('an event that does not match waits apart, with its faults, and in no inbox', async () => {
      await keepBack('q.kept')
      const kept = await publish('q.kept', { id: 1, big: 12_345 })
      assert.deepEqual([kept.status, kept.body.status], [202, 'quarantined'])
      const id = kept.body.quarantine_id ?? ''
      assert.equal(kept.body.event_id, id)
      assert.deepEqual(kept.body.warnings?.[0]?.errors, [{ pointer: '/payload/id', detail: 'must be string' }])
      const shown = await t.call<QuarantinedEvent>('GET', `/v1/quarantine/${id}`)
      assert.deepEqual(shown.body.event, { event_type: 'q.kept', payload: { id: 1, big: 12_345 } })
      assert.deepEqual([shown.body.version, shown.body.errors], [1, kept.body.warnings?.[0]?.errors])
      const peeked = await t.call<EventPage>('GET', '/v1/events/inbox')
      assert.deepEqual(peeked.body.events, [])
      assert.equal((await t.fail('GET', `/v1/events/${id}`)).status, 404)
      assert.equal((await t.call<Workspace>('GET', '/v1/workspaces/default')).body.quarantined, 1)
      await t.call('POST', '/v1/quarantine/discard', { body: { event_type: 'q.kept' } })
    })

    it('lists page, oldest first, by type', async () => {
      await keepBack('q.one')
      await keepBack('q.two')
      const events = ['q.one', 'q.two', 'q.one', 'q.one'].map((type, n) => ({ event_type: type, payload: { n } }))
      const { body } = await t.call<BatchAccepted>('POST', '/v1/events/batch', { body: events })
      const ids = body.results.map((result) => ('error' in result ? '' : result.quarantine_id))
      assert.equal(body.accepted, 4)
      type Page = { quarantined: Quarantined[]; pagination: { next_cursor: string | null } }
      const first = await t.call<Page>('GET', '/v1/quarantine?event_type=q.one&limit=2')
      const rest = await t.call<Page>(
        'GET',
        `/v1/quarantine?event_type=q.one&cursor=${first.body.pagination.next_cursor}`,
      )
      assert.deepEqual(
        [...first.body.quarantined, ...rest.body.quarantined].map(({ quarantine_id: id }) => id),
        [ids[0], ids[2], ids[3]],
      )
      const counted = await t.call('POST', '/v1/quarantine/discard', { body: { event_type: 'q.one', dry_run: true } })
      assert.deepEqual(counted.body, { count: 3, dry_run: true })
      const chosen = { quarantine_ids: [ids[0], ids[1]] }
      assert.deepEqual((await t.call('POST', '/v1/quarantine/discard', { body: chosen })).body, {
        count: 2,
        dry_run: false,
      })
      assert.deepEqual((await t.call('POST', '/v1/quarantine/discard', { body: { event_type: 'q.one' } })).body, {
        count: 2,
        dry_run: false,
      })
    })

    it('a release checks again, and publishes each once', async () => {
      await keepBack('q.release')
      const sent = await publish('q.release', { id: 1 }, { 'idempotency-key': 'release-1' })
      const id = sent.body.quarantine_id ?? ''
      const refused = await release({ quarantine_ids: [id] })
      assert.deepEqual([refused.released, refused.kept, refused.results[0]?.status], [0, 1, 'refused'])
      assert.deepEqual(refused.results[0]?.errors, [{ pointer: '/payload/id', detail: 'must be string' }])
      await t.call('PUT', '/v1/event-types/q.release', { body: { mode: 'warn' } })
      const planned = await release({ event_type: 'q.release', dry_run: true })
      assert.deepEqual([planned.released, planned.results[0]?.event_id], [1, undefined])
      assert.deepEqual(await logged('q.release'), [])
      const done = await release({ event_type: 'q.release' })
      assert.deepEqual([done.released, done.next_cursor], [1, null])
      const [event] = await logged('q.release')
      assert.deepEqual([event?.event_id, event?.payload], [done.results[0]?.event_id, { id: 1 }])
      const again = await release({ quarantine_ids: [id] })
      assert.equal(again.results[0]?.status, 'unknown')
      const repeated = await publish('q.release', { id: 1 }, { 'idempotency-key': 'release-1' })
      assert.deepEqual([repeated.body.status, repeated.body.event_id], ['duplicate', event?.event_id])
      assert.equal((await logged('q.release')).length, 1)
    })

    it('releases, and publishes under one key, that come together are one', async () => {
      await keepBack('q.together')
      const headers = { 'idempotency-key': 'together' }
      const sent = await Promise.all([1, 2, 3, 4].map(() => publish('q.together', { n: 1 }, headers)))
      const ids = new Set(sent.map(({ body }) => body.quarantine_id))
      assert.equal(ids.size, 1)
      await t.call('PUT', '/v1/event-types/q.together', { body: { mode: 'warn' } })
      const selection = { quarantine_ids: [...ids] }
      const answers = await Promise.all([1, 2, 3].map(() => release(selection)))
      const found = new Set(answers.flatMap(({ results }) => results.flatMap(({ event_id: id }) => id ?? [])))
      assert.equal(found.size, 1)
      assert.equal((await logged('q.together')).length, 1)
      assert.equal((await release(selection)).results[0]?.status, 'unknown')
    })

    it('more than one request takes are released by asking again', async () => {
      await keepBack('q.many')
      const events = Array.from({ length: 600 }, (_, n) => ({
        event_type: 'q.many',
        payload: n === 7 ? { id: n } : { n },
      }))
      for (const half of [1, 2])
        assert.equal((await t.call('POST', '/v1/events/batch', { body: events })).status, 200, `${half}`)
      await t.call('PUT', '/v1/event-types/q.many?allow_incompatible=true', {
        body: { schema: { properties: { id: { type: 'string' } } } },
      })
      const first = await release({ event_type: 'q.many' })
      assert.deepEqual([first.released, first.kept], [998, 2])
      const cursor = first.next_cursor
      const second = await release({ event_type: 'q.many', cursor })
      assert.deepEqual([second.released, second.kept, second.next_cursor], [200, 0, null])
      assert.equal(
        (await t.fail('POST', '/v1/quarantine/release', { body: { event_type: 'other', cursor } })).status,
        400,
      )
      await t.call('POST', '/v1/quarantine/discard', { body: { event_type: 'q.many' } })
    })

    it('the same key while it waits gives the same id, and another body is refused', async () => {
      await keepBack('q.key')
      const headers = { 'idempotency-key': 'q-key' }
      const first = await publish('q.key', { n: 1 }, headers)
      const again = await publish('q.key', { n: 1 }, headers)
      assert.deepEqual(again.body, first.body)
      const other = await t.fail('POST', '/v1/events', { body: { event_type: 'q.key', payload: { n: 2 } }, headers })
      assert.equal(other.error_code, 'idempotency-mismatch')
      assert.equal((await release({ event_type: 'q.key', dry_run: true })).kept, 1)
    })

    it('an event that waits is answered as waiting, also once its schema would let it pass', async () => {
      await keepBack('q.corrected')
      const headers = { 'idempotency-key': 'corrected' }
      const kept = await publish('q.corrected', { n: 1 }, headers)
      for (const mode of ['warn', 'off', 'reject']) {
        await keepBack('q.corrected', mode)
        const again = await publish('q.corrected', { n: 1 }, headers)
        assert.deepEqual([again.status, again.body.quarantine_id], [202, kept.body.quarantine_id], mode)
        const { error_code: other } = await t.fail('POST', '/v1/events', {
          body: { event_type: 'q.corrected', payload: { id: 'a' } },
          headers,
        })
        assert.equal(other, 'idempotency-mismatch', mode)
      }
      await keepBack('q.corrected', 'warn')
      const events = [{ n: 2 }, { n: 3 }].map((payload) => ({ event_type: 'q.corrected', payload }))
      const batch = await t.call<BatchAccepted>('POST', '/v1/events/batch', {
        body: [events[0], { event_type: 'q.corrected', payload: { n: 1 }, idempotency_key: 'corrected' }, events[1]],
      })
      assert.deepEqual(
        batch.body.results.map((result) => ('error' in result ? result.error.error_code : result.status)),
        ['accepted', 'quarantined', 'accepted'],
      )
      t.advance(8 * 86_400_000)
      assert.equal((await release({ quarantine_ids: [kept.body.quarantine_id] })).released, 1)
      assert.deepEqual(
        (await logged('q.corrected')).map(({ payload }) => payload),
        [{ n: 1 }, { n: 3 }, { n: 2 }],
      )
    })

    it('of two who fix one event, one is told that it has gone; the record says whose payload is stored', async () => {
      await keepBack('q.fixes')
      const id = (await publish('q.fixes', { n: 1 })).body.quarantine_id ?? ''
      const ids = ['first', 'second']
      const answers = await Promise.all(
        ids.map((own) => t.call('POST', `/v1/quarantine/${id}/fix`, { body: { payload: { id: own } } })),
      )
      assert.deepEqual(
        answers.map(({ status }) => status).toSorted((a, b) => a - b),
        [201, 404],
      )
      const won = { id: ids[answers.findIndex(({ status }) => status === 201)] }
      assert.deepEqual(
        (await logged('q.fixes')).map(({ payload }) => payload),
        [won],
      )
      const audit = await t.call<{ entries: AuditEntry[] }>('GET', '/v1/audit?limit=200')
      const deeds = audit.body.entries.filter(({ verb, target }) => verb === 'quarantine.fix' && target === id)
      assert.deepEqual(
        deeds.map(({ details }) => [details['status'], details['payload_sha256']]),
        [['accepted', createHash('sha256').update(JSON.stringify(won)).digest('hex')]],
      )
    })

    it('a batch that takes too long to check does not hold up the hub, nor does its release', async () => {
      const branch = (name: string) => ({ required: [name], properties: { a: { $ref: '#/$defs/n' } } })
      const slow = { $defs: { n: { anyOf: [branch('x'), branch('y')] } }, $ref: '#/$defs/n' }
      await t.call('PUT', '/v1/event-types/q.slow', { body: { schema: slow, mode: 'quarantine' } })
      let payload: object = {}
      for (let depth = 0; depth < 40; depth += 1) payload = { a: payload }
      const events = Array.from({ length: 12 }, () => ({ event_type: 'q.slow', payload }))
      const batch = await t.call<BatchAccepted>('POST', '/v1/events/batch', { body: events })
      const details = batch.body.results.map((result) =>
        'error' in result ? '' : result.warnings?.[0]?.errors[0]?.detail,
      )
      assert.match(details[0] ?? '', /^takes longer than 51 ms/)
      const late = details.filter((detail) => detail?.startsWith('could not be checked in time'))
      assert.ok(late.length >= 5, `${late.length} late`)
      const first = await release({ event_type: 'q.slow' })
      assert.ok(first.results.length <= 7 && first.next_cursor !== null)
      const all = [first]
      for (let next: string | null = first.next_cursor; next !== null; next = all.at(-1)?.next_cursor ?? null)
        all.push(await release({ event_type: 'q.slow', cursor: next }))
      assert.equal(all.flatMap(({ results }) => results).length, 12)
      assert.ok(all.every(({ released }) => released === 0))
      await t.call('POST', '/v1/quarantine/discard', { body: { event_type: 'q.slow' } })
    })

    it('what is discarded or erased while it is being released is either published or gone', async () => {
      for (let round = 0; round < 16; round += 1) {
        const type = `q.race${round}`
        const who = `p${round}@example.org`
        await keepBack(type)
        await t.call('POST', '/v1/events', { body: { event_type: type, payload: {}, identity: { email: who } } })
        await keepBack(type, 'warn')
        t.advance(1000)
        const releasing = release({ event_type: type })
        for (let turn = 0; turn < round % 4; turn += 1) await Promise.resolve()
        if (round % 2 === 0) {
          const [, erased] = await Promise.all([
            releasing,
            t.call<Erased>('POST', '/v1/erasures', { body: { identity: who } }),
          ])
          assert.equal(erased.body.done, true)
          assert.deepEqual(await logged(type), [], `round ${round}`)
          assert.equal(erased.body.events + erased.body.quarantined, 1)
        } else {
          const [released, discarded] = await Promise.all([
            releasing,
            t.call<{ count: number }>('POST', '/v1/quarantine/discard', { body: { event_type: type } }),
          ])
          assert.equal((await logged(type)).length, 1 - discarded.body.count, `round ${round}`)
          assert.equal(released.released, 1 - discarded.body.count)
        }
      }
    })

    it('a fix replaces the payload and publishes; the old event sent again is a duplicate', async () => {
      await keepBack('q.fix')
      const headers = { 'idempotency-key': 'q-fix' }
      const event = '{"subject":"s", "event_type":"q.fix","payload" : {"n": 1.0} ,"source":"x"}'
      const kept = await t.call<Accepted>('POST', '/v1/events', { body: event, headers })
      const path = `/v1/quarantine/${kept.body.quarantine_id}/fix`
      const wrong = await t.fail('POST', path, { body: { payload: { id: 2 } } })
      assert.deepEqual([wrong.status, wrong.errors?.[0]?.pointer], [422, '/payload/id'])
      assert.equal((await t.fail('POST', path, { body: { payload: [] } })).status, 400)
      const fixed = await t.call<Accepted>('POST', path, { body: { payload: { id: 'right' } } })
      assert.deepEqual([fixed.status, fixed.body.status], [201, 'accepted'])
      const [stored] = await logged('q.fix')
      assert.deepEqual(
        [stored?.event_id, stored?.payload, stored?.source, stored?.subject],
        [fixed.body.event_id, { id: 'right' }, 'x', 's'],
      )
      const again = await t.call<Accepted>('POST', '/v1/events', { body: event, headers })
      assert.deepEqual([again.status, again.body.event_id], [200, fixed.body.event_id])
      assert.equal((await t.fail('POST', path, { body: { payload: { id: 'right' } } })).status, 404)
    })

    it('a CloudEvent of bytes, or without data, can be given a payload', async () => {
      await keepBack('q.cloud')
      for (const data of [{ data_base64: 'AAAA' }, {}]) {
        const ce = { specversion: '1.0', id: JSON.stringify(data), source: '/s', type: 'q.cloud', ...data }
        const headers = { 'content-type': 'application/cloudevents+json' }
        const kept = await t.call<Accepted>('POST', '/v1/events', { body: ce, headers })
        assert.deepEqual([kept.status, kept.body.status], [202, 'quarantined'], kept.text)
        const path = `/v1/quarantine/${kept.body.quarantine_id}/fix`
        const fixed = await t.call<Accepted>('POST', path, { body: { payload: { id: 'a' } } })
        assert.equal(fixed.status, 201, fixed.text)
        const event = await t.call<Event>('GET', `/v1/events/${fixed.body.event_id}`)
        assert.deepEqual([event.body.payload, 'payload_base64' in event.body], [{ id: 'a' }, false])
      }
    })

    it('who released, fixed and discarded is written down', async () => {
      const audit = await t.call<{ entries: AuditEntry[] }>('GET', '/v1/audit?limit=200')
      const verbs = audit.body.entries.map(({ verb }) => verb)
      for (const verb of ['quarantine.release', 'quarantine.fix', 'quarantine.discard'])
        assert.ok(verbs.includes(verb), verb)
    })

    it('one must say which', async () => {
      for (const body of [
        {},
        { quarantine_ids: [] },
        { event_type: 'a', quarantine_ids: ['x'] },
        { quarantine_ids: ['x'] },
      ])
        assert.equal((await t.fail('POST', '/v1/quarantine/release', { body })).status, 400)
    })
  })
}
