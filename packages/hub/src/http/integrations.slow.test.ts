import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { AuditEntry, Connection, Integration, RunResult } from '@sluice/protocol'
import { openTestHub, type TestHub } from '../test-hub.ts'

let t: TestHub
const say = '/v1/integrations/echo/actions/say'

before(async () => {
  t = await openTestHub({ integrations: new URL('../test-integrations', import.meta.url).pathname })
})
after(() => t.close())

const connect = (key: string, body: object = {}, options: object = {}) =>
  t.call<Connection>('PUT', `/v1/connections/${key}`, {
    body: { integration: 'echo', credentials: { api_key: 'planted-key' }, ...body },
    ...options,
  })

test('integrations are listed with their actions and triggers', async () => {
  const { body } = await t.call<{ integrations: Integration[] }>('GET', '/v1/integrations')
  const [echo] = body.integrations
  assert.deepEqual([body.integrations.length, echo?.name, echo?.auth?.type], [3, 'echo', 'custom'])
  assert.deepEqual(
    echo?.actions.map(({ name }) => name),
    ['say', 'crash'],
  )
  assert.equal(echo?.polling_triggers[0]?.polling_interval, '5m')
  assert.equal((await t.call('GET', '/v1/integrations/echo')).status, 200)
  assert.match((await t.fail('GET', '/v1/integrations/other')).message, /--integrations DIR/)
})

test('a connection is made, shown without its secret, used, replaced and removed', async () => {
  const made = await connect('mine')
  assert.equal(made.status, 201)
  assert.deepEqual([made.body.account?.username, made.body.account_error, made.body.grant], ['echo', null, 'workspace'])
  const ran = await t.call<RunResult>('POST', say, { body: { inputs: { word: 'hi' }, connection: 'mine' } })
  const { ms, ...envelope } = ran.body
  assert.ok(ms >= 0)
  assert.deepEqual(envelope, {
    version: '2.0.0',
    type: 'action',
    result: { data: { said: 'hi', key_length: 'planted-key'.length }, cost_usd: 0.001 },
  })
  const replaced = await connect('mine', { credentials: { api_key: 'refused-planted' } })
  assert.deepEqual([replaced.status, replaced.body.account], [200, null])
  assert.match(replaced.body.account_error ?? '', /knows no such key/)
  const listed = await t.call<{ connections: Connection[] }>('GET', '/v1/connections')
  assert.deepEqual(
    listed.body.connections.map(({ key }) => key),
    ['mine'],
  )
  assert.doesNotMatch(made.text + listed.text + ran.text + replaced.text, /planted/)
  assert.equal((await t.call('DELETE', '/v1/connections/mine')).status, 204)
  assert.equal((await t.fail('GET', '/v1/connections/mine')).error_code, 'not-found')
  const audit = await t.call<{ entries: AuditEntry[] }>('GET', '/v1/audit')
  assert.deepEqual(
    audit.body.entries.filter(({ target }) => target === 'mine').map(({ verb }) => verb),
    ['connection.remove', 'connection.replace', 'connection.create'],
  )
  assert.doesNotMatch(audit.text, /planted/)
})

test('what goes wrong in a run is its result, and the hub goes on', async () => {
  await connect('c')
  const run = async (action: string, inputs: object): Promise<RunResult> =>
    (await t.call<RunResult>('POST', `/v1/integrations/echo/actions/${action}`, { body: { inputs, connection: 'c' } }))
      .body
  assert.deepEqual((await run('say', { word: 'no' })).result, { message: 'I will not say that', cost_usd: 0.01 })
  assert.equal((await run('say', { word: 7 })).type, 'validation_error')
  const crashed = await run('crash', {})
  assert.deepEqual([crashed.type, crashed.result['cost_usd']], ['error', null])
  assert.match(String(crashed.result['message']), /exit code 7/)
  assert.equal((await run('say', { word: 'hi' })).type, 'action')
})

test('a polling trigger is asked once', async () => {
  await connect('c')
  const body = { connection: 'c', last_poll_ts: '2026-01-01T00:00:00Z' }
  const { body: polled } = await t.call<RunResult>('POST', '/v1/integrations/echo/polling-triggers/new_word/poll', {
    body,
  })
  assert.deepEqual(
    [polled.type, polled.result],
    [
      'polling_trigger',
      {
        records: [
          { id: 'a', data: { word: 'first', lastPollTs: '2026-01-01T00:00:00Z' } },
          { id: 'b', data: { word: 'second' } },
        ],
        state: null,
      },
    ],
  )
})

