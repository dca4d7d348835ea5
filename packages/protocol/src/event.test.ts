import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NewEvent, limits } from './event.ts'
import { AckRequest, DeadLetterSelection, LeaseRequest, PutInbox, SeekRequest, Slug } from './inbox.ts'

const event = { event_type: 'order.created', payload: {} }
const takes = (change: Record<string, unknown>): boolean => NewEvent.safeParse({ ...event, ...change }).success

describe('new event', () => {
  it('takes every member at its limits', () => {
    const long = 'x'.repeat(255)
    assert.ok(
      takes({
        event_type: long,
        source: long,
        subject: long,
        correlation_id: long,
        external_event_id: long,
        channel: long,
      }),
    )
    assert.ok(
      takes({ actor: { type: 'third-party', id: long }, entity: { type: long, id: long }, metadata: { a: [1] } }),
    )
    assert.ok(takes({ identity: { id: long, email: 'x'.repeat(320), phone: 'x'.repeat(64), external_id: long } }))
    assert.ok(takes({ occurred_at: '2026-01-31T12:00:00.123456+05:30' }))
    assert.ok(takes({ event_type: 'Größe 😀' }))
  })

  it('refuses what is beyond them', () => {
    const long = 'x'.repeat(256)
    for (const name of ['event_type', 'source', 'subject', 'correlation_id', 'external_event_id', 'channel']) {
      for (const value of ['', long, 'a\u0000b', 'a\nb', 'a\u007fb', 'a\ud800', 7, null])
        assert.ok(!takes({ [name]: value }), `${name}: ${JSON.stringify(value)}`)
    }
    for (const payload of [null, [], 'x', 1, undefined]) assert.ok(!takes({ payload }))
    for (const occurred_at of ['2026-01-31', '2026-01-31T12:00:00', '2026-02-30T12:00:00Z', 1769860800])
      assert.ok(!takes({ occurred_at }))
    assert.ok(!takes({ actor: { type: 'robot', id: 'x' } }))
    assert.ok(!takes({ entity: { type: 'order' } }))
  })

  it("cannot be one of the hub's own, nor carry what the hub adds", () => {
    assert.ok(!takes({ event_type: 'sluice.inbox.broken' }))
    for (const name of ['event_id', 'timestamp', 'attempt', 'idempotency_key', 'deliver_at'])
      assert.ok(!takes({ [name]: 'x' }), name)
  })
})

describe('requests to inboxes', () => {
  it('have their limits', () => {
    assert.ok(
      LeaseRequest.safeParse({ limit: limits.leaseMax, lease_seconds: 3600, wait_seconds: 20, lease_id: 'a.B:9_-' })
        .success,
    )
    for (const body of [
      { limit: 0 },
      { limit: 1001 },
      { limit: 1.5 },
      { limit: '1' },
      { lease_seconds: 0 },
      { lease_seconds: 3601 },
      { wait_seconds: 21 },
      { lease_id: 'a b' },
      { lease_id: '' },
    ]) {
      assert.ok(!LeaseRequest.safeParse(body).success, JSON.stringify(body))
    }
    assert.ok(!AckRequest.safeParse({ lease_id: 'a', event_ids: [] }).success)
    assert.ok(!PutInbox.safeParse({ retry: { schedule_seconds: [-1] } }).success)
  })

  it('select dead letters in exactly one way', () => {
    assert.ok(DeadLetterSelection.safeParse({ all: true, dry_run: true }).success)
    assert.ok(DeadLetterSelection.safeParse({ filter: {} }).success)
    for (const body of [{}, { dry_run: true }, { all: false }, { all: true, filter: {} }, { event_ids: [] }])
      assert.ok(!DeadLetterSelection.safeParse(body).success, JSON.stringify(body))
  })

  it('seek to a word, a time or an event', () => {
    for (const to of ['earliest', 'latest', '2026-01-31T12:00:00Z', '018bcfe5-6800-8000-8000-000004000007'])
      assert.ok(SeekRequest.safeParse({ to }).success, to)
    for (const to of ['', 'newest', '42', 42]) assert.ok(!SeekRequest.safeParse({ to }).success, String(to))
  })

  it('name things that fit in an address', () => {
    for (const key of ['a', '0', 'crm-eu.v2_x', 'a'.repeat(100)]) assert.ok(Slug.safeParse(key).success, key)
    for (const key of ['', '-a', '.', '..', 'A', 'a/b', 'a b', 'ä', 'a\n', 'a'.repeat(101)])
      assert.ok(!Slug.safeParse(key).success, key)
  })
})
