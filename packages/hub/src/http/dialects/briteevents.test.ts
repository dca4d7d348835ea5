import assert from 'node:assert/strict'
import { after, before, describe, it, test } from 'node:test'
import { briteBulkMax, limits, type Event, type EventPage } from '@sluice/protocol'
import { openTestHub, type CallOptions, type TestHub } from '../../test-hub.ts'
import { runPython } from '../../../../../scripts/run-python.ts'

const single = '/dialects/briteevents/events'
const bulk = '/dialects/briteevents/events/bulk/'
const event = {
  action: 'Created',
  category: 'testing',
  entity: 'MyEntity',
  data: { id: '1' },
  actor: { id: 'user-1', type: 'user' },
}

let t: TestHub

before(async () => {
  t = await openTestHub({ roles: ['http'] })
})
after(() => t.close())

type Failure = { readonly errorType: string; readonly status: number; readonly detail: string }

async function publish(body: unknown, options: CallOptions = {}): Promise<{ eventId: string; jobId: string | null }> {
  const answer = await t.call<{ eventId: string; jobId: string | null }>('POST', single, { body, ...options })
  assert.equal(answer.status, 201, answer.text)
  return answer.body
}

async function stored(eventId: string): Promise<Event> {
  return (await t.call<Event>('GET', `/v1/events/${eventId}`)).body
}

describe('one event', () => {
  it('is stored under its topic, with its job as correlation id', async () => {
    const { eventId, jobId } = await publish(event, { headers: { 'x-britecore-job-id': 'job-1' } })
    const { timestamp: _timestamp, ...rest } = await stored(eventId)
    assert.equal(jobId, 'job-1')
    assert.deepEqual(rest, {
      event_id: eventId,
      event_type: 'testing.MyEntityCreated',
      actor: { id: 'user-1', type: 'user' },
      correlation_id: 'job-1',
      payload: { id: '1' },
    })
  })

  it('keeps the text of its data, and needs no job', async () => {
    const text = '{"n":12345678901234567890,"f":1.0, "a":"\\u00e9"}'
    const body = JSON.stringify(event).replace('{"id":"1"}', text)
    const { eventId, jobId } = await publish(body)
    assert.equal(jobId, null)
    assert.ok((await t.call('GET', `/v1/events/${eventId}`)).text.includes(`"payload":${text}`))
  })

  it('comes with the key as user name in the address, password empty', async () => {
    const authorization = `Basic ${Buffer.from(`${t.adminKey}:`).toString('base64')}`
    await publish(event, { key: null, headers: { authorization } })
  })

  it('twice without a key of its own is two events; under one key it is one', async () => {
    const ids = [await publish(event), await publish(event)]
    assert.notEqual(ids[0]?.eventId, ids[1]?.eventId)
    const headers = { 'idempotency-key': 'brite-1' }
    const same = [await publish(event, { headers }), await publish(event, { headers })]
    assert.equal(same[0]?.eventId, same[1]?.eventId)
  })
})

test('every rule of the envelope, in words that this client logs', async () => {
  const faults: readonly (readonly [object, string])[] = [
    [{ action: 'created' }, '/action'],
    [{ action: 'CreatedAgain' }, '/action'],
    [{ action: 1 }, '/action'],
    [{ category: 'Testing' }, '/category'],
    [{ category: 'a.b' }, '/category'],
    [{ category: '' }, '/category'],
    [{ entity: 'myEntity' }, '/entity'],
    [{ entity: 'MYEntity2' }, '/entity'],
    [{ data: {} }, '/data'],
    [{ data: [1] }, '/data'],
    [{ data: null }, '/data'],
    [{ actor: { id: '1234', type: 'user' } }, '/actor/id'],
    [{ actor: { id: 'user-1', type: 'robot' } }, '/actor/type'],
    [{ actor: { id: 'user-1', type: 'user', name: 'x' } }, '/actor/name'],
    [{ version: 1 }, '/version'],
    [{ entity: `A${'a'.repeat(255)}` }, '/event_type'],
    [{ category: 'sluice' }, '/event_type'],
  ]
  for (const [change, pointer] of faults) {
    const answer = await t.call<Failure>('POST', single, { body: { ...event, ...change } })
    const seen = [answer.status, answer.body.errorType, answer.body.status]
    assert.deepEqual(seen, [400, 'validation-error', 400], JSON.stringify(change))
    assert.ok(answer.body.detail.includes(`${pointer}: `), answer.body.detail)
  }
  for (const body of ['', '{', '[]', 'null', '{"__proto__":{}}', JSON.stringify(event).replace('{', '{"action":"A",')])
    assert.equal((await t.call<Failure>('POST', single, { body })).body.errorType, 'validation-error', body)
  const headers = { 'x-britecore-job-id': 'j'.repeat(256) }
  assert.equal((await t.call('POST', single, { body: event, headers })).status, 400)
})

