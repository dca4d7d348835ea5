import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Accepted, CloudEvent, Event, EventPage, Filter, Lease, PayloadCondition, Verdict } from '@sluice/protocol'
import { usePostgres } from '../../../../scripts/use-postgres.ts'
import { exportWorkspace } from '../domain/moving/export-workspace.ts'
import { importWorkspace } from '../domain/moving/import-workspace.ts'
import { openTestHub, type TestHub } from '../test-hub.ts'

/** What no native event has: payloads that are no objects, all the way through a hub, and through a file into another. */
const postgres = await usePostgres()
const hubs = new Map<string, { readonly t: TestHub; readonly key: string }>()

before(async () => {
  const secretKeys = [new Uint8Array(32).fill(7)]
  hubs.set('sqlite', await openHub(await openTestHub()))
  if (!postgres.skip)
    hubs.set('postgres', await openHub(await openTestHub({ database: { url: postgres.url }, secretKeys })))
})
after(async () => {
  for (const { t } of hubs.values()) await t.close()
})

async function openHub(t: TestHub): Promise<{ t: TestHub; key: string }> {
  await t.call('PUT', '/v1/workspaces/kinds')
  return { t, key: await t.makeKey({ workspace: 'kinds', role: 'admin' }) }
}

function hubOf(kind: string): { readonly t: TestHub; readonly key: string } {
  return hubs.get(kind) ?? assert.fail(`no hub on ${kind}`)
}

const contents: Readonly<Record<string, Partial<CloudEvent>>> = {
  object: { data: { total: 7, lines: ['wool'] } },
  array: { data: ['wool', { total: 7 }] },
  string: { data: 'a text about wool' },
  number: { data: 12.5 },
  true: { data: true },
  null: { data: null },
  none: {},
  bytes: { data_base64: 'AAECd29vbA==', datacontenttype: 'application/octet-stream' },
}
const names = Object.keys(contents)

const filters: readonly (readonly [PayloadCondition, readonly string[]])[] = [
  [{ pointer: '/total', equals: 7 }, ['object']],
  [{ pointer: '/1/total', gt: 6 }, ['array']],
  [{ pointer: '', contains: 'wool' }, ['array', 'string']],
  [{ pointer: '', starts_with: 'a text' }, ['string']],
  [{ pointer: '', gte: 12.5 }, ['number']],
  [{ pointer: '', in: [true, null] }, ['true', 'null']],
  [{ pointer: '', exists: false }, ['none', 'bytes']],
  [{ pointer: '/length', exists: true }, []],
]

const idOf = (event: Event): string => event.external_event_id ?? ''

async function publishAll({ t, key }: { readonly t: TestHub; readonly key: string }): Promise<void> {
  for (const name of names) {
    const body = { specversion: '1.0', id: name, source: '/kinds', type: 'kind.made', ...contents[name] }
    const headers = { 'content-type': 'application/cloudevents+json' }
    const { status, text } = await t.call<Accepted>('POST', '/v1/events', { key, headers, body })
    assert.equal(status, 201, text)
  }
}

function checkContent(event: Event): void {
  const { data, data_base64: base64 } = contents[idOf(event)] ?? {}
  assert.deepEqual([event.payload, event.payload_base64], [data, base64], idOf(event))
}

for (const kind of ['sqlite', 'postgres']) {
  describe(`payloads that are no objects, on ${kind}`, { skip: kind === 'postgres' && postgres.skip }, () => {
    before(() => publishAll(hubOf(kind)))

    it('are stored, and looked into by filters', async () => {
      const { t, key } = hubOf(kind)
      for (const [index, [condition]] of filters.entries()) {
        const filter: Filter = { payload: [condition] }
        await t.call('PUT', `/v1/inboxes/f-${index}`, { key, body: { start: 'earliest', filter } })
      }
      for (const [index, [condition, expected]] of filters.entries()) {
        const { body } = await t.call<EventPage>('GET', `/v1/inboxes/f-${index}/events`, { key })
        assert.deepEqual(body.events.map(idOf), expected, JSON.stringify(condition))
      }
    })

    it('are leased, acknowledged, released, buried and replayed', async () => {
      const { t, key } = hubOf(kind)
      await t.call('PUT', '/v1/inboxes/work', { key, body: { start: 'earliest', max_attempts: 1 } })
      const lease = await t.call<Lease>('POST', '/v1/inboxes/work/lease', { key })
      assert.deepEqual(lease.body.events.map(idOf), names)
      for (const event of lease.body.events) checkContent(event)
      const [first, ...rest] = lease.body.events.map(({ event_id: id }) => id)
      const { lease_id: leaseId } = lease.body
      await t.call('POST', '/v1/inboxes/work/ack', { key, body: { lease_id: leaseId, event_ids: [first] } })
      await t.call('POST', '/v1/inboxes/work/release', { key, body: { lease_id: leaseId, reason: 'no' } })
      const path = '/v1/inboxes/work/dead-letters'
      const dead = await t.call<{ dead_letters: { event: Event }[] }>('GET', path, { key })
      assert.equal(dead.body.dead_letters.length, rest.length)
      for (const { event } of dead.body.dead_letters) checkContent(event)
      const replayed = await t.call<{ count: number }>('POST', `${path}/replay`, { key, body: { event_ids: rest } })
      assert.equal(replayed.body.count, rest.length)
      const again = await t.call<Lease>('POST', '/v1/inboxes/work/lease', { key })
      for (const event of again.body.events) checkContent(event)
      assert.equal(again.body.events.length, rest.length)
    })

    it('are found by text, explained, and read one by one', async () => {
      const { t, key } = hubOf(kind)
      const found = await t.call<EventPage>('GET', '/v1/events?text=WOOL', { key })
      assert.deepEqual(found.body.events.map(idOf).toSorted(), ['array', 'object', 'string'])
      const all = await t.call<EventPage>('GET', '/v1/events?source=%2Fkinds', { key })
      for (const { event_id: id } of all.body.events) {
        const { body } = await t.call<Event>('GET', `/v1/events/${id}`, { key })
        checkContent(body)
        const explained = await t.call<{ verdicts: Verdict[] }>('GET', `/v1/events/${id}/explain`, { key })
        assert.equal(explained.status, 200)
      }
    })

    it('are the same after a move into another hub', async () => {
      const { t } = hubOf(kind)
      const workspace = (await t.hub.store.findWorkspace('kinds')) ?? assert.fail('no workspace')
      let file = ''
      const write = async (text: string): Promise<void> => void (file += text)
      await exportWorkspace(t.hub.store, { workspace, version: '0.0.0', write })
      const copy = await openTestHub()
      try {
        const source = [Buffer.from(file)].values()
        await importWorkspace(copy.hub.store, { source: toAsync(source), withKeys: false, restart: false })
        const key = await copy.makeKey({ workspace: 'kinds', role: 'admin' })
        const { body } = await copy.call<EventPage>('GET', '/v1/events?source=%2Fkinds', { key })
        assert.deepEqual(body.events.map(idOf).toReversed(), names)
        for (const event of body.events) checkContent(event)
      } finally {
        await copy.close()
      }
    })
  })
}

async function* toAsync(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* pieces
}
