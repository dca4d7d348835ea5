import assert from 'node:assert/strict'
import { after, before, beforeEach, it } from 'node:test'
import { createContext } from '@sluice/sdk/integration'
import slack from './integration.ts'
import { startSlack, type FakeSlack } from './src/testing.ts'

let fake: FakeSlack
before(async () => {
  fake = await startSlack()
})
after(() => fake[Symbol.asyncDispose]())
beforeEach(() => {
  fake.messages.length = 0
  fake.asked.length = 0
  fake.channels.splice(0, Infinity, { id: 'C1', name: 'general' })
})

const open = (token = 'xoxb-test') =>
  createContext({ auth: { bot_token: token, base_url: fake.url }, requestConfig: { max_retries: 0 } })

async function run(name: string, inputs: object): Promise<Record<string, unknown>> {
  const { type, result } = await slack.executeAction(name, inputs, open())
  assert.equal(type, 'action', JSON.stringify(result))
  return (result as { data: Record<string, unknown> }).data
}

async function fail(name: string, inputs: object, context = open()): Promise<string> {
  const { type, result } = await slack.executeAction(name, inputs, context)
  assert.equal(type, 'action_error', JSON.stringify(result))
  return (result as { message: string }).message
}

it('posts a message and changes it', async () => {
  const posted = await run('post_message', { channel: '#general', text: 'Hällo', unfurl_links: false })
  assert.equal(posted['channel'], 'C1')
  await run('update_message', { channel: 'C1', ts: posted['ts'], text: 'Hello' })
  assert.deepEqual(fake.messages, [{ channel: 'C1', ts: posted['ts'], text: 'Hello' }])
})

it('lists channels over pages, also over one that is empty', async () => {
  fake.channels.push(
    ...Array.from({ length: 450 }, (_, at) => ({ id: `D${at}`, name: `c${at}`, is_archived: at < 10 })),
  )
  const all = await run('list_channels', { limit: 1000 })
  assert.deepEqual([(all['channels'] as unknown[]).length, all['more'], fake.asked.length], [441, false, 3])
  fake.failNext({ body: { ok: true, channels: [], response_metadata: { next_cursor: '1' } } })
  const few = await run('list_channels', { limit: 2, include_archived: true })
  assert.deepEqual([(few['channels'] as unknown[]).length, few['more']], [2, true])
})

it('says in words what Slack refuses, with its code', async () => {
  assert.match(await fail('post_message', { channel: 'C9', text: 'x' }), /invite the app.*\(channel_not_found\)/)
  assert.match(await fail('update_message', { channel: 'C1', ts: '1.2', text: 'x' }), /\(message_not_found\)/)
  assert.match(
    await fail('post_message', { channel: 'C1', text: 'x' }, open('xoxb-no')),
    /connect again \(invalid_auth\)/,
  )
  assert.match(await fail('post_message', { channel: 'C1' }), /needs text, blocks, or both/)
  fake.failNext({ body: { ok: false, error: 'missing_scope', needed: 'channels:read', provided: 'chat:write' } })
  assert.match(await fail('list_channels', {}), /scope \(missing_scope\); needed is channels:read, it has chat:write$/)
  fake.failNext({ body: { ok: false, error: 'a_new_one' } })
  assert.equal(await fail('list_channels', {}), 'Slack did not do conversations.list: a_new_one')
})

it('names the seconds of a rate limit, and posts once though the answer is lost', async () => {
  fake.failNext(
    { status: 429, headers: { 'retry-after': '30' }, body: { ok: false, error: 'ratelimited' } },
    { status: 503 },
  )
  assert.match(
    await fail('post_message', { channel: 'C1', text: 'x' }),
    /pause of 30 seconds before the next chat\.postMessage/,
  )
  const context = createContext({ auth: { bot_token: 'xoxb-test', base_url: fake.url }, sleep: async () => {} })
  assert.match(await fail('post_message', { channel: 'C1', text: 'x' }, context), /answered 503/)
  assert.equal(fake.asked.length, 2)
})

it('says whose the token is, and refuses one that is none of Slack before it is sent', async () => {
  const { result } = await slack.getConnectedAccount(open())
  assert.deepEqual(Object.values(result), [null, null, null, 'sluice', 'U1', null, 'Acme'])
  const { type } = await slack.getConnectedAccount(open('secret'))
  assert.equal(type, 'validation_error')
})

// A pattern that is mended away would let through what it is there to refuse.
it('needs no repair of its configuration', () => assert.deepEqual(slack.repairs, []))
