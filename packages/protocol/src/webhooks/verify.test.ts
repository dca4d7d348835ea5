import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it, type TestContext } from 'node:test'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { signMessage, type ToSign } from './sign.ts'
import { encode, latin1, utf8 } from './bytes.ts'
import type { WebhookMessage } from './message.ts'
import { findHmacFaults, webhookSchemes, type HmacSigning, type WebhookScheme } from './scheme.ts'
import { vectorPrivateKey, vectors } from './test-vectors.ts'
import { beginVerification, isRefusal, type WebhookRules } from './verify.ts'

type Sent = { readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array } & Omit<
  WebhookMessage,
  'header' | 'body'
>

/** `verified`, or the reason of the refusal. */
async function verify(rules: WebhookRules, { headers, ...rest }: Sent, nowMs: number): Promise<string> {
  const message: WebhookMessage = { header: (name) => headers[name], ...rest }
  const begun = await beginVerification(rules, message, nowMs)
  const ended = isRefusal(begun) ? begun : await begun.prove(message)
  return isRefusal(ended) ? ended.reason : 'verified'
}

const hmac: HmacSigning = {
  header: 'X-Signature',
  template: '{method} {path} {url} {id} {timestamp} {body}',
  timestamp_header: 'X-Time',
  id_header: 'X-Id',
  encoding: 'base64url',
  algorithm: 'sha512',
}
const secretOf = (scheme: WebhookScheme): string =>
  scheme === 'standard-webhooks'
    ? `whsec_${encode(utf8('0123456789abcdef0123456789abcdef'), 'base64')}`
    : scheme === 'basic'
      ? 'ada:lövelace'
      : 'a secret, ünïcode too'
const nowMs = 1_700_000_000_500
const place = { method: 'POST', target: '/in/a?b=c', url: 'https://hub.example/in/a?b=c' }

async function sign(given: Partial<ToSign> & { scheme: WebhookScheme }): Promise<Sent> {
  const body = given.body ?? utf8('{"a":"ä"}')
  const headers = await signMessage({ secrets: [secretOf(given.scheme)], hmac, nowMs, ...place, ...given, body })
  return { headers, body, method: place.method, urls: ['https://other.example/', place.url], targets: [place.target] }
}

const rulesOf = (scheme: WebhookScheme): WebhookRules => ({ scheme, hmac, secrets: [secretOf(scheme)] })
const signed = webhookSchemes.filter((scheme) => scheme !== 'basic' && scheme !== 'none')

describe('what others have published', () => {
  for (const [name, { scheme, secret, headers, body, nowMs: at }] of Object.entries(vectors)) {
    it(`${name} is verified, and by no other secret`, async () => {
      assert.equal(await verify({ scheme, secrets: [secret] }, { headers, body }, at), 'verified')
      const other = scheme === 'standard-webhooks' ? secretOf(scheme) : `${secret}x`
      assert.equal(await verify({ scheme, secrets: [other] }, { headers, body }, at), 'mismatch')
      assert.equal(await verify({ scheme, secrets: [other, secret] }, { headers, body }, at), 'verified')
    })
  }

  it('is made byte for byte as they make it', async () => {
    for (const [name, { scheme, secret, headers, body, nowMs: at }] of Object.entries(vectors)) {
      const secrets = [secret.startsWith('whpk_') ? vectorPrivateKey : secret]
      const made = await signMessage({ scheme, secrets, body, nowMs: at, id: headers['webhook-id'] })
      assert.deepEqual(made, headers, name)
    }
  })

  it('by the library of Standard Webhooks is verified here, and ours there', async () => {
    const secret = secretOf('standard-webhooks')
    const now = Math.floor(Date.now() / 1000) * 1000
    const theirs = new Webhook(secret)
    const body = '{"type":"a","data":{"name":"Zoë"}}'
    const signature = theirs.sign('msg_1', new Date(now), body)
    const headers = {
      'svix-id': 'msg_1',
      'svix-timestamp': String(now / 1000),
      'svix-signature': `v2,AAAA v1,AAAA ${signature}`,
    }
    assert.equal(await verify(rulesOf('standard-webhooks'), { headers, body: utf8(body) }, now), 'verified')
    const ours = await signMessage({ scheme: 'standard-webhooks', secrets: [secret], body: utf8(body), nowMs: now })
    assert.deepEqual(theirs.verify(body, ours), JSON.parse(body))
  })

  it('of Stripe and Shopify is what their documentation describes', async () => {
    const body = utf8('{"id":"evt_1","type":"charge.succeeded"}')
    const hex = (text: string): string => createHmac('sha256', 'whsec_x').update(text).update(body).digest('hex')
    const at = nowMs / 1000
    const seconds = Math.floor(at)
    const headers = { 'stripe-signature': `t=${seconds}, v1=${'0'.repeat(64)},v1=${hex(`${seconds}.`)},v0=${hex('')}` }
    assert.equal(await verify({ scheme: 'stripe', secrets: ['whsec_x'] }, { headers, body }, nowMs), 'verified')
    const old = { 'stripe-signature': `t=${seconds},v0=${hex(`${seconds}.`)}` }
    assert.equal(
      await verify({ scheme: 'stripe', secrets: ['whsec_x'] }, { headers: old, body }, nowMs),
      'signature-malformed',
    )
    const base64 = createHmac('sha256', 'hush').update(body).digest('base64')
    const shopify = { 'x-shopify-hmac-sha256': base64 }
    assert.equal(await verify({ scheme: 'shopify', secrets: ['hush'] }, { headers: shopify, body }, nowMs), 'verified')
  })
})

