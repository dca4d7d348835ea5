import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { KeyWithSecret } from '@sluice/protocol'
import { openTestHub, type TestHub } from '../test-hub.ts'

const event = JSON.stringify({ event_type: 'a', payload: {} })

let t: TestHub
let nowSeconds = Date.UTC(2026, 0, 1) / 1000

before(async () => {
  t = await openTestHub()
})
after(() => t.close())

async function makeKey(): Promise<KeyWithSecret> {
  const body = { user_id: 'u', role: 'creator', hmac: true }
  return (await t.call<KeyWithSecret>('POST', '/v1/keys', { body })).body
}

function sign(
  { key_id: keyId, hmac_secret: secret = '' }: KeyWithSecret,
  target: string,
  body: string,
): Record<string, string> {
  const hex = createHmac('sha256', secret).update(`POST\n${target}\n${nowSeconds}\n${body}`).digest('hex')
  const timestamp = String(nowSeconds)
  return { 'X-Sluice-Key-Id': keyId, 'X-Sluice-Timestamp': timestamp, 'X-Sluice-Signature': `sha256=${hex}` }
}

test('takes no more events from an inbox, unless it names its lease: then they are the same', async () => {
  const key = await makeKey()
  await t.call('PUT', '/v1/inboxes/leased', { body: { start: 'latest' } })
  await t.call('POST', '/v1/events/batch', { body: `[${event},${event},${event}]` })
  const target = '/v1/inboxes/leased/lease'
  const lease = async (body: string): Promise<string> => {
    const headers = sign(key, target, body)
    const { status, text } = await t.call('POST', target, { key: null, body, headers })
    return `${status} ${text}`
  }
  const named = '{"limit":1,"lease_id":"l1"}'
  const [first, again] = [await lease(named), await lease(named)]
  assert.match(first, /^200 .*"event_id"/)
  assert.equal(again.replaceAll(/"leased_until":"[^"]*"/g, ''), first.replaceAll(/"leased_until":"[^"]*"/g, ''))
  assert.match(await lease('{"limit":1}'), /^200 .*"event_id"/)
  assert.match(await lease('{"limit":1}'), /^409 .*conflict/)
})

test('does what it asks for once on every route that is not repeatable', async () => {
  const key = await makeKey()
  await t.call('PUT', '/v1/inboxes/once', { body: {} })
  for (const target of ['/v1/inboxes/once/pause', '/v1/inboxes/once/stream/ticket']) {
    const headers = sign(key, target, '')
    assert.equal((await t.call('POST', target, { key: null, headers })).status, 200, target)
    assert.equal((await t.fail('POST', target, { key: null, headers })).error_code, 'conflict', target)
    nowSeconds += 1
    t.advance(1000)
    assert.equal((await t.call('POST', target, { key: null, headers: sign(key, target, '') })).status, 200)
  }
})
