import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestHub, type TestHub } from '../test-hub.ts'

type Frames = { readonly next: () => Promise<{ event: string; data: Record<string, unknown> }> } & AsyncDisposable

async function tail(t: TestHub, query: string, key = t.adminKey): Promise<Frames> {
  const gone = new AbortController()
  const options = { headers: { authorization: `Bearer ${key}` }, signal: gone.signal }
  const response = await t.hub.app.request(`/v1/events/stream?${query}`, options)
  assert.equal(response.status, 200)
  const pieces = response.body?.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]()
  // The first piece says that nothing is missed from then on.
  assert.match((await pieces?.next())?.value ?? '', /^: /)
  return {
    next: async () => {
      const { value = '' } = (await pieces?.next()) ?? {}
      const [, event = '', data = '{}'] = /^event: (\w+)\ndata: (.*)\n\n$/s.exec(value) ?? []
      return { event, data: JSON.parse(data) as Record<string, unknown> }
    },
    [Symbol.asyncDispose]: async () => {
      gone.abort()
      await pieces?.return?.()
    },
  }
}

const many = (count: number, event_type: string) =>
  Array.from({ length: count }, (_, n) => ({ event_type, payload: { n } }))

test('of a flood a sample is sent, and how many there were', async () => {
  await using t = await openTestHub()
  await t.call('POST', '/v1/events', { body: { event_type: 'before', payload: {} } })
  await using frames = await tail(t, 'event_type=order.*&per_second=10')
  await t.call('POST', '/v1/events/batch', { body: [...many(300, 'order.created'), ...many(50, 'other')] })
  let sent = 0
  let counted = { seen: 0, shown: 0 }
  while (counted.seen < 300) {
    const { event, data } = await frames.next()
    if (event === 'event') {
      assert.equal(data['event_type'], 'order.created')
      sent += 1
    } else counted = { seen: counted.seen + Number(data['seen']), shown: counted.shown + Number(data['shown']) }
  }
  assert.equal(counted.seen, 300)
  assert.equal(counted.shown, sent)
  assert.ok(sent >= 10 && sent < 300, String(sent))
})

test('it is of one workspace, for those who may read, and ends with the key', async () => {
  await using t = await openTestHub()
  await t.call('PUT', '/v1/workspaces/other')
  const made = await t.call<{ key_id: string; api_key: string }>('POST', '/v1/keys', {
    body: { user_id: 'u', role: 'viewer', workspace: 'other' },
  })
  const { api_key: key, key_id: id } = made.body
  await using frames = await tail(t, '', key)
  await t.call('POST', '/v1/events', { body: { event_type: 'mine', payload: {} } })
  const admin = await t.makeKey({ workspace: 'other', role: 'admin' })
  await t.call('POST', '/v1/events', { key: admin, body: { event_type: 'theirs', payload: {} } })
  assert.equal((await frames.next()).data['event_type'], 'theirs')
  await t.call('DELETE', `/v1/keys/${id}`)
  // Told of by the second; the last frame may be the one that was on its way.
  for (let frame = await frames.next(); frame.event !== ''; frame = await frames.next())
    assert.equal(frame.event, 'pace')
  const consumer = await t.makeKey({ role: 'consumer' })
  assert.equal((await t.fail('GET', '/v1/events/stream', { key: consumer })).error_code, 'forbidden')
})
