import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { refreshTokens, type OAuth2Provider, type TokenOutcome, type TokenSet } from '../auth.ts'
import fc from 'fast-check'
import { Agent, buildConnector } from 'undici'
import { createOutbound } from '../http/outbound.ts'
import { createVendor, cut, hold, rateLimited, type Reply, type Vendor } from '../testing.ts'

/** What real providers answer instead of RFC 6749, as their pages have it. */

let vendor: Vendor
before(async () => {
  vendor = await createVendor()
})
after(() => vendor.close())

const nowMs = (): number => 1_800_000_000_000
const provider: OAuth2Provider = {
  // The vendor takes every connection, and speaks no TLS.
  tokenUrl: 'http://127.0.0.1:9/token',
  scopes: ['read', 'write'],
}
const client = { clientId: 'app', clientSecret: 'very-secret' }
const old: TokenSet = {
  access_token: 'access-1',
  token_type: 'bearer',
  refresh_token: 'refresh-1',
  obtained_at: 0,
  scope: 'read',
  team: { id: 'T1' },
}

function refreshed(reply: Reply, changes: Partial<OAuth2Provider> = {}): Promise<TokenOutcome> {
  vendor.on('POST /token', reply)
  const { dispatcher } = vendor
  return refreshTokens({ provider: { ...provider, ...changes }, client, tokens: old, dispatcher, nowMs })
}

/** The tokens of a granted request. */
async function tokensOf(ended: Promise<TokenOutcome>): Promise<TokenSet> {
  const outcome = await ended
  assert.equal(outcome.outcome, 'granted', JSON.stringify(outcome))
  return (outcome as { tokens: TokenSet }).tokens // as was just said
}

const form = { 'content-type': 'application/x-www-form-urlencoded' }

