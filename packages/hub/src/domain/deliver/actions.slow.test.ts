import assert from 'node:assert/strict'
import { once } from 'node:events'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import type { Attempt, DeadLetter, Event, Inbox, Verdict } from '@sluice/protocol'
import { eventually } from '../../test-eventually.ts'
import { openTestHub, type TestHub } from '../../test-hub.ts'

type Heard = { readonly key: string | undefined; readonly say: unknown; readonly metadata: Record<string, unknown> }

let t: TestHub
let url: string
let heard: Heard[] = []
let answer: () => [status: number, headers?: Record<string, string>] = () => [200]
const server = createServer(async (request, response) => {
  const body = JSON.parse(Buffer.concat(await request.toArray()).toString()) as Omit<Heard, 'key'>
  heard.push({ key: request.headers['idempotency-key']?.toString(), ...body })
  const [status, headers = {}] = answer()
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end('{"n":1}')
})

before(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/do`
  const integrations = new URL('../../test-integrations', import.meta.url).pathname
  t = await openTestHub({ integrations, allowCidr: ['127.0.0.0/8'], roles: ['deliver', 'schedule'], clock: Date.now })
})
after(async () => {
  await t.close()
  server.close()
})
beforeEach(() => {
  heard = []
  answer = () => [200]
})

let made = 0
type Change = { readonly action?: object; readonly [setting: string]: unknown }

/** An inbox of its own for each test, which wants its own events. */
async function put({ action, ...change }: Change = {}, key?: string): Promise<string> {
  made += 1
  const name = `a${made}`
  const body = {
    filter: { event_types: [`test.${name}`] },
    retry: { schedule_seconds: [0] },
    action: {
      integration: 'vendor',
      action: 'do',
      inputs: { url, how: '=payload.how', say: '=payload.say' },
      ...action,
    },
    ...change,
  }
  const answered = await t.call('PUT', `/v1/inboxes/${name}`, { body, ...(key !== undefined && { key }) })
  assert.equal(answered.status, 201, answered.text)
  return name
}

async function publish(name: string, payload: object, more: object = {}): Promise<string> {
  const body = { event_type: `test.${name}`, payload, ...more }
  return (await t.call<{ event_id: string }>('POST', '/v1/events', { body })).body.event_id
}

const show = async (name: string): Promise<Inbox> => (await t.call<Inbox>('GET', `/v1/inboxes/${name}`)).body
const attempts = async (name: string): Promise<Attempt[]> =>
  (await t.call<{ attempts: Attempt[] }>('GET', `/v1/inboxes/${name}/attempts?limit=200`)).body.attempts.toReversed()
const letters = async (name: string): Promise<DeadLetter[]> =>
  (await t.call<{ dead_letters: DeadLetter[] }>('GET', `/v1/inboxes/${name}/dead-letters`)).body.dead_letters
const isOver = ({ behind, waiting, leased, parked }: Inbox): boolean => behind + waiting + leased + parked === 0
const over = (name: string): Promise<Inbox> => eventually(() => show(name), isOver)

test('an event becomes an action, with inputs made of it and a key of its own', async () => {
  const name = await put()
  const id = await publish(name, { say: { n: 7 } })
  await over(name)
  const [one, ...more] = heard
  assert.deepEqual(more, [])
  assert.deepEqual(one?.say, { n: 7 })
  assert.deepEqual(one?.metadata, {
    idempotency_key: `${id}.${name}`,
    event_id: id,
    workspace: 'default',
    inbox: name,
    attempt: 1,
    previous_outcome: null,
  })
  assert.match(one?.key ?? '', /^[0-9a-f-]{36}$/)
  const [delivered] = await attempts(name)
  assert.deepEqual([delivered?.event_id, delivered?.outcome, delivered?.result], [id, 'delivered', 'action'])
  assert.ok((delivered?.ms ?? -1) >= 0)
  const { body } = await t.call<{ verdicts: Verdict[] }>('GET', `/v1/events/${id}/explain`)
  const verdict = body.verdicts.find(({ inbox }) => inbox === name)
  assert.deepEqual([verdict?.verdict, verdict?.history.map(({ outcome }) => outcome)], ['acknowledged', ['delivered']])
})

test('an action that refuses is tried as often as the inbox says, and nothing else waits for it', async () => {
  const name = await put({ max_attempts: 3 })
  const bad = await publish(name, { how: 'refuse' })
  const good = await publish(name, {})
  assert.equal((await over(name)).dead, 1)
  const seen = (await attempts(name)).map(({ event_id: id, attempt, outcome, result }) => [
    id,
    attempt,
    outcome,
    result,
  ])
  assert.deepEqual(
    seen.filter(([id]) => id === bad),
    [
      [bad, 1, 'released', 'action_error'],
      [bad, 2, 'released', 'action_error'],
      [bad, 3, 'dead', 'action_error'],
    ],
  )
  assert.deepEqual(seen.filter(([id]) => id === good).length, 1)
  assert.match((await letters(name))[0]?.reason ?? '', /I will not/)
  const keys = heard.filter(({ metadata }) => metadata['event_id'] === bad).map(({ key }) => key)
  assert.equal(keys.length, 3)
  assert.equal(new Set(keys).size, 1, 'the key is that of the event')
})

const final: readonly (readonly [what: string, change: Change, payload: object, reason: RegExp, calls: number])[] = [
  [
    'inputs that its schema refuses',
    { action: { inputs: { url: '=payload.url' } } },
    { url: 7 },
    /validation_error: .*url/,
    0,
  ],
  [
    'an expression that fails',
    { action: { inputs: '={"url": $number(payload.x)}' } },
    { x: 'y' },
    /could not be made of the event/,
    0,
  ],
  ['inputs that are no object', { action: { inputs: '=payload.x' } }, { x: [1] }, /no object/, 0],
  ['a result that its schema refuses', {}, { how: 'odd' }, /validation_error: .*object/, 1],
  [
    'an action that ends its process, where nothing may be done twice',
    { on_unknown: 'stop' },
    { how: 'exit' },
    /outcome unknown/,
    1,
  ],
  [
    'an action that throws, where nothing may be done twice',
    { on_unknown: 'stop' },
    { how: 'throw' },
    /I did not expect that/,
    1,
  ],
  [
    'an action that takes too long, where nothing may be done twice',
    { on_unknown: 'stop', action: { inputs: { url: '=payload.url', how: 'hang' }, timeout_seconds: 3 } },
    {},
    /outcome unknown: .*3000 ms/,
    1,
  ],
]
for (const [what, change, payload, reason, calls] of final) {
  test(`${what}: the event is a dead letter after one attempt`, async () => {
    const name = await put(change)
    await publish(name, { url, ...payload })
    assert.equal((await over(name)).dead, 1)
    const [letter] = await letters(name)
    assert.match(letter?.reason ?? '', reason)
    assert.deepEqual([letter?.attempts, heard.length], [1, calls])
  })
}

test('a handler that ends its process is tried again, and knows it', async () => {
  const name = await put()
  await t.call('PATCH', `/v1/inboxes/${name}`, {
    body: { action: { integration: 'vendor', action: 'do', inputs: { url, how: "=attempt = 1 ? 'exit' : 'ok'" } } },
  })
  await publish(name, {})
  await over(name)
  assert.deepEqual(
    heard.map(({ metadata }) => [metadata['attempt'], metadata['previous_outcome']]),
    [
      [1, null],
      [2, 'unknown'],
    ],
  )
  assert.equal(heard[0]?.key, heard[1]?.key)
})

test('a rate limit stops the inbox for so long, and costs no attempt', async () => {
  const name = await put()
  answer = () => (heard.length === 1 ? [429, { 'retry-after': '1' }] : [200])
  await publish(name, {})
  await over(name)
  assert.deepEqual(
    heard.map(({ metadata }) => metadata['attempt']),
    [1, 1],
  )
  assert.deepEqual(
    (await attempts(name)).map(({ outcome, attempt }) => [outcome, attempt]),
    [['delivered', 1]],
  )
})

test('the result becomes an event, once and with the way that it came', async () => {
  const name = await put({ action: { result_event_type: 'test.results' } })
  const id = await publish(name, {}, { subject: 's-1' })
  const read = () => t.call<{ events: Event[] }>('GET', '/v1/events?event_type=test.results')
  const { body } = await eventually(read, ({ body: page }) => page.events.length > 0)
  const [result] = body.events
  assert.deepEqual(
    [result?.payload, result?.source, result?.subject, result?.correlation_id],
    [{ n: 1 }, 'vendor', 's-1', id],
  )
  assert.deepEqual(result?.metadata, { inbox: name, action: 'do', event_id: id })
})

test('a loop of results ends, and says why', async () => {
  made += 1
  const name = `a${made}`
  const body = {
    filter: { event_types: [`test.${name}`] },
    action: { integration: 'vendor', action: 'do', inputs: { url }, result_event_type: `test.${name}` },
  }
  await t.call('PUT', `/v1/inboxes/${name}`, { body })
  await publish(name, {})
  await eventually(
    () => show(name),
    (inbox) => inbox.dead === 1 && isOver(inbox),
  )
  assert.equal(heard.length, 16)
  assert.match((await letters(name))[0]?.reason ?? '', /the result of 16 actions/)
})

test('events of one subject are done one after the other', async () => {
  const name = await put({ ordering: 'key', action: { concurrency: 8 } })
  for (let n = 0; n < 4; n += 1)
    for (const subject of ['a', 'b']) await publish(name, { say: [subject, n] }, { subject })
  await over(name)
  for (const subject of ['a', 'b'])
    assert.deepEqual(
      heard.map(({ say }) => say as [string, number]).filter(([of]) => of === subject),
      [0, 1, 2, 3].map((n) => [subject, n]),
    )
})

test('what cannot be an action is refused when it is put, and every fault named', async () => {
  const refusal = async (action: object, key?: string) =>
    t.fail('PUT', '/v1/inboxes/refused', { body: { action }, ...(key !== undefined && { key }) })
  const good = { integration: 'vendor', action: 'do' }
  assert.equal((await refusal({ ...good, integration: 'nothing' })).status, 404)
  assert.equal((await refusal({ ...good, action: 'nothing' })).status, 404)
  assert.equal((await refusal({ integration: 'echo', action: 'say' })).status, 400)
  assert.equal((await refusal({ ...good, connection: 'nobodys' })).status, 404)
  const { errors } = await refusal({ ...good, inputs: { a: '=payload.(', b: ['=)'] } })
  assert.deepEqual(
    errors?.map(({ pointer }) => pointer),
    ['/action/inputs/a', '/action/inputs/b/0'],
  )
  assert.equal((await refusal({ ...good, inputs: 'no expression' })).status, 400)
  assert.equal((await refusal({ ...good, result_event_type: 'sluice.mine' })).status, 400)
  const consumer = await t.makeKey({ role: 'consumer' })
  assert.match((await refusal(good, consumer)).detail, /role consumer/)
  const other = await t.makeKey({ role: 'creator', allowed_actions: ['echo.*'] })
  assert.match((await refusal(good, other)).detail, /may not run "vendor.do"/)
  const quiet = await t.makeKey({ role: 'creator', allowed_event_types: ['other.*'] })
  assert.match((await refusal({ ...good, result_event_type: 'test.x' }, quiet)).detail, /may not publish/)
})

test('without its key an inbox stops and keeps its events; who sends the action anew takes it over', async () => {
  const key = await t.makeKey({ role: 'creator', user_id: 'ada' })
  const name = await put({}, key)
  const keyId = (await show(name)).door?.key_id ?? ''
  await t.call('DELETE', `/v1/keys/${keyId}`)
  await publish(name, {})
  const stopped = await eventually(
    () => show(name),
    ({ status }) => status === 'disabled',
  )
  assert.match(stopped.door?.reason ?? '', /is revoked/)
  assert.equal(heard.length, 0)
  const { action } = stopped
  const { body } = await t.call<Inbox>('PATCH', `/v1/inboxes/${name}`, { body: { action } })
  assert.deepEqual([body.status, body.door?.reason], ['active', null])
  assert.notEqual(body.door?.key_id, keyId)
  await over(name)
  assert.equal(heard.length, 1)
})

test('a connection that is gone breaks the inbox, which goes on by itself once there is one', async () => {
  await t.call('PUT', '/v1/connections/words', { body: { integration: 'echo', credentials: { api_key: 'k-1234' } } })
  const name = await put({
    action: { integration: 'echo', action: 'say', connection: 'words', inputs: { word: 'hello' } },
  })
  await t.call('DELETE', '/v1/connections/words')
  const id = await publish(name, {})
  const broken = await eventually(
    () => show(name),
    ({ status }) => status === 'broken',
  )
  assert.match(broken.door?.reason ?? '', /connection "words" does not exist/)
  assert.ok(broken.door?.probe_at)
  // The connection has told of its end: whether the inbox has looked at that already, `behind` tells, and no rule.
  assert.deepEqual([isOver(broken), await attempts(name)], [false, []])
  await t.call('PUT', '/v1/connections/words', { body: { integration: 'echo', credentials: { api_key: 'k-1234' } } })
  await t.call('POST', `/v1/inboxes/${name}/resume`)
  const mended = await over(name)
  assert.deepEqual([mended.status, mended.door?.reason, mended.dead], ['active', null, 0])
  assert.deepEqual(
    (await attempts(name)).map(({ event_id: of, outcome }) => [of, outcome]),
    [[id, 'delivered']],
  )
})

test('a long run of failures breaks the inbox: what is left waits', async () => {
  const name = await put({ max_attempts: 1, action: { concurrency: 1 } })
  for (let n = 0; n < 14; n += 1) await publish(name, { how: 'refuse' })
  const broken = await eventually(
    () => show(name),
    ({ status }) => status === 'broken',
  )
  assert.match(broken.door?.reason ?? '', /run of failures.*I will not/)
  const { dead, behind, leased } = await eventually(
    () => show(name),
    ({ leased: held }) => held === 0,
  )
  assert.deepEqual([dead, behind, leased], [10, 4, 0])
})

test('a paused inbox does nothing until it is resumed, one without its action hands out to whoever comes', async () => {
  const name = await put()
  await t.call('POST', `/v1/inboxes/${name}/pause`)
  await publish(name, {})
  await t.call('POST', `/v1/inboxes/${name}/resume`)
  await over(name)
  assert.equal(heard.length, 1)
  const { body } = await t.call<Inbox>('PATCH', `/v1/inboxes/${name}`, { body: { action: null } })
  assert.equal(body.door, null)
  const id = await publish(name, {})
  const { body: lease } = await t.call<{ events: Event[] }>('POST', `/v1/inboxes/${name}/lease`, {
    body: { wait_seconds: 5 },
  })
  assert.equal(lease.events[0]?.event_id, id)
})

test('an integration that cannot be loaded is no reason to give up an event, even where nothing may be done twice', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-deploy-'))
  const source = new URL('../../test-integrations/vendor', import.meta.url)
  await cp(source, join(folder, 'vendor'), { recursive: true })
  await writeFile(join(folder, 'vendor', 'integration.ts'), 'throw new Error("a bad deploy")\n')
  {
    await using hub = await openTestHub({ integrations: folder, roles: ['deliver', 'schedule'], clock: Date.now })
    const action = { integration: 'vendor', action: 'do', inputs: { url } }
    const body = { filter: { event_types: ['test.pay'] }, on_unknown: 'stop', action }
    await hub.call('PUT', '/v1/inboxes/pay', { body })
    await hub.call('POST', '/v1/events', { body: { event_type: 'test.pay', payload: {} } })
    const inbox = await eventually(
      async () => (await hub.call<Inbox>('GET', '/v1/inboxes/pay')).body,
      ({ door, leased }) => leased === 0 && door?.reason != null,
    )
    assert.match(inbox.door?.reason ?? '', /nothing was run: .*a bad deploy/)
    assert.equal(inbox.dead, 0)
  }
  await rm(folder, { recursive: true })
})
