import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { CallToolResult, Progress, Tool } from '@modelcontextprotocol/sdk/types.js'
import type { FetchLike, Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { Connection, EventPage } from '@sluice/protocol'
import { openTestHub, type TestHub } from '../../test-hub.ts'

let t: TestHub
const integrations = new URL('test-integrations', import.meta.url).pathname

before(async () => {
  t = await openTestHub({
    integrations,
    roles: ['http'],
    publicUrl: 'https://hub.example',
    corsOrigins: ['https://app.example'],
  })
})
after(() => t.close())

type Connected = AsyncDisposable & { readonly client: Client; readonly transport: StreamableHTTPClientTransport }

async function connect(key = t.adminKey, url = t.hub.url, fetchLike?: FetchLike): Promise<Connected> {
  const client = new Client({ name: 'test', version: '1.0.0' })
  const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${key}` } },
    ...(fetchLike && { fetch: fetchLike }),
  })
  // Its own type leaves out that undefined is no value of an optional member.
  await client.connect(transport as Transport)
  return { client, transport, [Symbol.asyncDispose]: () => client.close() }
}

const putConnection = (key: string, options: object = {}) =>
  t.call<Connection>('PUT', `/v1/connections/${key}`, {
    body: { integration: 'shop', credentials: { api_key: 'planted-key' }, ...options },
  })

const names = async ({ client }: Connected): Promise<string[]> =>
  (await client.listTools()).tools.map(({ name }) => name)

async function call(
  { client }: Connected,
  name: string,
  given: Record<string, unknown> = {},
): Promise<CallToolResult & { text: string }> {
  const result = (await client.callTool({ name, arguments: given })) as CallToolResult
  const [first] = result.content
  return { ...result, text: first?.type === 'text' ? first.text : '' }
}

test('actions are tools, with the connections that the key may use', async () => {
  await using mcp = await connect()
  assert.deepEqual(await names(mcp), [
    'shop_get_order',
    'test_simple_text',
    'test_error_handling',
    'test_tool_with_progress',
    'test_wait',
    'test_odd',
    'publish_event',
  ])
  const shopTool = async (): Promise<Tool | undefined> =>
    (await mcp.client.listTools()).tools.find(({ name }) => name === 'shop_get_order')
  const without = await shopTool()
  assert.match(JSON.stringify(without?.inputSchema), /sluice connections connect NAME --integration shop/)
  const refused = await call(mcp, 'shop_get_order', { number: 7 })
  assert.equal(refused.isError, true)
  assert.match(refused.text, /a person connects it at https:\/\/hub\.example\/connect\/[\w-]{43} before/)
  await putConnection('mine')
  const tool = await shopTool()
  assert.equal(tool?.title, 'The shop: Get an order')
  assert.deepEqual(tool?.inputSchema, {
    type: 'object',
    properties: {
      number: { type: 'integer' },
      connection: { type: 'string', enum: ['mine'], description: 'whose account to use' },
    },
    required: ['number', 'connection'],
  })
  assert.deepEqual(tool?.outputSchema?.required, ['number', 'paid'])
  const order = await call(mcp, 'shop_get_order', { number: 7, connection: 'mine' })
  assert.deepEqual(order.structuredContent, { number: 7, paid: true })
  assert.deepEqual([order.text, order._meta], ['{"number":7,"paid":true}', { 'sluice/cost_usd': 0.002 }])
  assert.match((await call(mcp, 'shop_get_order', { number: 7 })).text, /must be one of mine/)
  assert.match((await call(mcp, 'shop_get_order', { number: 7, connection: 'other' })).text, /must be one of mine/)
})

test('what goes wrong in a run is a result that says so, with what it cost', async () => {
  await putConnection('mine')
  await using mcp = await connect()
  const failed = await call(mcp, 'shop_get_order', { number: 404, connection: 'mine' })
  assert.deepEqual(
    [failed.isError, failed.text, failed._meta],
    [true, 'there is no such order (this cost 0.01 USD)', { 'sluice/cost_usd': 0.01 }],
  )
  const invalid = await call(mcp, 'shop_get_order', { number: 'seven', connection: 'mine' })
  assert.equal(invalid.isError, true)
  assert.match(invalid.text, /number/)
  assert.equal((await call(mcp, 'test_error_handling')).isError, true)
  assert.equal((await call(mcp, 'test_simple_text')).text, 'This is a simple text response for testing.')
  await assert.rejects(call(mcp, 'nothing'), /there is no tool "nothing"/)
})

test('schemas that few clients have seen are listed, and an input named connection is not ours', async () => {
  await using mcp = await connect()
  const odd = (await mcp.client.listTools()).tools.find(({ name }) => name === 'test_odd')
  assert.deepEqual(odd?.inputSchema.properties, { anything: {}, connection: { type: 'string' } })
  const inputs = { anything: [1], connection: 'theirs' }
  assert.deepEqual((await call(mcp, 'test_odd', inputs)).structuredContent, { given: inputs })
})

test('a call reports how far its handler is, each number larger than the last', async () => {
  await using mcp = await connect()
  const seen: Progress[] = []
  await mcp.client.callTool({ name: 'test_tool_with_progress', arguments: {} }, undefined, {
    onprogress: (progress) => void seen.push(progress),
  })
  assert.deepEqual(
    seen.map(({ message, total, progress }) => [message, total, Math.round(progress)]),
    [
      ['running for 0 s', undefined, 0],
      ['begun', 100, 0],
      [undefined, 100, 50],
      [undefined, 100, 100],
    ],
  )
  const numbers = seen.map(({ progress }) => progress)
  assert.ok(
    numbers.every((number, at) => at === 0 || number > (numbers[at - 1] ?? 0)),
    numbers.join(' '),
  )
})

// A hub waits for its runs when it is closed: this one would wait for longer than the test may take.
test('a call reports that it runs, and a cancelled one ends its run', { timeout: 40_000 }, async () => {
  await using own = await openTestHub({ integrations, roles: ['http'] })
  const told = Promise.withResolvers<void>()
  await using mcp = await connect(own.adminKey, own.hub.url, async (url, init) => {
    const response = await fetch(url, init)
    const sent = init?.body
    if (typeof sent === 'string' && sent.includes('notifications/cancelled')) told.resolve()
    return response
  })
  const cancel = new AbortController()
  const seen: number[] = []
  const waiting = mcp.client.callTool({ name: 'test_wait', arguments: {} }, undefined, {
    signal: cancel.signal,
    onprogress: ({ progress }) => {
      seen.push(progress)
      cancel.abort('enough')
    },
  })
  await assert.rejects(waiting, /enough/)
  await told.promise
  assert.deepEqual(seen, [0])
})

test('a cancelled call is not answered, and the numbers of another session are its own', async () => {
  await using mcp = await connect()
  await using other = await connect()
  const post = (session: string | undefined, body: object): Promise<Response> =>
    fetch(`${t.hub.url}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${t.adminKey}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-session-id': session ?? '',
      },
      body: JSON.stringify({ jsonrpc: '2.0', ...body }),
    })
  const { sessionId } = mcp.transport
  const running = await post(sessionId, { id: 'a', method: 'tools/call', params: { name: 'test_wait' } })
  assert.equal(running.headers.get('content-type'), 'text/event-stream')
  const cancelled = { method: 'notifications/cancelled', params: { requestId: 'a' } }
  const ended = running.text()
  assert.equal((await post(other.transport.sessionId, cancelled)).status, 202)
  const ping = await post(other.transport.sessionId, { id: 'a', method: 'ping' })
  assert.deepEqual(await ping.json(), { jsonrpc: '2.0', id: 'a', result: {} })
  assert.equal((await post(sessionId, cancelled)).status, 202)
  assert.equal(await ended, ': the answer follows\n\n')
})