describe('answers of token endpoints', () => {
  it('keeps what a refresh leaves out, and members of the provider', async () => {
    const ended = await refreshed({ json: { access_token: 'new', token_type: 'Bearer', expires_in: 3600 } })
    assert.deepEqual(ended, {
      outcome: 'granted',
      tokens: {
        access_token: 'new',
        token_type: 'bearer',
        refresh_token: 'refresh-1',
        scope: 'read',
        team: { id: 'T1' },
        obtained_at: nowMs(),
        expires_at: nowMs() + 3_600_000,
      },
    })
  })

  it('reads lifetimes as texts, and takes none where none can be meant', async () => {
    const expiryOf = async (expires: unknown): Promise<number | undefined> =>
      (await tokensOf(refreshed({ json: { access_token: 'a', token_type: 'bearer', expires_in: expires } }))).expires_at
    for (const expires of ['3600', '3600.0', 3600]) assert.equal(await expiryOf(expires), nowMs() + 3_600_000)
    for (const expires of [null, '', 'never', 0, -1, {}, undefined]) assert.equal(await expiryOf(expires), undefined)
    // Ten years: beyond that is no date.
    assert.equal(await expiryOf(1e300), nowMs() + 10 * 365 * 86_400_000)
  })

  it("does not take a provider's own expires_at for ours", async () => {
    const tokens = await tokensOf(
      refreshed({ json: { access_token: 'a', expires_at: 1_700_000_000, obtained_at: 'x' } }),
    )
    assert.equal(tokens.expires_at, undefined)
    assert.equal(tokens.obtained_at, nowMs())
  })

  it('reads form-encoded answers, with their failures', async () => {
    const text = 'access_token=gho_1&scope=repo%2Cgist&token_type=bearer&expires_in=28800&refresh_token=ghr_2'
    const tokens = await tokensOf(refreshed({ text, headers: form }, { scopeSeparator: ',' }))
    assert.equal(tokens.access_token, 'gho_1')
    assert.equal(tokens.refresh_token, 'ghr_2')
    assert.equal(tokens.scope, 'repo gist')
    assert.equal(tokens.expires_at, nowMs() + 28_800_000)
    const failed = await refreshed({ text: 'error=bad_refresh_token&error_description=Expired', headers: form })
    assert.deepEqual(failed, {
      outcome: 'refused',
      cause: 'grant',
      error: 'bad_refresh_token',
      reason: 'bad_refresh_token: Expired',
    })
  })

  it('reads JSON of whatever content type', async () => {
    const text = JSON.stringify({ access_token: 'a', token_type: 'bearer' })
    assert.equal((await tokensOf(refreshed({ text }))).access_token, 'a')
  })

  it('finds a failure behind status 200', async () => {
    for (const [json, cause] of [
      [{ error: 'bad_verification_code', error_description: 'The code is incorrect or expired.' }, 'grant'],
      [{ error: 'incorrect_client_credentials' }, 'client'],
      [{ ok: false, error: 'invalid_refresh_token' }, 'grant'],
      [{ ok: false, error: 'ratelimited' }, 'busy'],
      [{ ok: false, error: 'something_new' }, 'other'],
    ] as const) {
      const ended = await refreshed({ json })
      assert.equal(ended.outcome, 'refused')
      assert.equal(ended.cause, cause, json.error)
      assert.equal(ended.error, json.error)
    }
  })

  it('finds a failure in a form of its own', async () => {
    const failed: readonly [status: number, json: object, cause: string, error: string, reason: string][] = [
      [
        400,
        { status: 'BAD_REFRESH_TOKEN', message: 'too old' },
        'grant',
        'BAD_REFRESH_TOKEN',
        'BAD_REFRESH_TOKEN: too old',
      ],
      [
        400,
        { error: { type: 'OAuthException', code: 190, message: 'ended' } },
        'other',
        'OAuthException',
        'OAuthException: ended',
      ],
      [400, { error: { message: 'only words' } }, 'other', 'only words', 'only words'],
      [401, { message: 'Unauthorized' }, 'client', 'Unauthorized', 'Unauthorized'],
      [200, { access_token: null, error: 'invalid_grant' }, 'grant', 'invalid_grant', 'invalid_grant'],
    ]
    for (const [status, json, cause, error, reason] of failed) {
      const ended = await refreshed({ status, json })
      assert.deepEqual(ended, { outcome: 'refused', cause, error, reason }, JSON.stringify(json))
    }
  })

  it('takes a grant that comes with 201, and a token type that is null', async () => {
    const ended = refreshed({ status: 201, json: { access_token: 'a', token_type: null, code: 'x', message: 'y' } })
    assert.equal((await tokensOf(ended)).token_type, 'bearer')
  })

  it("takes Slack's types of tokens, lists of scopes, and answers without a type", async () => {
    const slack = { ok: true, access_token: 'xoxb-1', token_type: 'bot', scope: 'chat:write,channels:read' }
    const tokens = await tokensOf(refreshed({ json: slack }, { scopeSeparator: ',' }))
    assert.equal(tokens.token_type, 'bot')
    assert.equal(tokens.scope, 'chat:write channels:read')
    const listed = await tokensOf(
      refreshed({ json: { access_token: 'a', scope: ['one', 'two'], refresh_token: null } }),
    )
    assert.equal(listed.token_type, 'bearer')
    assert.equal(listed.scope, 'one two')
    assert.equal(listed.refresh_token, 'refresh-1')
  })

  it('leaves out an id token that no issuer can be held against', async () => {
    const tokens = await tokensOf(refreshed({ json: { access_token: 'a', id_token: 'e30.e30.c2ln' } }))
    assert.equal(tokens.id_token, undefined)
  })
})

