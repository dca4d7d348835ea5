import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import { signMessage } from '@sluice/protocol/webhooks'
import { vectors } from '@sluice/protocol/webhooks/test-vectors'
import { createKeySet, verifyWebhook, webhookSchemes, type WebhookInput, type WebhookOptions } from '../webhooks.ts'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const publicKey = vectors['Standard Webhooks v1a']?.secret ?? ''
const privateKey = 'whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=='
const nowMs = 1_700_000_000_000
const now = (): number => nowMs
const text = '{"type":"user.created","data":{"name":"Zoë"}}'
const bytes = new TextEncoder().encode(text)

const sign = (by = secret): Promise<Record<string, string>> =>
  signMessage({ scheme: 'standard-webhooks', secrets: [by], body: bytes, nowMs, id: 'msg_1' })

describe('a webhook is verified', () => {
  it('from a Request, from fields and bytes, or text', async () => {
    const headers = await sign()
    const shouted = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), [value]]))
    const inputs: WebhookInput[] = [
      new Request('https://a.example/hook', { method: 'POST', headers, body: bytes }),
      { headers, body: bytes },
      { headers: new Headers(headers), body: text },
      { headers: shouted, body: bytes.buffer },
    ]
    for (const input of inputs) {
      const webhook = await verifyWebhook(input, secret, { now })
      assert.ok(webhook.verified)
      assert.deepEqual([webhook.id, webhook.signedAt?.getTime(), webhook.json()], ['msg_1', nowMs, JSON.parse(text)])
      assert.deepEqual(Buffer.from(webhook.body).toString(), text)
    }
  })

  it('of every scheme that signs', async () => {
    const hmac = { header: 'x-signature', template: '{method}:{path}:{url}:{body}' }
    const url = 'https://a.example/hook?b=c'
    for (const scheme of webhookSchemes.filter((one) => one !== 'none')) {
      const by = scheme === 'basic' ? 'ada:hush' : secret
      const headers = await signMessage({ scheme, hmac, secrets: [by], body: bytes, nowMs, target: '/hook?b=c', url })
      const input = { headers, body: bytes, url }
      assert.equal((await verifyWebhook(input, [by], { scheme, hmac, now })).verified, true, scheme)
      const other = { ...input, body: `${text} ` }
      if (scheme !== 'basic')
        assert.equal((await verifyWebhook(other, [by], { scheme, hmac, now })).verified, false, scheme)
    }
  })

  it('that others have published', async () => {
    for (const { scheme, secret: by, headers, body, nowMs: at } of Object.values(vectors))
      assert.equal((await verifyWebhook({ headers, body }, by, { scheme, now: () => at })).verified, true)
  })

  it('within a time of one’s own', async () => {
    const headers = await sign()
    const at = (seconds: number): WebhookOptions => ({ now: () => nowMs + seconds * 1000, toleranceSeconds: 10 })
    assert.equal((await verifyWebhook({ headers, body: bytes }, secret, at(10))).verified, true)
    const late = await verifyWebhook({ headers, body: bytes }, secret, at(11))
    assert.ok(!late.verified && late.reason === 'stale')
  })
})

describe('what is refused', () => {
  it('says why, and more if asked', async () => {
    const headers = await sign()
    const input = { headers, body: JSON.stringify(JSON.parse(text), null, 2) }
    const plain = await verifyWebhook(input, secret, { now })
    assert.deepEqual(plain, {
      verified: false,
      reason: 'mismatch',
      message: 'none of the secrets makes this signature over this message',
    })
    const explained = await verifyWebhook(input, secret, { now, explain: true })
    assert.ok(!explained.verified)
    assert.equal(explained.cause, 'body-reserialised')
    assert.match(explained.advice ?? '', /raw bytes/)
    const old = await verifyWebhook({ headers, body: bytes }, 'AAAA', { now, explain: true, oldSecrets: [secret] })
    assert.ok(!old.verified && old.cause === 'old-secret')
  })

  it('is no body that was parsed or read, and no secret that is not there', async () => {
    const headers = await sign()
    const parsed = { headers, body: JSON.parse(text) } as WebhookInput
    await assert.rejects(verifyWebhook(parsed, secret, { now }), /must be the bytes that were received/)
    const read = new Request('https://a.example', { method: 'POST', headers, body: bytes })
    await read.text()
    await assert.rejects(verifyWebhook(read, secret, { now }), /was read before/)
    for (const none of ['', [], [''], undefined as never])
      await assert.rejects(verifyWebhook({ headers, body: bytes }, none, { now }), /there is no secret/)
    await assert.rejects(verifyWebhook({ headers, body: bytes }, secret, { scheme: 'hmac' }), /needs `hmac`/)
  })
})

describe('public keys', () => {
  const raw = publicKey.slice('whpk_'.length)
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: raw.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '') }

  it('come as a JWK set, whose other keys are passed over', async () => {
    const keys = { keys: [{ kty: 'RSA' }, { kty: 'OKP', crv: 'X25519', x: jwk.x }, jwk] }
    assert.equal((await verifyWebhook({ headers: await sign(privateKey), body: bytes }, keys, { now })).verified, true)
    await assert.rejects(verifyWebhook({ headers: {}, body: bytes }, { keys: [] }, { now }), /no secret/)
  })

  test('are loaded once, kept, and loaded again for a signature that they do not fit, but not too often', async () => {
    let [at, calls] = [nowMs, 0]
    let answer: () => Response = () => Response.json({ keys: [{ ...jwk, x: 'A'.repeat(43) }] })
    const keys = createKeySet('https://a.example/jwks', {
      now: () => at,
      fetch: async () => {
        calls += 1
        return answer()
      },
    })
    const headers = await sign(privateKey)
    const verify = async (): Promise<boolean> => (await verifyWebhook({ headers, body: bytes }, keys, { now })).verified
    assert.deepEqual(await Promise.all([verify(), verify()]), [false, false])
    assert.equal(calls, 1)
    answer = () => Response.json({ keys: [jwk] })
    assert.equal(await verify(), false)
    assert.equal(calls, 1, 'a stranger cannot have them loaded each time')
    at += 30_001
    assert.equal(await verify(), true)
    assert.equal(calls, 2)
    answer = () => new Response(null, { status: 500 })
    at += 600_001
    assert.equal(await verify(), true, 'those of before are better than none')
    assert.equal(calls, 3)
    const fresh = createKeySet('https://a.example/jwks', { fetch: async () => answer() })
    await assert.rejects(verifyWebhook({ headers, body: bytes }, fresh, { now }), /it answered 500/)
    const empty = createKeySet('https://a.example/jwks', { fetch: async () => Response.json({ keys: [] }) })
    await assert.rejects(verifyWebhook({ headers, body: bytes }, empty, { now }), /no Ed25519 key/)
  })
})