describe('every scheme', () => {
  for (const scheme of webhookSchemes) {
    it(`${scheme}: what is signed is verified, whatever the body`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
          const body = Uint8Array.from(bytes)
          assert.equal(await verify(rulesOf(scheme), await sign({ scheme, body }), nowMs), 'verified')
        }),
        { numRuns: 25 },
      )
    })
  }

  for (const scheme of signed) {
    it(`${scheme}: one changed bit, of the body or of what was signed beside it, is refused`, async () => {
      const good = await sign({ scheme })
      const places = [...Object.keys(good.headers), 'body']
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...places),
          fc.nat(),
          fc.integer({ min: 0, max: 7 }),
          async (name, at, bit) => {
            const flip = (bytes: Uint8Array): Uint8Array =>
              bytes.map((byte, index) => (index === at % bytes.length ? byte ^ (1 << bit) : byte))
            const text = String.fromCharCode(...flip(latin1(good.headers[name] ?? '')))
            const sent =
              name === 'body'
                ? { ...good, body: flip(good.body) }
                : { ...good, headers: { ...good.headers, [name]: text } }
            assert.notEqual(await verify(rulesOf(scheme), sent, nowMs), 'verified')
          },
        ),
        { numRuns: 300 },
      )
    })

    it(`${scheme}: a signature that is cut off or goes on is refused`, async () => {
      const good = await sign({ scheme })
      const [name = ''] = Object.keys(good.headers).filter(
        (field) => field.includes('signature') || field.includes('hmac'),
      )
      const text = good.headers[name] ?? ''
      for (let length = 0; length < text.length; length += 1) {
        const headers = { ...good.headers, [name]: text.slice(0, length) }
        assert.notEqual(await verify(rulesOf(scheme), { ...good, headers }, nowMs), 'verified', headers[name])
      }
      for (const more of ['0', '00', '=', 'AAAA'])
        assert.notEqual(
          await verify(rulesOf(scheme), { ...good, headers: { ...good.headers, [name]: text + more } }, nowMs),
          'verified',
        )
    })

    it(`${scheme}: without its fields it is refused by name`, async () => {
      const good = await sign({ scheme })
      for (const name of Object.keys(good.headers)) {
        const { [name]: _, ...headers } = good.headers
        assert.match(await verify(rulesOf(scheme), { ...good, headers }, nowMs), /-missing$/, name)
      }
    })
  }

  it('looks at the time, to the second', async () => {
    for (const scheme of ['standard-webhooks', 'stripe', 'slack', 'esauti', 'hmac'] as const) {
      const good = await sign({ scheme })
      for (const [seconds, expected] of [
        [300, 'verified'],
        [301, 'stale'],
        [-300, 'verified'],
        [-301, 'stale'],
      ] as const)
        assert.equal(await verify(rulesOf(scheme), good, nowMs + seconds * 1000), expected, `${scheme} ${seconds}`)
    }
    for (const scheme of ['github', 'shopify'] as const)
      assert.equal(await verify(rulesOf(scheme), await sign({ scheme }), nowMs * 2), 'verified', 'these sign no time')
  })
})