test('a key sees and calls what it is allowed to, and its role decides whether it comes in', async () => {
  const narrow = await t.makeKey({ allowed_actions: ['test.s*'] })
  await using mcp = await connect(narrow)
  assert.deepEqual(await names(mcp), ['test_simple_text', 'publish_event'])
  await assert.rejects(call(mcp, 'shop_get_order', { number: 7, connection: 'mine' }), /there is no tool/)
  for (const role of ['viewer', 'publisher', 'consumer'] as const) {
    const key = await t.makeKey({ role })
    await assert.rejects(connect(key), /role/)
  }
  await assert.rejects(connect('slk_nonsense'), /Invalid or missing API key|Unauthorized|401/)
})

test("a connection of one user is none of another's", async () => {
  const [ada, bob] = [await t.makeKey({ user_id: 'ada' }), await t.makeKey({ user_id: 'bob' })]
  await t.call('PUT', '/v1/connections/adas', {
    key: ada,
    body: { integration: 'shop', credentials: { api_key: 'x' }, grant: 'user' },
  })
  await using hers = await connect(ada)
  await using his = await connect(bob)
  assert.equal((await call(hers, 'shop_get_order', { number: 7, connection: 'adas' })).isError, undefined)
  assert.equal((await call(his, 'shop_get_order', { number: 7, connection: 'adas' })).isError, true)
  assert.doesNotMatch(JSON.stringify(await his.client.listTools()), /adas/)
})

test('a session is good for the key that opened it', async () => {
  await using mcp = await connect()
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
  const headers = { 'mcp-session-id': mcp.transport.sessionId ?? '' }
  assert.notEqual(mcp.transport.sessionId, undefined)
  assert.equal((await t.call('POST', '/mcp', { body, headers })).status, 200)
  const other = await t.makeKey({})
  const refused = await t.call<{ error: { message: string }; error_code: string }>('POST', '/mcp', {
    body,
    headers,
    key: other,
  })
  assert.deepEqual([refused.status, refused.body.error_code], [404, 'not-found'])
  assert.match(refused.body.error.message, /initialize/)
  assert.equal((await t.call('POST', '/mcp', { body, key: other })).status, 200)
})

