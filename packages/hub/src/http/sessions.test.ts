import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { consoleHeader, type Session } from '@sluice/protocol'
import { openTestHub, type TestHub } from '../test-hub.ts'

let t: TestHub

before(async () => {
  t = await openTestHub({ corsOrigins: ['https://app.example'] })
})
after(() => t.close())

const asConsole = { [consoleHeader]: '1' }

/** The cookie as a browser sends it back. */
async function signIn(key: string = t.adminKey): Promise<string> {
  const { status, headers } = await t.call('POST', '/v1/session', { key })
  assert.equal(status, 201)
  return headers.get('set-cookie')?.split(';')[0] ?? ''
}

const withCookie = (cookie: string, headers: Record<string, string> = asConsole) => ({
  key: null,
  headers: { cookie, ...headers },
})

test('a key becomes a cookie that no script reads and no other site sends', async () => {
  const made = await t.call<Session>('POST', '/v1/session')
  assert.equal(made.body.role, 'admin')
  assert.equal(made.body.expires_at, new Date(Date.UTC(2026, 0, 1, 12)).toISOString())
  const cookie = made.headers.get('set-cookie') ?? ''
  assert.match(cookie, /^sluice_[0-9a-f]{8}=[\w.-]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/)
  assert.ok(!cookie.includes(t.adminKey.replace(/^slk_[^_]+_/, '')))
  assert.equal(made.headers.get('cache-control'), 'no-store')
  const shown = await t.call<Session>('GET', '/v1/session', withCookie(await signIn()))
  assert.deepEqual([shown.body.workspace, shown.body.permissions.includes('instance')], ['default', true])
})

test('where the browser came by https, the cookie goes there only', async () => {
  const { headers } = await t.call('POST', '/v1/session', { headers: { origin: 'https://hub.example' } })
  assert.match(headers.get('set-cookie') ?? '', /; Secure$/)
  await using behind = await openTestHub({ publicUrl: 'https://events.example' })
  assert.match((await behind.call('POST', '/v1/session')).headers.get('set-cookie') ?? '', /; Secure$/)
})

test('another page that makes the browser send the cookie is refused, whatever it asks', async () => {
  const cookie = await signIn()
  const foreign = [
    {},
    { origin: 'https://evil.example' },
    { origin: 'https://app.example', 'content-type': 'text/plain' },
    { ...asConsole, 'sec-fetch-site': 'cross-site' },
    // Another port of this host: SameSite lets its cookie through.
    { ...asConsole, 'sec-fetch-site': 'same-site' },
  ]
  for (const headers of foreign) {
    const body = { event_type: 'a', payload: {} }
    const problem = await t.fail('POST', '/v1/events', { ...withCookie(cookie, headers), body })
    assert.equal(problem.error_code, 'forbidden', JSON.stringify(headers))
    assert.equal((await t.fail('GET', '/v1/keys', withCookie(cookie, headers))).error_code, 'forbidden')
  }
  assert.equal((await t.call('GET', '/v1/keys', withCookie(cookie))).status, 200)
  const preflight = await t.call('OPTIONS', '/v1/keys', {
    key: null,
    headers: { origin: 'https://app.example', 'access-control-request-method': 'GET' },
  })
  assert.ok(!(preflight.headers.get('access-control-allow-headers') ?? '').toLowerCase().includes(consoleHeader))
  assert.equal(preflight.headers.get('access-control-allow-credentials'), null)
})

test('a cookie that was changed, cut off or made up lets nobody in', async () => {
  const cookie = await signIn()
  const name = cookie.slice(0, cookie.indexOf('='))
  const ticket = await t.call<{ ticket: string }>('POST', '/v1/inboxes/default/stream/ticket')
  const wrong = [
    `${cookie}x`,
    cookie.slice(0, -1),
    `${name}=`,
    `${name}=a.b`,
    `${name}=${ticket.body.ticket}`,
    'other=1',
  ]
  for (const one of wrong) assert.equal((await t.fail('GET', '/v1/session', withCookie(one))).status, 401, one)
  const among = await t.call('GET', '/v1/session', withCookie(`a=1; ${cookie}; b=2`))
  assert.equal(among.status, 200)
})