describe('keys', () => {
  const body = utf8('{}')

  it('are not confused: a public key makes no HMAC, and a secret verifies no ed25519', async () => {
    const publicKey = vectors['Standard Webhooks v1a']?.secret ?? ''
    const raw = publicKey.slice('whpk_'.length)
    const forged = await signMessage({ scheme: 'standard-webhooks', secrets: [`whsec_${raw}`], body, nowMs })
    const rules: WebhookRules = { scheme: 'standard-webhooks', secrets: [publicKey] }
    assert.equal(await verify(rules, { headers: forged, body }, nowMs), 'mismatch')
    const asymmetric = await signMessage({ scheme: 'standard-webhooks', secrets: [vectorPrivateKey], body, nowMs })
    assert.equal(
      await verify({ ...rules, secrets: [`whsec_${raw}`] }, { headers: asymmetric, body }, nowMs),
      'mismatch',
    )
    assert.equal(await verify(rules, { headers: asymmetric, body }, nowMs), 'verified')
    const moved = { ...asymmetric, 'webhook-signature': (asymmetric['webhook-signature'] ?? '').replace('v1a,', 'v1,') }
    assert.equal(await verify(rules, { headers: moved, body }, nowMs), 'mismatch')
  })

  it('that are none verify nothing', async () => {
    const headers = await signMessage({
      scheme: 'standard-webhooks',
      secrets: [secretOf('standard-webhooks')],
      body,
      nowMs,
    })
    for (const secret of [
      '',
      'whsec_',
      'whsec_!',
      'whpk_AAAA',
      vectorPrivateKey,
      `whpk_${encode(new Uint8Array(32).fill(255), 'base64')}`,
    ])
      assert.equal(
        await verify({ scheme: 'standard-webhooks', secrets: [secret] }, { headers, body }, nowMs),
        'mismatch',
        secret,
      )
    assert.equal(await verify({ scheme: 'standard-webhooks', secrets: [] }, { headers, body }, nowMs), 'mismatch')
  })

  it('of one scheme make no signature of another', async () => {
    const secret = secretOf('standard-webhooks')
    for (const made of signed)
      for (const taken of signed.filter((scheme) => scheme !== made)) {
        const sent = await sign({ scheme: made, secrets: [secret] })
        assert.notEqual(
          await verify({ scheme: taken, hmac, secrets: [secret] }, sent, nowMs),
          'verified',
          `${made} as ${taken}`,
        )
      }
  })

  it('an id with a dot could pass a part of itself off as the time', async () => {
    const secret = secretOf('standard-webhooks')
    const headers = await signMessage({
      scheme: 'standard-webhooks',
      secrets: [secret],
      body,
      nowMs,
      id: 'a.1700000000',
    })
    assert.equal(await verify(rulesOf('standard-webhooks'), { headers, body }, nowMs), 'id-malformed')
  })
})

