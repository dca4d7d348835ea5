import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { refreshTokens, type OAuth2Provider, type TokenSet } from '../auth.ts'
import { createVendor, type Vendor } from '../testing.ts'

/** The vendor takes every connection, and speaks no TLS. */
const tokenUrl = 'http://127.0.0.1:9/token'

let vendor: Vendor
before(async () => {
  vendor = await createVendor()
})
after(() => vendor.close())

const provider: OAuth2Provider = { tokenUrl, scopes: [] }
const client = { clientId: 'app', clientSecret: 'very-secret' }
const old: TokenSet = { access_token: 'old', token_type: 'bearer', refresh_token: 'r1', obtained_at: 0 }

describe('client authentication', () => {
  async function headersOf(changes: Partial<OAuth2Provider>, clientId = 'app'): Promise<[string | undefined, string]> {
    vendor.on('POST /token', { json: { access_token: 'a' } })
    const { dispatcher } = vendor
    await refreshTokens({
      provider: { ...provider, ...changes },
      client: { ...client, clientId },
      tokens: old,
      dispatcher,
    })
    const { headers, text } = vendor.requests.at(-1) ?? assert.fail()
    return [headers['authorization']?.toString(), text]
  }

  it('puts id and secret where the provider wants them', async () => {
    const [basic, body] = await headersOf({}, 'b2-4f.c_1:d')
    assert.equal(basic, `Basic ${Buffer.from('b2-4f.c_1%3Ad:very-secret').toString('base64')}`)
    assert.equal(body, 'refresh_token=r1&grant_type=refresh_token')
    const [none, post] = await headersOf({ clientAuth: 'client_secret_post', tokenParams: { resource: 'x' } })
    assert.equal(none, undefined)
    assert.equal(post, 'resource=x&refresh_token=r1&grant_type=refresh_token&client_id=app&client_secret=very-secret')
    const [, open] = await headersOf({ clientAuth: 'none' })
    assert.equal(open, 'refresh_token=r1&grant_type=refresh_token&client_id=app')
  })

  it('says which part of a client is missing', async () => {
    const call = { provider, tokens: old, dispatcher: vendor.dispatcher }
    await assert.rejects(refreshTokens({ ...call, client: { clientId: 'app' } }), /client "app" has no secret/)
    const signed = { ...provider, clientAuth: 'private_key_jwt' as const }
    await assert.rejects(refreshTokens({ ...call, provider: signed, client }), /client "app" has no private key/)
    const broken = { clientId: 'app', privateKey: { key: 'hush' } }
    await assert.rejects(
      refreshTokens({ ...call, provider: signed, client: broken }),
      ({ message }: Error) => /is no key for RS256/.test(message) && !message.includes('hush'),
    )
  })
})