describe('outcomes of token requests', () => {
  it('says that the provider refused, and what helps', async () => {
    const refuse = (error: string, status = 400): Reply => ({ status, json: { error } })
    for (const [reply, cause, error] of [
      [refuse('invalid_grant'), 'grant', 'invalid_grant'],
      [refuse('invalid_client', 401), 'client', 'invalid_client'],
      [refuse('temporarily_unavailable'), 'busy', 'temporarily_unavailable'],
      [refuse('invalid_scope'), 'other', 'invalid_scope'],
      [{ status: 401, text: 'no' }, 'client', 'http_401'],
      [{ status: 403, text: '<html>blocked</html>' }, 'other', 'http_403'],
      [{ status: 404, json: { found: false } }, 'other', 'http_404'],
    ] as const) {
      const ended = await refreshed(reply)
      assert.equal(ended.outcome, 'refused')
      assert.deepEqual([ended.cause, ended.error], [cause, error])
    }
    const limited = await refreshed(rateLimited(7))
    assert.equal(limited.outcome, 'refused')
    assert.deepEqual([limited.cause, limited.retryAfterMs], ['busy', 7000])
  })

  it('refuses a challenge in the header as it does one in the body', async () => {
    const challenge = { 'www-authenticate': 'Basic realm="tokens"' }
    const ended = await refreshed({ status: 401, headers: challenge, json: { error: 'invalid_client' } })
    assert.equal(ended.outcome, 'refused')
    assert.equal(ended.error, 'invalid_client')
  })

  it('does not follow a redirect with its secrets', async () => {
    vendor.on('POST /elsewhere', { json: { access_token: 'stolen' } })
    const before = vendor.requests.length
    const ended = await refreshed({ status: 307, headers: { location: 'http://127.0.0.1:9/elsewhere' } })
    assert.equal(ended.outcome, 'refused')
    assert.equal(ended.error, 'http_307')
    assert.equal(vendor.requests.length, before + 1)
  })

  it('does not know what became of a request without an answer that tells', async () => {
    const unknown: readonly [Reply, number | undefined][] = [
      [cut(), undefined],
      [cut({ json: { access_token: 'half' } }), undefined],
      [{ status: 500, json: { error: 'server_error' } }, 500],
      [{ status: 503, headers: { 'retry-after': '5' }, text: 'later' }, 503],
      [{ status: 408 }, 408],
      [{ status: 200, text: '<html>a proxy</html>' }, 200],
      [{ status: 200 }, 200],
      [{ status: 204 }, 204],
      [{ status: 200, text: 'x'.repeat(2_000_000) }, undefined],
    ]
    for (const [reply, status] of unknown) {
      const ended = await refreshed(reply)
      assert.equal(ended.outcome, 'unknown', JSON.stringify(reply).slice(0, 80))
      assert.equal(ended.status, status)
    }
  })

  it('does not trust an answer of another form', async () => {
    for (const json of [{}, { access_token: 7 }, { access_token: 'a', token_type: 'mac' }])
      assert.equal((await refreshed({ json })).outcome, 'untrusted', JSON.stringify(json))
  })

  it('knows that nothing left: nobody there, an address that is refused, cancelled before', async () => {
    const nobody = await refreshTokens({ provider, client, tokens: old })
    assert.equal(nobody.outcome, 'unsent')
    assert.match(nobody.reason, /ECONNREFUSED/)
    const outbound = createOutbound()
    const refused = await refreshTokens({ provider, client, tokens: old, dispatcher: outbound.dispatcher })
    await outbound.close()
    assert.equal(refused.outcome, 'unsent')
    assert.match(refused.reason, /loopback/)
    const call = { provider, client, tokens: old, dispatcher: vendor.dispatcher }
    const cancelled = await refreshTokens({ ...call, signal: AbortSignal.abort() })
    assert.equal(cancelled.outcome, 'unsent')
  })

  it('waits no longer than its limit for a connection, and sends nothing afterwards', async () => {
    const connect = buildConnector({})
    let goOn = (): void => {}
    const slow = new Agent({ connect: (options, callback) => void (goOn = () => connect(options, callback)) })
    const before = vendor.requests.length
    const there = { ...provider, tokenUrl: `${vendor.url}/token` }
    const ended = await refreshTokens({ provider: there, client, tokens: old, dispatcher: slow, timeoutMs: 20 })
    assert.equal(ended.outcome, 'unsent')
    goOn()
    await slow.close()
    assert.equal(vendor.requests.length, before)
  })

  it('does not know what became of a request that was cancelled on its way', async () => {
    const { reply, reached, release } = hold({ json: { access_token: 'late' } })
    const controller = new AbortController()
    vendor.on('POST /token', reply)
    const call = { provider, client, tokens: old, dispatcher: vendor.dispatcher }
    const ended = refreshTokens({ ...call, signal: controller.signal })
    await reached
    controller.abort()
    assert.equal((await ended).outcome, 'unknown')
    release()
  })

  it('does not wait longer than its limit for an answer', async () => {
    const { reply, release } = hold({ json: { access_token: 'late' } })
    vendor.on('POST /token', reply)
    const call = { provider, client, tokens: old, dispatcher: vendor.dispatcher }
    const before = vendor.requests.length
    const { outcome } = await refreshTokens({ ...call, timeoutMs: 100 })
    // A machine that is busy may not even send it in that time.
    assert.ok(outcome === 'unknown' || (outcome === 'unsent' && vendor.requests.length === before), outcome)
    release()
  })

  it('says nothing of a secret, also where the provider does', async () => {
    const ended = await refreshed({
      status: 400,
      json: { error: 'invalid_grant', error_description: 'refresh-1 of very-secret with access-1 is unknown' },
    })
    assert.equal(ended.outcome, 'refused')
    assert.equal(ended.reason, 'invalid_grant: … of … with … is unknown')
    const signed = 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2lnbmVk'
    const long = { error: `refresh-1 ${'x'.repeat(5000)}`, error_description: `Invalid JWT: ${signed}` }
    const other = await refreshed({ status: 400, json: long })
    assert.ok(other.outcome === 'refused' && other.error.length <= 300 && other.error.startsWith('… x'))
    const said = await refreshed({ status: 400, json: { ...long, error: 'invalid_request' } })
    assert.equal('reason' in said && said.reason, 'invalid_request: Invalid JWT: …')
  })

  it('refuses without asking where there is no refresh token', async () => {
    const tokens: TokenSet = { access_token: 'a', token_type: 'bearer', obtained_at: 0 }
    const ended = await refreshTokens({ provider, client, tokens, dispatcher: vendor.dispatcher })
    assert.deepEqual(ended.outcome === 'refused' && [ended.cause, ended.error], ['grant', 'no_refresh_token'])
  })
})

