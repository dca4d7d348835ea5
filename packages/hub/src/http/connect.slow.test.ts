import assert from 'node:assert/strict'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import type { ConnectLink, Connection, EventPage, RunResult } from '@sluice/protocol'
import { createVendor, startOAuthProvider, type OAuthProvider, type Vendor } from '@sluice/sdk/testing'
import { createSealing } from '../domain/sealing.ts'
import { openGranted, type Granted } from '../domain/connecting/tokens.ts'
import { eventually } from '../test-eventually.ts'
import { openTestHub, type TestHub } from '../test-hub.ts'

const publicUrl = 'http://127.0.0.1:9/sub'
let oauth: OAuthProvider
let vendor: Vendor
let folder: string
let t: TestHub
/** The hub's time never goes back. */
let aheadMs = 0

before(async () => {
  oauth = await startOAuthProvider()
  vendor = await createVendor()
  folder = await mkdtemp(join(tmpdir(), 'sluice-mail-'))
  await cp(new URL('../test-integrations/mail', import.meta.url), join(folder, 'mail'), { recursive: true })
  await cp(new URL('../test-integrations/echo', import.meta.url), join(folder, 'other'), { recursive: true })
  const file = join(folder, 'mail', 'config.json')
  await writeFile(file, (await readFile(file, 'utf8')).replaceAll('http://127.0.0.1:1', oauth.url))
  t = await openTestHub({
    integrations: folder,
    allowCidr: ['127.0.0.0/8'],
    publicUrl,
    corsOrigins: ['https://app.example'],
    clock: () => Date.now() + aheadMs,
  })
  const { clientId: client_id, clientSecret: client_secret } = oauth.client
  await t.call('PUT', '/v1/integrations/mail/oauth-client', { body: { client_id, client_secret } })
})
after(async () => {
  await t.close()
  await Promise.all([oauth.close(), vendor.close()])
  await rm(folder, { recursive: true })
})
beforeEach(() => {
  Object.assign(oauth.settings, { rotates: true, expiresIn: 'number', consents: true })
})

type Page = Awaited<ReturnType<TestHub['call']>>

/** What a browser asks for; addresses as the pages have them. */
const open = (method: string, url: string, options: Parameters<TestHub['call']>[2] = {}): Promise<Page> =>
  t.call(method, url.replace(publicUrl, '').replace(/^\/sub/, ''), { key: null, ...options })

const toCookie = (page: Page): { cookie: string } => ({
  cookie: (page.headers.get('set-cookie') ?? '').split(';')[0] ?? '',
})

async function link(key: string, body: object = { integration: 'mail' }): Promise<string> {
  const { status, body: made } = await t.call<ConnectLink>('POST', `/v1/connections/${key}/connect`, { body })
  assert.equal(status, 201)
  return made.url
}

/** From the page, on to the provider. */
async function leave(url: string, method: string): Promise<Page> {
  const headers = { ...toCookie(await open('GET', url)), 'sec-fetch-site': 'same-origin' }
  return open('GET', `${url}/start?method=${method}`, { headers })
}

/** The way through the provider, as a browser takes it. */
async function goThrough(url: string): Promise<Page> {
  const started = await leave(url, 'login')
  assert.equal(started.status, 302)
  const callback = await oauth.authorize(started.headers.get('location') ?? '')
  return open('GET', callback, { headers: toCookie(started) })
}

const show = async (key: string): Promise<Connection> =>
  (await t.call<Connection>('GET', `/v1/connections/${key}`)).body

const read = (connection: string, url: string) => ({
  body: { inputs: { url }, connection },
})
const readPath = '/v1/integrations/mail/actions/read'
const refreshes = (): number => oauth.requests.filter(({ grantType }) => grantType === 'refresh_token').length

/** What the hub itself holds. */
async function openStored(key: string): Promise<Granted> {
  const { store } = t.hub
  const workspace = (await store.findWorkspace('default')) ?? assert.fail('there is no workspace')
  const row = (await store.connections.find(workspace.id, key)) ?? assert.fail('there is no connection')
  return openGranted(createSealing([new Uint8Array(32).fill(7)]), row)
}

