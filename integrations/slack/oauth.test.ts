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
import slack from './integration.ts'

let vendor: Vendor
before(async () => {
  vendor = await createVendor()
})
after(() => vendor.close())

const redirectUri = 'https://hub.example.com/connect/callback'
const client = { clientId: '12345.67890', clientSecret: 'planted-secret' }

function providerOf() {
  const { oauth2 } = authMethods(slack.config).find(({ id }) => id === 'app') ?? assert.fail()
  // The vendor speaks no TLS.
  return { ...(oauth2?.provider ?? assert.fail()), tokenUrl: 'http://127.0.0.1:9/api/oauth.v2.access' }
}

/** As `oauth.v2.access` answers it. */
const installed = {
  ok: true,
  access_token: 'xoxb-1',
  token_type: 'bot',
  scope: 'chat:write,channels:read',
  bot_user_id: 'B1',
  app_id: 'A1',
  team: { name: 'Acme', id: 'T1' },
  enterprise: null,
  authed_user: { id: 'U1', access_token: 'xoxp-1', refresh_token: 'xoxe-user', token_type: 'user' },
}

async function connect(reply: Reply): Promise<TokenOutcome> {
  vendor.on('POST /api/oauth.v2.access', reply)
  const provider = providerOf()
  const { url, ...begun } = await beginAuthorization({ provider, client, redirectUri })
  const asked = new URL(url)
  assert.equal(asked.origin + asked.pathname, 'https://slack.com/oauth/v2/authorize')
  assert.equal(asked.searchParams.get('scope'), 'chat:write,chat:write.public,channels:read,groups:read')
  assert.equal(asked.searchParams.has('code_challenge'), false)
  const callbackUrl = `${redirectUri}?code=c&state=${begun.state}`
  const { dispatcher } = vendor
  return finishAuthorization({ provider, client, redirectUri, callbackUrl, ...begun, dispatcher })
}

it('connects a workspace by OAuth2, and its actions use the token of the bot', async () => {
  const ended = await connect({ json: installed })
  assert.equal(ended.outcome, 'granted', JSON.stringify(ended))
  assert.deepEqual([ended.tokens.scope, ended.tokens['team']], ['chat:write channels:read', { name: 'Acme', id: 'T1' }])
  const basic = Buffer.from('12345.67890:planted-secret').toString('base64')
  assert.equal(vendor.requests.at(-1)?.headers['authorization'], `Basic ${basic}`)
  const auth = { ...toOAuth2Auth(ended.tokens), method: 'app' }
  assert.doesNotMatch(JSON.stringify(auth), /xoxe-user/)
  vendor.on('POST /api/chat.postMessage', { json: { ok: true, channel: 'C1', ts: '1.2' } })
  const { type } = await slack.executeAction(
    'post_message',
    { channel: 'C1', text: 'x' },
    mockContext({ vendor, auth }),
  )
  assert.equal(type, 'action')
  assert.equal(vendor.requests.at(-1)?.headers['authorization'], 'Bearer xoxb-1')
})

it('finds what Slack refuses behind its 200', async () => {
  for (const [error, cause] of [
    ['invalid_code', 'grant'],
    ['bad_client_secret', 'client'],
    ['ratelimited', 'busy'],
    ['oauth_authorization_url_mismatch', 'other'],
  ] as const) {
    const ended = await connect({ json: { ok: false, error } })
    assert.deepEqual(ended.outcome === 'refused' && [ended.cause, ended.error], [cause, error])
  }
})

it('follows a rotation', async () => {
  const ended = await connect({ json: { ...installed, expires_in: 43_200, refresh_token: 'xoxe-1' } })
  assert.equal(ended.outcome, 'granted')
  const { authed_user: _, ...bot } = installed
  const rotated = { ...bot, access_token: 'xoxe.xoxb-2', expires_in: 43_200, refresh_token: 'xoxe-2' }
  vendor.on('POST /api/oauth.v2.access', { json: rotated }, { json: { ok: false, error: 'invalid_refresh_token' } })
  const call = { provider: providerOf(), client, tokens: ended.tokens, dispatcher: vendor.dispatcher }
  const again = await refreshTokens(call)
  assert.equal(again.outcome, 'granted')
  assert.deepEqual([again.tokens.access_token, again.tokens.refresh_token], ['xoxe.xoxb-2', 'xoxe-2'])
  assert.deepEqual(again.tokens['authed_user'], installed.authed_user)
  const spent = await refreshTokens(call)
  assert.equal(spent.outcome === 'refused' && spent.cause, 'grant')
})