describe('many signatures', () => {
  const body = new Uint8Array(100_000)
  const bogus = (prefix: string, count: number, length: number): string[] =>
    Array.from({ length: count }, (_, n) => `${prefix},${encode(new Uint8Array(length).fill(n), 'base64')}`)

  /** Bytes that are hashed for a message with these signatures before its own. */
  async function hashed(context: TestContext, before: string[], by: { sign: string; verify: string }): Promise<number> {
    const headers = await signMessage({ scheme: 'standard-webhooks', secrets: [by.sign], body, nowMs })
    const field = [...before, headers['webhook-signature']].join(' ')
    const spies = [context.mock.method(crypto.subtle, 'sign'), context.mock.method(crypto.subtle, 'verify')]
    const rules: WebhookRules = { scheme: 'standard-webhooks', secrets: [by.verify] }
    assert.equal(await verify(rules, { headers: { ...headers, 'webhook-signature': field }, body }, nowMs), 'verified')
    const sizes = spies.flatMap(({ mock }) => mock.calls.map(({ arguments: given }) => given.at(-1) as Uint8Array))
    context.mock.restoreAll()
    return sizes.reduce((sum, { byteLength }) => sum + byteLength, 0)
  }

  it('do not have the message hashed again for each of them', async (context) => {
    const secret = secretOf('standard-webhooks')
    assert.ok((await hashed(context, bogus('v1', 19, 32), { sign: secret, verify: secret })) < 1.1 * body.length)
    const pair = { sign: vectorPrivateKey, verify: vectors['Standard Webhooks v1a']?.secret ?? '' }
    assert.ok((await hashed(context, bogus('v1a', 3, 64), pair)) < 4.1 * body.length)
  })

  it('are looked at up to a limit: 20, and 4 of ed25519', async () => {
    const secret = secretOf('standard-webhooks')
    for (const [by, known, more] of [
      [secret, secret, bogus('v1', 20, 32)],
      [vectorPrivateKey, vectors['Standard Webhooks v1a']?.secret ?? '', bogus('v1a', 4, 64)],
    ] as const) {
      const headers = await signMessage({ scheme: 'standard-webhooks', secrets: [by], body, nowMs })
      const last = { ...headers, 'webhook-signature': [...more, headers['webhook-signature']].join(' ') }
      const rules: WebhookRules = { scheme: 'standard-webhooks', secrets: [known] }
      assert.equal(await verify(rules, { headers: last, body }, nowMs), 'mismatch')
    }
  })
})

describe('hmac of one’s own', () => {
  it('takes times in milliseconds and as ISO 8601, and lists of signatures', async () => {
    const body = utf8('x')
    const rule: HmacSigning = { header: 's', timestamp_header: 't', template: '{timestamp}{body}', encoding: 'base64' }
    const rules: WebhookRules = { scheme: 'hmac', hmac: rule, secrets: ['k'] }
    for (const time of ['1700000000', '1700000000123', '2023-11-14T22:13:20Z']) {
      const signature = createHmac('sha256', 'k').update(`${time}x`).digest('base64')
      assert.equal(
        await verify(rules, { headers: { s: `AAAA, ${signature}`, t: time }, body }, nowMs),
        'verified',
        time,
      )
    }
    for (const time of ['', 'yesterday', '17e8', '-1', '2023-11-14'])
      assert.match(await verify(rules, { headers: { s: 'AAAA', t: time }, body }, nowMs), /^timestamp-/, time)
  })

  it('is refused where what counts is not signed', () => {
    const faultsOf = (rule: Partial<HmacSigning>): string[] =>
      findHmacFaults({ header: 's', ...rule }).map(({ member }) => member)
    assert.deepEqual(faultsOf({}), [])
    assert.deepEqual(faultsOf(hmac), [])
    assert.deepEqual(faultsOf({ template: 'x' }), ['template'])
    assert.deepEqual(faultsOf({ template: '{body}{nonce}' }), ['template'])
    assert.deepEqual(faultsOf({ template: '{timestamp}{body}' }), ['timestamp_header'])
    assert.deepEqual(faultsOf({ template: '{id}{body}' }), ['id_header'])
    assert.deepEqual(faultsOf({ timestamp_header: 't' }), ['template'])
  })
})

describe('basic', () => {
  it('compares user and password as a whole', async () => {
    const good = await sign({ scheme: 'basic' })
    const rules = rulesOf('basic')
    assert.equal(await verify(rules, good, nowMs), 'verified')
    for (const authorization of ['Basic', 'Basic ', 'Basic AAAA', 'Bearer x', `${good.headers['authorization']}A`])
      assert.notEqual(await verify(rules, { ...good, headers: { authorization } }, nowMs), 'verified', authorization)
    assert.equal(await verify(rules, { ...good, headers: {} }, nowMs), 'signature-missing')
  })
})