const eventsOf = async (connection: string): Promise<string[]> => {
  const { body } = await t.call<EventPage>('GET', `/v1/events?event_type=sluice.*&subject=${connection}`)
  return body.events.map(({ event_type: type }) => type.replace('sluice.connection.', '')).toReversed()
}

test('an account is connected at the provider, once for each link, and its token is used', async () => {
  const url = await link('mine')
  const page = await open('GET', url)
  assert.equal(page.status, 200)
  assert.match(page.text, /href="\/sub\/connect\/[\w-]{43}\/start\?method=login"/)
  assert.doesNotMatch(page.text, /<script/)
  assert.equal(page.headers.get('cache-control'), 'no-store')
  assert.equal(page.headers.get('referrer-policy'), 'no-referrer')
  assert.match(
    page.headers.get('content-security-policy') ?? '',
    /default-src 'none'.*form-action 'self';.*frame-ancestors 'none'/,
  )
  const done = await goThrough(url)
  assert.equal(done.status, 200)
  assert.match(done.text, /Mail is connected.*You are connected as <strong>Ada, ada@example.com/s)
  const { status, account, method, expires_at: end } = await show('mine')
  assert.deepEqual([status, account?.email, method], ['active', 'ada@example.com', 'login'])
  assert.ok(end !== null)
  assert.equal((await open('GET', url)).status, 404)
  const { body: ran } = await t.call<RunResult>('POST', readPath, read('mine', oauth.userinfoUrl))
  assert.deepEqual(ran.result['data'], { sub: 'ada', email: 'ada@example.com' })
  assert.deepEqual(await eventsOf('mine'), ['created'])
  const { tokens } = await openStored('mine')
  const secrets = [tokens.access_token, tokens.refresh_token, oauth.client.clientSecret].map((secret) => secret ?? '')
  assert.ok(secrets.every((secret) => secret.length > 10))
  const answers = [await t.call('GET', '/v1/connections/mine'), await t.call('GET', '/v1/audit'), done, page]
  for (const { text } of answers) for (const secret of secrets) assert.ok(!text.includes(secret))
})

test('who comes back in another browser, or with a state that is none or used, is not taken in', async () => {
  const url = await link('fixed')
  const started = await leave(url, 'login')
  const cookie = started.headers.get('set-cookie') ?? ''
  assert.match(cookie, /^sluice_connect=[\w-]{43}; HttpOnly; SameSite=Lax; Path=\/sub\/connect; Max-Age=1800$/)
  const callback = await oauth.authorize(started.headers.get('location') ?? '')
  const asked = oauth.requests.length
  assert.equal((await open('GET', callback)).status, 403)
  assert.equal((await open('GET', callback, { headers: toCookie(started) })).status, 404)
  assert.equal(
    (await open('GET', callback.replace(/state=[^&]+/, 'state=x'), { headers: toCookie(started) })).status,
    404,
  )
  assert.equal((await open('GET', '/connect/callback')).status, 404)
  assert.equal(oauth.requests.length, asked)
  assert.equal((await goThrough(url)).status, 200)
})

test('nobody is led to the provider past the page that says whose connection it becomes', async () => {
  const url = await link('loot')
  const visit = (await open('GET', url)).headers.get('set-cookie') ?? ''
  const path = new URL(url).pathname
  assert.equal(visit, `sluice_connect_page=1; HttpOnly; SameSite=Strict; Path=${path}; Max-Age=1800`)
  const cookie = visit.split(';')[0] ?? ''
  const asked = oauth.requests.length
  for (const headers of [
    {},
    { 'sec-fetch-site': 'none' },
    { 'sec-fetch-site': 'cross-site', cookie },
    { 'sec-fetch-site': 'same-site', cookie },
    { cookie: `sluice_connect=${'a'.repeat(43)}` },
  ]) {
    const refused = await open('GET', `${url}/start?method=login`, { headers })
    assert.deepEqual([refused.status, refused.headers.get('location')], [403, null])
  }
  const form = { body: 'method=login', headers: { 'content-type': 'application/x-www-form-urlencoded' } }
  assert.equal((await open('POST', url, form)).status, 403)
  assert.equal(oauth.requests.length, asked)
  const seen = { ...form, headers: { ...form.headers, cookie } }
  assert.match((await open('POST', url, seen)).text, /Continue with Mail/)
  assert.equal((await goThrough(url)).status, 200)
})

