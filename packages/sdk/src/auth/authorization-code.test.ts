import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import {
  beginAuthorization,
  finishAuthorization,
  refreshTokens,
  type OAuth2Provider,
  type TokenOutcome,
  type TokenSet,
} from '../auth.ts'
import { createVendor, type Vendor } from '../testing.ts'

/** The vendor takes every connection, and speaks no TLS. */
const tokenUrl = 'http://127.0.0.1:9/token'

let vendor: Vendor
before(async () => {
  vendor = await createVendor()
})
after(() => vendor.close())

const provider: OAuth2Provider = {
  authorizationUrl: 'https://login.example.com/authorize',
  tokenUrl,
  scopes: ['read', 'write'],
}
const client = { clientId: 'app', clientSecret: 'very-secret' }
const old: TokenSet = { access_token: 'old', token_type: 'bearer', refresh_token: 'r1', obtained_at: 0 }

describe('callbacks', () => {
  const redirectUri = 'https://hub.example.com/connect/callback'

  async function called(query: string, changes: Partial<OAuth2Provider> = {}): Promise<TokenOutcome> {
    const asked = { ...provider, ...changes }
    const begun = await beginAuthorization({ provider: asked, client, redirectUri, state: 's1' })
    const { dispatcher } = vendor
    vendor.on('POST /token', { json: { access_token: 'a', token_type: 'bearer' } })
    const callbackUrl = `${redirectUri}?${query}`
    return finishAuthorization({ provider: asked, client, redirectUri, callbackUrl, ...begun, dispatcher })
  }

  it('is refused with another state, without one, or with two, and nothing is sent', async () => {
    const before = vendor.requests.length
    for (const query of ['code=c&state=s2', 'code=c', 'code=c&state=s1&state=s2', 'code=c&code=d&state=s1', 'state=s1'])
      assert.equal((await called(query)).outcome, 'untrusted', query)
    assert.equal(vendor.requests.length, before)
  })

  it('is refused from another issuer', async () => {
    const issuer = 'https://login.example.com'
    const ended = await called(`code=c&state=s1&iss=${encodeURIComponent('https://evil.example.com')}`, { issuer })
    assert.equal(ended.outcome, 'untrusted')
    assert.equal((await called(`code=c&state=s1&iss=${encodeURIComponent(issuer)}`, { issuer })).outcome, 'granted')
    // Nobody said who it should be.
    assert.equal((await called(`code=c&state=s1&iss=x`)).outcome, 'granted')
  })

  it('tells that somebody said no', async () => {
    const ended = await called('error=access_denied&error_description=Not+me&state=s1')
    assert.deepEqual(ended, {
      outcome: 'refused',
      cause: 'user',
      error: 'access_denied',
      reason: 'access_denied: Not me',
    })
  })

  it('asks with PKCE, state, scopes as the provider has them, and its own parameters', async () => {
    const asked = {
      ...provider,
      scopeSeparator: ',',
      audience: 'api',
      authorizationParams: { prompt: 'consent', state: 'x' },
    }
    const { url, state, codeVerifier, nonce } = await beginAuthorization({ provider: asked, client, redirectUri })
    const { origin, pathname, searchParams } = new URL(url)
    assert.equal(origin + pathname, provider.authorizationUrl)
    const { code_challenge: challenge, ...params } = Object.fromEntries(searchParams)
    assert.deepEqual(params, {
      prompt: 'consent',
      response_type: 'code',
      client_id: 'app',
      redirect_uri: redirectUri,
      scope: 'read,write',
      audience: 'api',
      state,
      code_challenge_method: 'S256',
    })
    assert.equal(
      challenge,
      createHash('sha256')
        .update(codeVerifier ?? '')
        .digest('base64url'),
    )
    assert.equal(nonce, undefined)
    assert.ok(state.length >= 43)
  })

  it('refuses addresses that others could read along', async () => {
    for (const authorizationUrl of [
      'http://login.example.com/a',
      'javascript:alert(1)',
      'https://u:p@example.com/',
      'x',
    ])
      await assert.rejects(
        beginAuthorization({ provider: { ...provider, authorizationUrl }, client, redirectUri }),
        /authorizationUrl of the OAuth2 provider is .*; write an https address/,
      )
    await assert.rejects(
      refreshTokens({ provider: { ...provider, tokenUrl: 'http://login.example.com/t' }, client, tokens: old }),
      /tokenUrl/,
    )
  })
})