describe('in bulk', () => {
  type Bulk = { readonly failedRecords: number; readonly records: readonly string[] }
  const send = async (body: unknown, path = bulk): Promise<Bulk> => {
    const answer = await t.call<Bulk>('POST', path, { body })
    assert.equal(answer.status, 201, answer.text)
    return answer.body
  }

  it('each event has its result, in order, with the slash or without', async () => {
    const events = [event, { ...event, data: {} }, 'x', { ...event, action: 'Updated' }]
    for (const path of [bulk, bulk.slice(0, -1)]) {
      const { failedRecords, records } = await send(events, path)
      assert.equal(failedRecords, 2)
      assert.deepEqual([records[0], records[3]], ['Success', 'Success'])
      assert.match(records[1] ?? '', /^validation-error: \/data: must be/)
      assert.match(records[2] ?? '', /^validation-error: must be a JSON object/)
    }
    const { body } = await t.call<EventPage>('GET', '/v1/events?limit=2')
    assert.deepEqual(
      body.events.map(({ event_type }) => event_type),
      ['testing.MyEntityUpdated', 'testing.MyEntityCreated'],
    )
  })

  it('no events are a success, 250 are the most', async () => {
    assert.deepEqual(await send([]), { failedRecords: 0, records: [] })
    const most = await send(Array.from({ length: briteBulkMax }, () => event))
    assert.deepEqual([most.failedRecords, most.records.length], [0, 250])
    for (const body of [Array.from({ length: briteBulkMax + 1 }, () => event), { events: [event] }, '[{]']) {
      const answer = await t.call<Failure>('POST', bulk, { body })
      assert.deepEqual([answer.status, answer.body.errorType], [400, 'validation-error'])
    }
  })

  it('what is too large, or not for this key, is refused alone', async () => {
    const large = { ...event, data: { text: 'x'.repeat(limits.payloadBytes) } }
    const deep = JSON.stringify(event).replace('"1"', '['.repeat(200) + ']'.repeat(200))
    const { records } = await send(`[${JSON.stringify(large)},${deep},${JSON.stringify(event)}]`)
    assert.match(records[0] ?? '', /^payload-too-large: /)
    assert.match(records[1] ?? '', /^validation-error: .*nested/)
    assert.equal(records[2], 'Success')
    const key = await t.makeKey({ allowed_event_types: ['testing.MyEntityUpdated'] })
    const answer = await t.call<Bulk>('POST', bulk, { key, body: [event, { ...event, action: 'Updated' }] })
    assert.match(answer.body.records[0] ?? '', /^event-type-not-allowed: /)
    assert.equal(answer.body.records[1], 'Success')
  })

  it('a body beyond 5 MiB is refused, also over a socket', async () => {
    const body = `[${' '.repeat(limits.batchBytes)}]`
    const headers = { authorization: `Bearer ${t.adminKey}`, 'content-type': 'application/json' }
    const response = await fetch(t.hub.url + bulk, { method: 'POST', headers, body })
    assert.equal(response.status, 400)
    assert.equal(((await response.json()) as Failure).errorType, 'payload-too-large')
  })
})

describe('failures', () => {
  it('of the key or the address are no JSON: that client would take them for success', async () => {
    const viewer = await t.makeKey({ role: 'viewer' })
    const other = await t.makeKey({ allowed_event_types: ['x'] })
    const calls: readonly (readonly [number, string, CallOptions])[] = [
      [401, single, { key: null }],
      [401, bulk, { key: 'slk_wrong' }],
      [403, single, { key: viewer }],
      [403, single, { key: other }],
      [404, '/dialects/briteevents//events', {}],
      [404, '/dialects/briteevents', {}],
    ]
    for (const [status, path, options] of calls) {
      const answer = await t.call('POST', path, { body: event, ...options })
      assert.equal(answer.status, status, path)
      assert.throws(() => JSON.parse(answer.text) as unknown)
    }
    assert.equal((await t.call('GET', single)).status, 405)
  })

  it('that pass by are 500 with the name that is sent again', async () => {
    const key = await t.makeKey({ rate_limit: 1 })
    await publish(event, { key })
    for (const [path, body] of [
      [single, event],
      [bulk, [event]],
    ] as const) {
      const answer = await t.call<Failure>('POST', path, { body, key })
      assert.deepEqual([answer.status, answer.body.errorType], [500, 'ProvisionedThroughputExceededException'])
      assert.ok(Number(answer.headers.get('retry-after')) > 0)
    }
  })

  it('of the form say so in a 400', async () => {
    const headers = { 'content-type': 'text/plain' }
    const answer = await t.call<Failure>('POST', single, { body: event, headers })
    assert.deepEqual([answer.status, answer.body.errorType], [400, 'unsupported-media-type'])
  })
})

test('a stopping node is tried again', async () => {
  const stopping = await openTestHub()
  const { hub } = stopping
  await stopping.close()
  const response = await hub.app.request(single, { method: 'POST' })
  assert.equal(response.status, 500)
  assert.equal(((await response.json()) as Failure).errorType, 'ProvisionedThroughputExceededException')
})

describe('the client itself, as Python', () => {
  const run = (story: 'all' | 'one', key: string, onStderr?: (text: string) => void): Promise<string> =>
    runPython('bc_events.py', {
      args: story === 'all' ? [] : [story],
      env: { SLUICE_URL: t.hub.url, SLUICE_API_KEY: key },
      ...(onStderr && { onStderr }),
    })

  it('publishes singly, 250 and 600 in bulk, learns what is refused, and raises for a refused key', async () => {
    const output = await run('all', t.adminKey)
    assert.match(output, /^singly: \['eventId', 'jobId'\]$/m)
    assert.match(output, /^250 in bulk, refused: \[\]$/m)
    assert.match(output, /^600 in bulk, refused: \[\]$/m)
    assert.match(output, /^of 7, refused: \['validation-error: \/data: /m)
    assert.match(output, /^a refused key raises$/m)
  })

  it('tries again until the limit lets it through', async () => {
    const key = await t.makeKey({ rate_limit: 1 })
    await publish(event, { key })
    // Its first refusal lets the minute pass.
    let told = false
    const output = await run('one', key, () => {
      if (!told) t.advance(60_000)
      told = true
    })
    assert.ok(told)
    assert.match(output, /^stored [0-9a-f-]{36}$/m)
  })

  it('gives up after two seconds with an error of its own', async () => {
    const key = await t.makeKey({ rate_limit: 1 })
    await publish(event, { key })
    await assert.rejects(run('one', key), /no event was taken at .* within 2 seconds/)
  })
})
