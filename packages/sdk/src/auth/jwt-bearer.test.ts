import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { exportJWK, exportPKCS8, generateKeyPair, jwtVerify, type CryptoKey } from 'jose'
import { refreshDueMs, renewTokens, requestJwtBearer, toOAuth2Client, type OAuth2Provider } from '../auth.ts'
import { createVendor, type Reply, type Vendor } from '../testing.ts'

const tokenUrl = 'http://127.0.0.1:9/token'
const email = 'robot@project.iam.example.com'

let vendor: Vendor
let publicKey: CryptoKey
let privateKey: CryptoKey
before(async () => {
  vendor = await createVendor()
  ;({ publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true }))
})
after(() => vendor.close())

/** A service that knows the public key of one account, and checks what is signed with it as Google's does. */
function serve(atMs = Date.now()): void {
  const reply: Reply = async ({ text }) => {
    const form = new URLSearchParams(text)
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer')
      return { status: 400, json: { error: 'unsupported_grant_type' } }
    try {
      const { payload, protectedHeader } = await jwtVerify(form.get('assertion') ?? '', publicKey, {
        issuer: email,
        audience: tokenUrl,
        currentDate: new Date(atMs),
        clockTolerance: 30,
        maxTokenAge: '1h',
      })
      const said = { kid: protectedHeader.kid, sub: payload.sub, scope: payload['scope'] }
      return { json: { access_token: 'ya29.1', token_type: 'Bearer', expires_in: 3599, said } }
    } catch (error) {
      return { status: 400, json: { error: 'invalid_grant', error_description: String(error) } }
    }
  }
  vendor.on('POST /token', reply)
}

const provider: OAuth2Provider = { tokenUrl, scopes: ['https://api.example.com/read', 'write'] }

describe('JWT bearer', () => {
  it('gets a token for what a service account signs, with a key as PEM or JWK', async () => {
    serve()
    for (const key of [await exportPKCS8(privateKey), await exportJWK(privateKey)]) {
      const client = { clientId: email, privateKey: { key, kid: 'key-1' } }
      const ended = await requestJwtBearer({ provider, client, dispatcher: vendor.dispatcher })
      assert.equal(ended.outcome, 'granted', JSON.stringify(ended))
      assert.deepEqual(ended.tokens['said'], {
        kid: 'key-1',
        sub: email,
        scope: 'https://api.example.com/read write',
      })
      assert.equal(refreshDueMs(ended.tokens), ended.tokens.obtained_at + 3599_000 - 15 * 60_000)
    }
    assert.doesNotMatch(vendor.requests.at(-1)?.text ?? '', /client_secret|client_assertion/)
  })

  it('asks on behalf of somebody, from the fields of a connection', async () => {
    serve()
    const fields = { client_id: email, private_key: await exportPKCS8(privateKey), private_key_id: 'k' }
    const client = toOAuth2Client(fields)
    const call = { flow: 'jwt_bearer', provider, client, subject: 'ada@example.com' } as const
    const ended = await renewTokens({ ...call, dispatcher: vendor.dispatcher })
    assert.equal(ended.outcome === 'granted' && (ended.tokens['said'] as { sub: string }).sub, 'ada@example.com')
  })

  it('is refused for another key, and for a clock that is an hour off', async () => {
    serve()
    const { privateKey: other } = await generateKeyPair('RS256', { extractable: true })
    const stranger = { clientId: email, privateKey: { key: await exportPKCS8(other) } }
    const { dispatcher } = vendor
    const forged = await requestJwtBearer({ provider, client: stranger, dispatcher })
    assert.deepEqual(forged.outcome === 'refused' && [forged.cause, forged.error], ['grant', 'invalid_grant'])
    const client = { clientId: email, privateKey: { key: await exportPKCS8(privateKey) } }
    serve(Date.now() + 3600_000)
    assert.equal((await requestJwtBearer({ provider, client, dispatcher })).outcome, 'refused')
    const late = { provider, client, dispatcher, nowMs: () => Date.now() + 3600_000 }
    assert.equal((await requestJwtBearer(late)).outcome, 'granted')
  })

  it('refuses a key that is none before anything is sent, and does not repeat it', async () => {
    const before = vendor.requests.length
    const client = {
      clientId: email,
      privateKey: { key: '-----BEGIN PRIVATE KEY-----\nplanted\n-----END PRIVATE KEY-----' },
    }
    await assert.rejects(
      requestJwtBearer({ provider, client, dispatcher: vendor.dispatcher }),
      ({ message }: Error) => /is no key for RS256/.test(message) && !message.includes('planted'),
    )
    assert.equal(vendor.requests.length, before)
  })
})

describe('renewing', () => {
  it('asks anew for the client itself, refreshes for a person, and says when it cannot', async () => {
    const client = { clientId: 'app', clientSecret: 's' }
    const call = { provider, client, dispatcher: vendor.dispatcher }
    const grants: (string | null)[] = []
    vendor.on('POST /token', ({ text }) => {
      grants.push(new URLSearchParams(text).get('grant_type'))
      return { json: { access_token: 'a', expires_in: 60 } }
    })
    const tokens = { access_token: 'a', token_type: 'bearer', refresh_token: 'r', obtained_at: 0 }
    await renewTokens({ ...call, flow: 'client_credentials' })
    await renewTokens({ ...call, flow: 'authorization_code', tokens })
    assert.deepEqual(grants, ['client_credentials', 'refresh_token'])
    const without = await renewTokens({ ...call, flow: 'authorization_code' })
    assert.equal(without.outcome === 'refused' && without.cause, 'grant')
  })
})
