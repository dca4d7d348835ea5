import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import {
  beginAuthorization,
  finishAuthorization,
  refreshTokens,
  toOAuth2Auth,
  type TokenOutcome,
} from '@sluice/sdk/auth'
import { authMethods } from '@sluice/sdk/integration'
import { createVendor, mockContext, type Reply, type Vendor } from '@sluice/sdk/testing'
import github from './integration.ts'

let vendor: Vendor
before(async () => {
  vendor = await createVendor()
})
after(() => vendor.close())

const redirectUri = 'https://hub.example.com/connect/callback'
const client = { clientId: 'Iv1.0a1b', clientSecret: 'planted-secret' }

function providerOf() {
  const { oauth2 } = authMethods(github.config).find(({ id }) => id === 'app') ?? assert.fail()
  // The vendor speaks no TLS.
  const tokenUrl = 'http://127.0.0.1:9/login/oauth/access_token'
  return { ...(oauth2?.provider ?? assert.fail()), tokenUrl }
}

async function connect(reply: Reply): Promise<TokenOutcome> {
  vendor.on('POST /login/oauth/access_token', reply)
  const provider = providerOf()
  const { url, ...begun } = await beginAuthorization({ provider, client, redirectUri })
  const asked = new URL(url)
  assert.equal(asked.origin + asked.pathname, 'https://github.com/login/oauth/authorize')
  assert.deepEqual([asked.searchParams.get('scope'), asked.searchParams.get('code_challenge_method')], ['repo', 'S256'])
  const callbackUrl = `${redirectUri}?code=7f3c&state=${begun.state}`
  const { dispatcher } = vendor
  return finishAuthorization({ provider, client, redirectUri, callbackUrl, ...begun, dispatcher })
}

it('connects an account by OAuth2, and its actions use the token', async () => {
  const ended = await connect({ json: { access_token: 'gho_1', scope: 'repo,gist', token_type: 'bearer' } })
  assert.equal(ended.outcome, 'granted', JSON.stringify(ended))
  assert.equal(ended.tokens.scope, 'repo gist')
  assert.equal(ended.tokens.expires_at, undefined)
  const sent = vendor.requests.at(-1)?.text ?? ''
  for (const part of ['client_id=Iv1.0a1b', 'client_secret=planted-secret', 'code=7f3c', 'code_verifier='])
    assert.ok(sent.includes(part), part)
  vendor.on('GET /user', { json: { login: 'ada', id: 7, email: null, avatar_url: 'https://a.example', company: null } })
  const context = mockContext({ vendor, auth: { ...toOAuth2Auth(ended.tokens), method: 'app' } })
  const { type, result } = await github.getConnectedAccount(context)
  assert.equal(type, 'connected_account', JSON.stringify(result))
  assert.equal(vendor.requests.at(-1)?.headers['authorization'], 'Bearer gho_1')
})

it('finds what GitHub refuses behind its 200', async () => {
  const refused = { error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' }
  const ended = await connect({ json: refused })
  assert.deepEqual(ended.outcome === 'refused' && [ended.cause, ended.error], ['grant', 'bad_verification_code'])
})

it("follows a GitHub App's tokens, which rotate", async () => {
  const first = { access_token: 'ghu_1', expires_in: 28_800, refresh_token: 'ghr_1', token_type: 'bearer', scope: '' }
  const ended = await connect({ json: first })
  assert.equal(ended.outcome, 'granted')
  const text =
    'access_token=ghu_2&expires_in=28800&refresh_token=ghr_2&refresh_token_expires_in=15897600&scope=&token_type=bearer'
  vendor.on('POST /login/oauth/access_token', {
    text,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  const { dispatcher } = vendor
  const again = await refreshTokens({ provider: providerOf(), client, tokens: ended.tokens, dispatcher })
  assert.equal(again.outcome, 'granted')
  assert.deepEqual([again.tokens.access_token, again.tokens.refresh_token], ['ghu_2', 'ghr_2'])
  vendor.on('POST /login/oauth/access_token', { json: { error: 'bad_refresh_token' } })
  const spent = await refreshTokens({ provider: providerOf(), client, tokens: ended.tokens, dispatcher })
  assert.equal(spent.outcome === 'refused' && spent.cause, 'grant')
})