test('wrong credentials are refused by what is wrong, without their values, and nothing is stored', async () => {
  for (const credentials of [undefined, {}, { api_key: 7 }]) {
    const problem = await t.fail('PUT', '/v1/connections/bad', { body: { integration: 'echo', credentials } })
    assert.equal(problem.error_code, 'validation-error')
  }
  const planted = await t.fail('PUT', '/v1/connections/bad', {
    body: { integration: 'echo', credentials: { api_key: ['planted'] } },
  })
  assert.doesNotMatch(JSON.stringify(planted), /planted/)
  assert.equal((await t.fail('GET', '/v1/connections/bad')).error_code, 'not-found')
  assert.equal((await t.fail('POST', say, { body: { inputs: { word: 'a' } } })).error_code, 'validation-error')
  assert.equal(
    (await t.fail('PUT', '/v1/connections/Bad Key', { body: { integration: 'echo' } })).error_code,
    'validation-error',
  )
})

test("a user's connection is for that user's keys, and for administrators", async () => {
  const [ada, bob] = [await t.makeKey({ user_id: 'ada' }), await t.makeKey({ user_id: 'bob' })]
  await connect('adas', { grant: 'user' }, { key: ada })
  const body = { inputs: { word: 'hi' }, connection: 'adas' }
  assert.equal((await t.call('POST', say, { body, key: ada })).status, 200)
  assert.equal((await t.fail('POST', say, { body, key: bob })).error_code, 'not-found')
  assert.equal((await t.fail('GET', '/v1/connections/adas', { key: bob })).error_code, 'not-found')
  assert.equal(
    (
      await t.fail('PUT', '/v1/connections/adas', {
        key: bob,
        body: { integration: 'echo', credentials: { api_key: 'x' } },
      })
    ).error_code,
    'forbidden',
  )
  assert.doesNotMatch((await t.call('GET', '/v1/connections', { key: bob })).text, /adas/)
  assert.equal((await t.call('POST', say, { body })).status, 200)
})

test('a key runs the actions that it is allowed to', async () => {
  await connect('c')
  const narrow = await t.makeKey({ allowed_actions: ['echo.s*'] })
  const body = { inputs: { word: 'hi' }, connection: 'c' }
  assert.equal((await t.call('POST', say, { body, key: narrow })).status, 200)
  assert.equal(
    (await t.fail('POST', '/v1/integrations/echo/actions/crash', { body, key: narrow })).error_code,
    'forbidden',
  )
  const viewer = await t.makeKey({ role: 'viewer' })
  assert.equal((await t.fail('POST', say, { body, key: viewer })).error_code, 'forbidden')
})

test('a secret of a connection comes back in no answer, wherever a handler puts it', async () => {
  await connect('c')
  const texts = await Promise.all(
    ['leak', 'key'].map(
      async (word) => (await t.call('POST', say, { body: { inputs: { word }, connection: 'c' } })).text,
    ),
  )
  assert.doesNotMatch(texts.join(), /planted/)
  assert.match(texts.join(), /key=\[redacted\] failed.*"said":"\[redacted\]"/)
})

test("another user's key may use a connection of the workspace, not take it over", async () => {
  const [ada, bob] = [await t.makeKey({ user_id: 'ada' }), await t.makeKey({ user_id: 'bob' })]
  await connect('shared', {}, { key: ada })
  const body = { integration: 'echo', credentials: { api_key: 'other' } }
  assert.equal((await t.fail('PUT', '/v1/connections/shared', { body, key: bob })).error_code, 'forbidden')
  assert.equal((await t.fail('DELETE', '/v1/connections/shared', { key: bob })).error_code, 'forbidden')
  const run = { inputs: { word: 'hi' }, connection: 'shared' }
  assert.equal((await t.call('POST', say, { body: run, key: bob })).status, 200)
  const replaced = await connect('shared', { credentials: { api_key: 'of the administrator' } })
  assert.deepEqual([replaced.status, replaced.body.user_id], [200, 'ada'])
})
