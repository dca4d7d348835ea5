import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { openTestHub, type TestHub } from '../../test-hub.ts'

let t: TestHub

before(async () => {
  t = await openTestHub({ integrations: new URL('test-integrations', import.meta.url).pathname })
})
after(() => t.close())

type Answer = { error_code?: string; id?: unknown; result?: unknown; error?: { code: number; message: string } }

const send = (body: unknown, headers: Record<string, string> = {}) => t.call<Answer>('POST', '/mcp', { body, headers })

test('the protocol version of old and new clients is taken, others are refused', async () => {
  for (const version of ['2025-03-26', '2025-06-18', '2025-11-25']) {
    const params = { protocolVersion: version, capabilities: {}, clientInfo: { name: 'a', version: '1' } }
    const { status, headers, body } = await send({ jsonrpc: '2.0', id: 1, method: 'initialize', params })
    assert.equal(status, 200)
    assert.ok(headers.get('mcp-session-id'))
    assert.equal((body.result as { protocolVersion: string }).protocolVersion, version)
    assert.equal((await send(ping, { 'mcp-protocol-version': version })).status, 200)
  }
  const refused = await send(ping, { 'mcp-protocol-version': '1999-01-01' })
  assert.deepEqual([refused.status, refused.body.error?.code], [400, -32_600])
})

const ping = { jsonrpc: '2.0', id: 1, method: 'ping' }

test('what is no message is refused, and what is not known is said', async () => {
  for (const body of [
    '{',
    '[]',
    '7',
    JSON.stringify([ping]),
    { id: 1 },
    { ...ping, jsonrpc: '1.0' },
    { ...ping, id: null },
  ]) {
    const { status, body: answer } = await send(body)
    assert.deepEqual([status, answer.error_code, answer.error?.code], [400, 'validation-error', -32_600])
  }
  const meta = { progressToken: {} }
  assert.equal((await send({ ...ping, params: { _meta: meta } })).status, 400)
  assert.equal((await send({ ...ping, method: 'resources/list' })).body.error?.code, -32_601)
  assert.equal((await send({ ...ping, method: 'tools/call', params: { name: 7 } })).status, 200)
  assert.equal((await send('{}', { 'content-type': 'text/plain' })).status, 415)
  assert.equal((await t.call('GET', '/mcp')).status, 405)
  assert.equal((await t.call('DELETE', '/mcp')).status, 405)
})

test('notifications and answers are taken without a word', async () => {
  for (const body of [
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } },
    { jsonrpc: '2.0', id: 1, result: {} },
  ]) {
    const { status, text } = await send(body)
    assert.deepEqual([status, text], [202, ''])
  }
})

test('a client that takes no stream gets the answer alone', async () => {
  const body = { ...ping, method: 'tools/call', params: { name: 'nothing', _meta: { progressToken: 1 } } }
  const whole = await send(body, { accept: 'application/json' })
  assert.equal(whole.headers.get('content-type'), 'application/json')
  assert.equal(whole.body.error?.code, -32_602)
  const stream = await send(body, { accept: 'application/json, text/event-stream' })
  assert.equal(stream.headers.get('content-type'), 'text/event-stream')
  assert.match(
    stream.text,
    /^: the answer follows\n\nevent: message\ndata: \{"method":"notifications\/progress".*\n\nevent: message\n/,
  )
})

const methods = fc.constantFrom('initialize', 'ping', 'tools/list', 'tools/call', 'notifications/cancelled', 'x', '')
const params = fc.oneof(
  fc.dictionary(
    fc.constantFrom('name', 'arguments', '_meta', 'cursor', 'task', 'requestId', '__proto__'),
    fc.jsonValue(),
  ),
  fc.record({ name: fc.constantFrom('publish_event', 'shop_get_order', '__proto__'), arguments: fc.jsonValue() }),
  fc.jsonValue(),
)
const messages = fc.record(
  {
    jsonrpc: fc.constantFrom('2.0', '2.0', '2.0', '1.0', 2),
    id: fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.double()),
    method: methods,
    params,
  },
  { requiredKeys: ['jsonrpc', 'method'] },
)

test('whatever is sent: an answer, and none of 500', async () => {
  const headers = fc.record(
    {
      accept: fc.constantFrom('', 'application/json', 'text/event-stream', 'application/json, text/event-stream'),
      'mcp-session-id': fc.constantFrom('', 'x', '.'),
      'mcp-protocol-version': fc.constantFrom('', '2025-06-18', '__proto__'),
    },
    { requiredKeys: [] },
  )
  const property = fc.asyncProperty(messages, headers, async (message, fields) => {
    const { status, text } = await send(message, fields)
    assert.ok(status < 500, text)
    assert.doesNotMatch(text, /-32603|node_modules/, text)
  })
  await fc.assert(property, { numRuns: 400 })
})
