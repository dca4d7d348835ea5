import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { request } from 'undici'
import {
  beginAuthorization,
  discoverProvider,
  finishAuthorization,
  refreshDueMs,
  refreshTokens,
  requestClientCredentials,
  revokeToken,
  type ClientAuthMethod,
  type OAuth2Provider,
  type TokenOutcome,
  type TokenSet,
} from '../auth.ts'
import { cut, startOAuthProvider, type OAuthProvider } from '../testing.ts'

const redirectUri = 'http://127.0.0.1:4321/connect/callback'

/** From the first address to tokens, as the hub and a browser do it together. */
async function connect(oauth: OAuthProvider, changes: Partial<OAuth2Provider> = {}): Promise<TokenOutcome> {
  const [provider, client] = [{ ...oauth.provider, ...changes }, oauth.client]
  const { url, ...begun } = await beginAuthorization({ provider, client, redirectUri })
  const callbackUrl = await oauth.authorize(url)
  return finishAuthorization({ provider, client, redirectUri, callbackUrl, ...begun })
}

function granted(ended: TokenOutcome): TokenSet {
  assert.equal(ended.outcome, 'granted', JSON.stringify(ended))
  return (ended as { tokens: TokenSet }).tokens // as was just said
}

const refresh = (oauth: OAuthProvider, tokens: TokenSet): Promise<TokenOutcome> =>
  refreshTokens({ provider: oauth.provider, client: oauth.client, tokens })

async function statusOf(oauth: OAuthProvider, { access_token: token }: TokenSet): Promise<number> {
  const answer = await request(oauth.userinfoUrl, { headers: { authorization: `Bearer ${token}` } })
  await answer.body.dump()
  return answer.statusCode
}

describe('authorization code with a real provider', () => {
  it('ends in tokens that work, for every way to authenticate the client', async () => {
    const ways: ClientAuthMethod[] = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none']
    for (const clientAuth of ways) {
      await using oauth = await startOAuthProvider({ clientAuth })
      const tokens = granted(await connect(oauth))
      assert.equal(await statusOf(oauth, tokens), 200, clientAuth)
      assert.equal(tokens.scope, 'openid email read write')
      assert.ok(tokens.refresh_token && tokens.id_token && tokens.expires_at)
      assert.notEqual(granted(await refresh(oauth, tokens)).access_token, tokens.access_token, clientAuth)
    }
  })

  it('finds its addresses by the issuer alone', async () => {
    await using oauth = await startOAuthProvider()
    const { url: issuer, client } = oauth
    const provider = { issuer, scopes: ['openid', 'read'] }
    const begun = await beginAuthorization({ provider, client, redirectUri })
    const callbackUrl = await oauth.authorize(begun.url)
    const ended = await finishAuthorization({ provider, client, redirectUri, callbackUrl, ...begun })
    assert.equal(granted(ended).scope, 'openid read')
    const learned = await discoverProvider({ issuer: `${issuer}/other`, scopes: [] })
    assert.equal('outcome' in learned && learned.outcome, 'unsent')
    await assert.rejects(
      beginAuthorization({ provider: { issuer: `${issuer}/other`, scopes: [] }, client, redirectUri }),
      /could not be learned/,
    )
  })

  it('is refused with the verifier of another attempt, and with a code that was used', async () => {
    await using oauth = await startOAuthProvider()
    const call = { provider: oauth.provider, client: oauth.client, redirectUri }
    const [mine, other] = await Promise.all([beginAuthorization(call), beginAuthorization(call)])
    const callbackUrl = await oauth.authorize(mine.url)
    const stolen = await finishAuthorization({ ...call, ...mine, callbackUrl, codeVerifier: other.codeVerifier })
    assert.deepEqual(stolen.outcome === 'refused' && [stolen.cause, stolen.error], ['grant', 'invalid_grant'])
    granted(await finishAuthorization({ ...call, ...mine, callbackUrl }))
    const used = await finishAuthorization({ ...call, ...mine, callbackUrl })
    assert.equal(used.outcome === 'refused' && used.cause, 'grant')
  })

  it('tells that the person did not agree', async () => {
    await using oauth = await startOAuthProvider({ consents: false })
    const ended = await connect(oauth)
    assert.deepEqual(ended.outcome === 'refused' && [ended.cause, ended.error], ['user', 'access_denied'])
    assert.equal(oauth.requests.length, 0)
  })

  it('goes nowhere but to addresses that are registered', async () => {
    await using oauth = await startOAuthProvider({ redirectUris: ['http://127.0.0.1:4321/elsewhere'] })
    await assert.rejects(connect(oauth), /redirect_uri/)
  })

  it('does not trust an id token for somebody else, from somebody else, of another attempt or of another time', async () => {
    await using oauth = await startOAuthProvider()
    for (const claims of [
      { aud: 'another-client' },
      { aud: ['sluice', 'another-client'] },
      { iss: 'https://evil.example.com' },
      { nonce: 'of-another-attempt' },
      { nonce: undefined },
      { sub: undefined },
      { exp: Math.floor(Date.now() / 1000) - 3600 },
    ]) {
      oauth.settings.idTokenClaims = claims
      const ended = await connect(oauth)
      assert.equal(ended.outcome, 'untrusted', JSON.stringify(claims))
    }
    oauth.settings.idTokenClaims = {}
    const tokens = granted(await connect(oauth))
    oauth.settings.idTokenClaims = { aud: 'another-client' }
    assert.equal((await refresh(oauth, tokens)).outcome, 'untrusted')
  })

  it('tolerates a clock that is a little off, and no more', async () => {
    await using oauth = await startOAuthProvider()
    for (const skewSeconds of [-45, 45]) {
      oauth.settings.skewSeconds = skewSeconds
      granted(await connect(oauth))
    }
    // Not before: an hour ahead. Expired: its hour is over, and a minute of patience.
    oauth.settings.skewSeconds = -3700
    assert.equal((await connect(oauth)).outcome, 'untrusted')
  })

  it('gives ids of clients a clock of their own', async () => {
    await using oauth = await startOAuthProvider({ clientAuth: 'private_key_jwt' })
    const { provider, client } = oauth
    const late = (): number => Date.now() - 3600_000
    const ended = await requestClientCredentials({ provider, client, scopes: ['read'], nowMs: late })
    assert.equal(ended.outcome === 'refused' && ended.cause, 'client')
  })
})