describe('whatever a provider answers', () => {
  it('is one of the outcomes, and never a secret in words', async () => {
    const words = fc.constantFrom(
      'refresh-1',
      'access-1',
      'very-secret',
      'invalid_grant',
      '',
      '__proto__',
      'bearer',
      '7',
    )
    const names = fc.constantFrom('access_token', 'token_type', 'expires_in', 'scope', 'error', 'message', 'id_token')
    const value = fc.oneof(words, fc.integer(), fc.constant(null), fc.array(words), fc.dictionary(names, words))
    const answer = fc.record({
      status: fc.constantFrom(200, 201, 204, 206, 302, 400, 401, 408, 429, 500, 599),
      body: fc.oneof(fc.dictionary(names, value), value, fc.string()),
      type: fc.constantFrom('application/json', 'text/html', form['content-type']),
    })
    const property = fc.asyncProperty(answer, async ({ status, body, type }) => {
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      const ended = await refreshed({ status, text, headers: { 'content-type': type } })
      if (ended.outcome === 'granted') assert.equal(typeof ended.tokens.access_token, 'string')
      else assert.doesNotMatch(JSON.stringify(ended), /refresh-1|access-1|very-secret/)
      if (status >= 500) assert.equal(ended.outcome, 'unknown')
    })
    await fc.assert(property, { numRuns: 300 })
  })
})