test('the session ends with its key: revoked, deactivated, expired, rotated, or told to sign', async () => {
  const end = {
    revoked: (id: string) => t.call('DELETE', `/v1/keys/${id}`),
    inactive: (id: string) => t.call('PATCH', `/v1/keys/${id}`, { body: { status: 'inactive' } }),
    rotated: (id: string) => t.call('POST', `/v1/keys/${id}/rotate`),
    signing: (id: string) => t.call('PATCH', `/v1/keys/${id}`, { body: { require_hmac: true } }),
  }
  for (const [name, act] of Object.entries(end)) {
    const made = await t.call<{ key_id: string; api_key: string }>('POST', '/v1/keys', {
      body: { user_id: name, hmac: true },
    })
    const cookie = await signIn(made.body.api_key)
    assert.equal((await t.call('GET', '/v1/session', withCookie(cookie))).status, 200)
    await act(made.body.key_id)
    assert.equal((await t.fail('GET', '/v1/session', withCookie(cookie))).status, 401, name)
  }
  const expires_at = new Date(t.hub.store.nowMs() + 60_000).toISOString()
  const brief = await t.makeKey({ expires_at })
  const made = await t.call<Session>('POST', '/v1/session', { key: brief })
  assert.equal(made.body.expires_at, expires_at)
})

test('the session is over after 12 hours, and when somebody signs out', async () => {
  await using own = await openTestHub()
  const signed = await own.call('POST', '/v1/session')
  const cookie = signed.headers.get('set-cookie')?.split(';')[0] ?? ''
  const out = await own.call('DELETE', '/v1/session', withCookie(cookie))
  assert.match(out.headers.get('set-cookie') ?? '', /=; Path=\/; Max-Age=0;/)
  own.advance(12 * 3_600_000 - 1)
  assert.equal((await own.call('GET', '/v1/inboxes', withCookie(cookie))).status, 200)
  own.advance(1)
  assert.equal((await own.fail('GET', '/v1/inboxes', withCookie(cookie))).status, 401)
})

test('roles are those of the key, and the key goes before the cookie', async () => {
  const viewer = await t.makeKey({ role: 'viewer' })
  const cookie = await signIn(viewer)
  assert.equal((await t.call('GET', '/v1/events', withCookie(cookie))).status, 200)
  assert.equal((await t.fail('PUT', '/v1/inboxes/new', withCookie(cookie))).error_code, 'forbidden')
  const both = await t.call<Session>('GET', '/v1/session', { headers: { cookie } })
  assert.deepEqual([both.body.role, both.body.expires_at], ['admin', null])
})

test('a sign-in link is good once, for 10 minutes, and for nothing but signing in', async () => {
  await using own = await openTestHub({ publicUrl: 'https://events.example/hub/' })
  const secretOf = (link: string): string => link.slice(link.indexOf('#') + 1)
  const link = own.hub.createSignInLink()
  assert.match(link, /^https:\/\/events\.example\/hub\/console\/#sll_/)
  const key = secretOf(link)
  assert.equal((await own.fail('GET', '/v1/events', { key })).status, 401)
  const both = await Promise.all([1, 2].map(() => own.call<Session>('POST', '/v1/session', { key })))
  assert.deepEqual(new Set(both.map(({ status }) => status)), new Set([201, 401]))
  assert.equal((await own.fail('POST', '/v1/session', { key })).status, 401)
  const signed = both.find(({ status }) => status === 201)?.body
  assert.equal(signed?.permissions.includes('instance'), true)
  const late = secretOf(own.hub.createSignInLink())
  own.advance(600_000)
  assert.equal((await own.fail('POST', '/v1/session', { key: late })).status, 401)
  for (const wrong of [`${late}x`, 'sll_', 'sll_a.b'])
    assert.equal((await own.fail('POST', '/v1/session', { key: wrong })).status, 401)
  const { body } = await own.call<{ entries: { verb: string; actor: string }[] }>('GET', '/v1/audit')
  assert.deepEqual(
    body.entries.map(({ verb, actor }) => `${verb} ${actor === 'hub'}`),
    ['session.create false', 'key.create true', 'key.create true'],
  )
})