test('who does not agree is told so, and may try again with the same link', async () => {
  const url = await link('refused')
  oauth.settings.consents = false
  const failed = await goThrough(url)
  assert.equal(failed.status, 400)
  assert.match(failed.text, /Mail is not connected.*did not agree.*Try again/s)
  assert.equal((await t.fail('GET', '/v1/connections/refused')).error_code, 'not-found')
  oauth.settings.consents = true
  assert.equal((await goThrough(url)).status, 200)
})

test('a form says what is wrong beside its fields, keeps what is no secret, and ends where it was told to', async () => {
  const returnUrl = 'https://app.example/done?tab=1'
  const url = await link('form', { integration: 'mail', return_url: returnUrl })
  const body = (fields: Record<string, string>) => ({
    body: new URLSearchParams({ method: 'key', ...fields }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  const page = await open('GET', url)
  assert.match(page.text, /<input type="password" autocomplete="off" id="key-api_key" name="field.api_key" required>/)
  assert.match(page.text, /<label for="key-base_url">Address <span class="soft">optional/)
  assert.match(page.text, /Of a server of your own/)
  const wrong = { 'field.api_key': 'abc', 'field.region': '"eu"', 'field.base_url': '<b>"x', 'field.retries': '-1' }
  const refused = await open('POST', url, body(wrong))
  assert.equal(refused.status, 400)
  assert.match(refused.text, /id="key-api_key-fault">must NOT have fewer than 4 characters/)
  assert.match(refused.text, /id="key-retries-fault">must be &gt;= 0/)
  assert.match(refused.text, /<option value="&quot;eu&quot;" selected>eu/)
  assert.match(refused.text, /value="&lt;b&gt;&quot;x"/)
  assert.doesNotMatch(refused.text, /"abc"/)
  assert.match(refused.headers.get('content-security-policy') ?? '', /form-action 'self' https:\/\/app\.example;/)
  const elsewhere = { ...body(wrong), headers: { ...body(wrong).headers, 'sec-fetch-site': 'cross-site' } }
  assert.equal((await open('POST', url, elsewhere)).status, 403)
  const unknown = await open('POST', url, body({ 'field.api_key': 'refused-key', 'field.region': '"eu"' }))
  assert.match(unknown.text, /does not know this account.*knows no such key.*Try again/s)
  const done = await open(
    'POST',
    url,
    body({ 'field.api_key': 'right', 'field.region': '"us"', 'field.sandbox': 'true' }),
  )
  assert.deepEqual([done.status, done.headers.get('location')], [303, `${returnUrl}&connection=form`])
  assert.deepEqual([(await show('form')).method, (await show('form')).account?.username], ['key', 'ada'])
  assert.equal((await open('POST', url, body({}))).status, 404)
})

test('links lead back to places that are known only, and end with their time', async () => {
  for (const returnUrl of ['https://evil.example/', 'javascript:alert(1)', 'nonsense', 'https://app.example.evil/']) {
    const body = { integration: 'mail', return_url: returnUrl }
    assert.equal((await t.fail('POST', '/v1/connections/x/connect', { body })).error_code, 'validation-error')
  }
  assert.equal((await t.fail('POST', '/v1/connections/x/connect')).error_code, 'validation-error')
  const url = await link('late')
  aheadMs += 900_000
  assert.equal((await open('GET', url)).status, 404)
  assert.equal((await open('GET', `${publicUrl}/connect/nonsense`)).status, 404)
})

test('a link of a key that was revoked leads nowhere, and that of another user cannot be made', async () => {
  const ada = await t.makeKey({ user_id: 'ada' })
  const bob = await t.makeKey({ user_id: 'bob' })
  const body = { integration: 'mail' }
  const made = await t.call<ConnectLink>('POST', '/v1/connections/adas/connect', { key: ada, body })
  await t.call('DELETE', `/v1/keys/${ada.split('_')[1]}`)
  assert.equal((await open('GET', made.body.url)).status, 404)
  await goThrough(await link('admins'))
  assert.equal((await t.fail('POST', '/v1/connections/admins/connect', { key: bob, body: {} })).error_code, 'forbidden')
})

test('a link replaces no connection of another integration that was made since, and keeps its word on who may use it', async () => {
  const url = await link('team', { integration: 'mail', grant: 'user' })
  await t.call('PUT', '/v1/connections/team', { body: { integration: 'other', credentials: { api_key: 'of-other' } } })
  const form = {
    body: new URLSearchParams({ method: 'key', 'field.api_key': 'right', 'field.region': '"us"' }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  }
  const refused = await open('POST', url, form)
  assert.equal(refused.status, 409)
  assert.match(refused.text, /is one of .*other.*, not of .*mail/)
  assert.equal((await open('GET', url)).status, 409)
  assert.deepEqual([(await show('team')).integration, (await show('team')).grant], ['other', 'workspace'])
  await t.call('DELETE', '/v1/connections/team')
  const credentials = { access_token: 'brought', refresh_token: 'brought-too', expires_in: 3600 }
  await t.call('PUT', '/v1/connections/team', { body: { integration: 'mail', credentials } })
  assert.equal((await open('POST', url, form)).status, 200)
  assert.deepEqual([(await show('team')).method, (await show('team')).grant], ['key', 'user'])
})

test('tokens are refreshed when their time has come, by whoever uses them', async () => {
  await goThrough(await link('due'))
  const asked = refreshes()
  aheadMs += 50 * 60_000
  const order = read('due', oauth.userinfoUrl)
  const [first, second] = await Promise.all([
    t.call<RunResult>('POST', readPath, order),
    t.call<RunResult>('POST', readPath, order),
  ])
  assert.deepEqual([first.body.type, second.body.type, refreshes() - asked], ['action', 'action', 1])
})

test('a refused refresh asks for a person, who connects it again; what uses it goes on', async () => {
  await goThrough(await link('lost'))
  const trigger = {
    integration: 'mail',
    polling_trigger: 'new_mail',
    connection: 'lost',
    inputs: { url: oauth.userinfoUrl },
  }
  await t.call('PUT', '/v1/triggers/lost', { body: { ...trigger, first_poll: 'emit' } })
  const { body: refreshed } = await t.call<Connection>('POST', '/v1/connections/lost/refresh')
  assert.equal(refreshed.status, 'active')
  await oauth.revoke((await openStored('lost')).tokens.refresh_token ?? '')
  const broken = await t.call<Connection>('POST', '/v1/connections/lost/refresh')
  assert.equal(broken.body.status, 'needs_reconnect')
  assert.match(broken.body.status_reason ?? '', /invalid_grant/)
  const problem = await t.fail('POST', readPath, read('lost', oauth.userinfoUrl))
  assert.deepEqual([problem.status, problem.error_code], [409, 'needs-reconnect'])
  const { body: failed } = await t.call<{ outcome: string; error: string }>('POST', '/v1/triggers/lost/run')
  assert.ok(failed.outcome === 'failed' && /must be connected again/.test(failed.error))
  const again = String(problem.details['connect_url'])
  assert.match((await open('GET', again)).text, /Connect again: Mail/)
  assert.equal((await goThrough(again)).status, 200)
  assert.equal((await show('lost')).status, 'active')
  assert.equal((await t.call<RunResult>('POST', readPath, read('lost', oauth.userinfoUrl))).body.type, 'action')
  const { body: good } = await t.call<{ outcome: string; published: number }>('POST', '/v1/triggers/lost/run')
  assert.deepEqual([good.outcome, good.published], ['good', 1])
  assert.deepEqual(await eventsOf('lost'), ['created', 'broken', 'reconnected'])
  await t.call('DELETE', '/v1/connections/lost')
  assert.deepEqual(await eventsOf('lost'), ['created', 'broken', 'reconnected', 'removed'])
})

test('a token that the service knows no more is replaced: a poll asks again at once, an action works the next time', async () => {
  oauth.settings.expiresIn = 'absent'
  await goThrough(await link('endless'))
  assert.equal((await show('endless')).expires_at, null)
  const asked = refreshes()
  const { port } = new URL(vendor.url)
  const url = `http://127.0.0.1:${port}/me`
  vendor.on('GET /me', { status: 401 }, { json: { sub: 'one' } }, { status: 401 }, { json: { sub: 'two' } })
  const first = await t.call<RunResult>('POST', readPath, read('endless', url))
  assert.equal(first.body.type, 'error')
  await eventually(
    () => refreshes() - asked,
    (count) => count === 1,
  )
  assert.equal((await t.call<RunResult>('POST', readPath, read('endless', url))).body.type, 'action')
  const trigger = { integration: 'mail', polling_trigger: 'new_mail', connection: 'endless', inputs: { url } }
  await t.call('PUT', '/v1/triggers/endless', { body: { ...trigger, first_poll: 'emit' } })
  const { body: polled } = await t.call<{ outcome: string; published: number }>('POST', '/v1/triggers/endless/run')
  assert.deepEqual([polled.outcome, polled.published, refreshes() - asked], ['good', 1, 2])
})

test('who runs an action that the service refuses waits for no provider, and asks it for other tokens once', async () => {
  await goThrough(await link('scopeless'))
  const asked = refreshes()
  const provider = Promise.withResolvers<void>()
  oauth.next({ before: provider.promise })
  const { port } = new URL(vendor.url)
  const refused = { status: 401 }
  vendor.on('GET /scope', refused, refused, refused)
  const run = () => t.call<RunResult>('POST', readPath, read('scopeless', `http://127.0.0.1:${port}/scope`))
  for (let n = 0; n < 3; n += 1) assert.equal((await run()).body.type, 'error')
  provider.resolve()
  await eventually(
    () => refreshes() - asked,
    (count) => count === 1,
  )
})

test('a connection that is missing is answered with the address to connect it', async () => {
  const problem = await t.fail('POST', readPath, read('not-yet', oauth.userinfoUrl))
  assert.equal(problem.error_code, 'not-found')
  assert.equal((await goThrough(String(problem.details['connect_url']))).status, 200)
  assert.equal((await show('not-yet')).status, 'active')
  const unnamed = await t.fail('POST', readPath, { body: { inputs: { url: 'x' } } })
  assert.ok(unnamed.error_code === 'validation-error' && 'connect_url' in unnamed.details)
  assert.ok(!('connect_url' in (await t.fail('POST', '/v1/integrations/mail/actions/none', { body: {} })).details))
})

test('a connection is granted to single keys', async () => {
  const [ada, bob] = [await t.makeKey({ user_id: 'ada' }), await t.makeKey({ user_id: 'bob' })]
  const credentials = { access_token: 'brought', refresh_token: 'brought-too', expires_in: 3600 }
  await t.call('PUT', '/v1/connections/keyed', { key: ada, body: { integration: 'mail', credentials, grant: 'user' } })
  assert.equal((await t.fail('GET', '/v1/connections/keyed', { key: bob })).error_code, 'not-found')
  const grant = { keys: [bob.split('_')[1]] }
  assert.equal((await t.fail('PATCH', '/v1/connections/keyed', { key: bob, body: { grant } })).error_code, 'not-found')
  const changed = await t.call<Connection>('PATCH', '/v1/connections/keyed', { key: ada, body: { grant } })
  assert.deepEqual(changed.body.grant, grant)
  for (const key of [ada, bob]) assert.equal((await t.call('GET', '/v1/connections/keyed', { key })).status, 200)
  assert.match((await t.call('GET', '/v1/connections', { key: bob })).text, /keyed/)
  const other = await t.makeKey({ user_id: 'bob' })
  assert.equal((await t.fail('GET', '/v1/connections/keyed', { key: other })).error_code, 'not-found')
  assert.equal((await t.fail('DELETE', '/v1/connections/keyed', { key: bob })).error_code, 'forbidden')
  const unknown = { grant: { keys: ['0123456789abcdef'] } }
  const refused = await t.fail('PATCH', '/v1/connections/keyed', { key: ada, body: unknown })
  assert.equal(refused.errors?.[0]?.pointer, '/grant/keys/0')
})