describe('refresh with a real provider', () => {
  it('follows a rotation, and an old refresh token is refused', async () => {
    await using oauth = await startOAuthProvider()
    const first = granted(await connect(oauth))
    const second = granted(await refresh(oauth, first))
    assert.notEqual(second.refresh_token, first.refresh_token)
    assert.equal(await statusOf(oauth, second), 200)
    const again = await refresh(oauth, first)
    assert.deepEqual(again.outcome === 'refused' && [again.cause, again.error], ['grant', 'invalid_grant'])
    // The provider takes it for a theft, and ends everything.
    assert.equal((await refresh(oauth, second)).outcome, 'refused')
    assert.equal(await statusOf(oauth, second), 401)
  })

  it('keeps a refresh token that does not rotate', async () => {
    await using oauth = await startOAuthProvider({ rotates: false })
    const first = granted(await connect(oauth))
    const second = granted(await refresh(oauth, first))
    assert.equal(second.refresh_token, first.refresh_token)
    granted(await refresh(oauth, second))
  })

  it('is refused once the refresh token is revoked', async () => {
    await using oauth = await startOAuthProvider()
    const tokens = granted(await connect(oauth))
    await oauth.revoke(tokens.refresh_token ?? '')
    const ended = await refresh(oauth, tokens)
    assert.deepEqual(ended.outcome === 'refused' && [ended.cause, ended.error], ['grant', 'invalid_grant'])
  })

  it('is refused to a client that the provider does not know', async () => {
    await using oauth = await startOAuthProvider()
    const tokens = granted(await connect(oauth))
    const client = { ...oauth.client, clientSecret: 'a-wrong-secret' }
    const ended = await refreshTokens({ provider: oauth.provider, client, tokens })
    assert.deepEqual(ended.outcome === 'refused' && [ended.cause, ended.error], ['client', 'invalid_client'])
    // It did nothing: the token is as good as before.
    granted(await refresh(oauth, tokens))
  })

  it('does not know of a reply that was lost after the rotation; asking once more finds out', async () => {
    await using oauth = await startOAuthProvider()
    const tokens = granted(await connect(oauth))
    oauth.next({ loses: true })
    assert.equal((await refresh(oauth, tokens)).outcome, 'unknown')
    assert.equal(oauth.requests.at(-1)?.acted, true)
    assert.equal((await refresh(oauth, tokens)).outcome, 'refused')
  })

  it('does not know of a connection that ended before the provider acted; asking once more helps', async () => {
    await using oauth = await startOAuthProvider()
    const tokens = granted(await connect(oauth))
    oauth.next({ instead: cut() })
    assert.equal((await refresh(oauth, tokens)).outcome, 'unknown')
    assert.equal(oauth.requests.at(-1)?.acted, false)
    granted(await refresh(oauth, tokens))
  })

  it('does not know of a provider that is slower than the limit', async () => {
    await using oauth = await startOAuthProvider()
    const tokens = granted(await connect(oauth))
    const gate = Promise.withResolvers<void>()
    const { acted } = oauth.next({ after: gate.promise })
    const limit = new AbortController()
    const { provider, client } = oauth
    const asked = refreshTokens({ provider, client, tokens, signal: limit.signal })
    await acted
    limit.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'))
    const ended = await asked
    assert.deepEqual([ended.outcome, 'reason' in ended && /timeout/.test(ended.reason)], ['unknown', true])
    gate.resolve()
  })

  it('takes an outage for what it is', async () => {
    await using oauth = await startOAuthProvider()
    const tokens = granted(await connect(oauth))
    oauth.next({ instead: { status: 503, headers: { 'retry-after': '30' }, text: 'down' } })
    assert.deepEqual(await refresh(oauth, tokens), {
      outcome: 'unknown',
      reason: 'it answered 503',
      status: 503,
      retryAfterMs: 30_000,
    })
    granted(await refresh(oauth, tokens))
  })

  it('has no due time where the provider tells none, and the right one where it does', async () => {
    await using oauth = await startOAuthProvider({ expiresIn: 'absent' })
    assert.equal(refreshDueMs(granted(await connect(oauth))), undefined)
    oauth.settings.expiresIn = 'text'
    oauth.settings.accessSeconds = 600
    const tokens = granted(await connect(oauth))
    assert.equal(refreshDueMs(tokens), tokens.obtained_at + 300_000)
  })

  it('takes a short lifetime at its word', async () => {
    await using oauth = await startOAuthProvider({ accessSeconds: 2 })
    const tokens = granted(await connect(oauth))
    assert.equal(tokens.expires_at, tokens.obtained_at + 2000)
    assert.equal(refreshDueMs(tokens), tokens.obtained_at + 1000)
  })
})

describe('client credentials and revocation with a real provider', () => {
  it('ends in a token for the client itself', async () => {
    await using oauth = await startOAuthProvider()
    const { provider, client } = oauth
    const tokens = granted(await requestClientCredentials({ provider, client, scopes: ['read', 'write'] }))
    assert.equal(tokens.refresh_token, undefined)
    assert.equal(tokens.scope, 'read write')
    assert.ok(refreshDueMs(tokens))
    const stranger = { ...client, clientSecret: 'a-wrong-secret' }
    const refused = await requestClientCredentials({ provider, client: stranger })
    assert.equal(refused.outcome === 'refused' && refused.cause, 'client')
  })

  it('gives tokens back', async () => {
    await using oauth = await startOAuthProvider()
    const { provider, client } = oauth
    const tokens = granted(await connect(oauth))
    assert.deepEqual(await revokeToken({ provider, client, tokens }), { outcome: 'revoked' })
    assert.equal(await statusOf(oauth, tokens), 401)
    assert.equal((await refresh(oauth, tokens)).outcome, 'refused')
    const without = { ...provider, revocationUrl: undefined }
    assert.deepEqual(await revokeToken({ provider: without, client, tokens }), { outcome: 'unsupported' })
  })
})