test('pages of strangers are refused', async () => {
  const body = { jsonrpc: '2.0', id: 1, method: 'ping' }
  const from = async (origin: string): Promise<number> =>
    (await t.call('POST', '/mcp', { body, headers: { origin } })).status
  for (const origin of ['http://localhost:3000', 'http://127.0.0.1', 'https://hub.example', 'https://app.example'])
    assert.equal(await from(origin), 200, origin)
  for (const origin of ['https://evil.example', 'http://localhost.evil.example', 'null', 'https://hub.example.evil'])
    assert.equal(await from(origin), 403, origin)
})

test('a limited key is limited here too', async () => {
  const key = await t.makeKey({ rate_limit: 1 })
  const body = { jsonrpc: '2.0', id: 1, method: 'ping' }
  assert.equal((await t.call('POST', '/mcp', { body, key })).status, 200)
  const { status, body: problem } = await t.call<{ jsonrpc: string; error: { code: number } }>('POST', '/mcp', {
    body,
    key,
  })
  assert.deepEqual([status, problem.jsonrpc, problem.error.code], [429, '2.0', -32_000])
})

test('an agent publishes an event', async () => {
  await using mcp = await connect()
  const event = { event_type: 'agent.noted', payload: { n: 1 }, idempotency_key: 'one' }
  const first = JSON.parse((await call(mcp, 'publish_event', event)).text)
  const again = JSON.parse((await call(mcp, 'publish_event', event)).text)
  assert.deepEqual([first.status, again.status, again.event_id], ['accepted', 'duplicate', first.event_id])
  const { body } = await t.call<EventPage>('GET', '/v1/events/inbox')
  assert.deepEqual(
    body.events.map(({ event_type: type }) => type),
    ['agent.noted'],
  )
  const refused = await call(mcp, 'publish_event', { payload: {} })
  assert.deepEqual([refused.isError, /event_type/.test(refused.text)], [true, true])
  const limited = await t.makeKey({ allowed_event_types: ['a.*'] })
  await using other = await connect(limited)
  assert.equal((await call(other, 'publish_event', event)).isError, true)
})

async function makeBig(folder: string): Promise<void> {
  const names = Array.from({ length: 101 }, (_, index) => `action_${index}`)
  const actions = names.map((name) => [name, { description: name, input_schema: {}, output_schema: {} }])
  const config = { name: 'Big', version: '1.0.0', description: 'big', actions: Object.fromEntries(actions) }
  const handlers = `import { Integration } from '@sluice/sdk/integration'
const integration = await Integration.load()
for (const name of ${JSON.stringify(names)}) integration.action(name, (inputs) => ({ data: { name, inputs } }))
export default integration`
  await mkdir(join(folder, 'big'))
  await symlink(resolve('node_modules'), join(folder, 'big', 'node_modules'))
  await writeFile(join(folder, 'big', 'config.json'), JSON.stringify(config))
  await writeFile(join(folder, 'big', 'integration.ts'), handlers)
}

test('a key with more than a hundred actions finds and runs them with two tools', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-big-'))
  try {
    await makeBig(folder)
    await using own = await openTestHub({ integrations: folder, roles: ['http'] })
    await using mcp = await connect(own.adminKey, own.hub.url)
    assert.deepEqual(await names(mcp), ['search_actions', 'run_action', 'publish_event'])
    const found = JSON.parse((await call(mcp, 'search_actions', { query: 'action_77' })).text)
    assert.deepEqual(found, {
      actions: [{ action: 'big.action_77', description: 'action_77', input_schema: {}, connections: null }],
      found: 1,
    })
    const ran = await call(mcp, 'run_action', { action: 'big.action_77', inputs: { a: 1 } })
    assert.deepEqual(JSON.parse(ran.text), { name: 'action_77', inputs: { a: 1 } })
    assert.match((await call(mcp, 'run_action', { action: 'big.other' })).text, /search_actions names them/)
    const few = { user_id: 'few', allowed_actions: ['big.action_1*'] }
    await using narrow = await connect(await own.makeKey(few), own.hub.url)
    assert.equal((await names(narrow)).length, 13)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a failure of the hub itself is told without its cause', async () => {
  const data = await mkdtemp(join(tmpdir(), 'sluice-sealed-'))
  const body = { integration: 'shop', credentials: { api_key: 'x' } }
  try {
    let key = ''
    {
      await using before = await openTestHub({ data, integrations })
      key = before.adminKey
      await before.call('PUT', '/v1/connections/old', { body })
    }
    await using other = await openTestHub({
      data,
      integrations,
      secretKeys: [new Uint8Array(32).fill(8)],
      roles: ['http'],
    })
    await using mcp = await connect(key, other.hub.url)
    const failing = call(mcp, 'shop_get_order', { number: 7, connection: 'old' })
    await assert.rejects(failing, ({ code, message }: Error & { code: number }) => {
      assert.equal(code, -32_603)
      assert.match(message, /its log holds the cause under [\w-]+$/)
      return true
    })
  } finally {
    await rm(data, { recursive: true })
  }
})
