import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import { utf8 } from './bytes.ts'
import { explainMessage, type ExplainOptions } from './explain.ts'
import type { WebhookScheme } from './scheme.ts'
import { signMessage } from './sign.ts'

const nowMs = 1_700_000_000_000
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const value = { name: 'Zoë', link: 'https://a.example/b', list: [1, { z: 1, a: null }], empty: {} }
const compact = JSON.stringify(value)

type Given = Partial<ExplainOptions> & {
  readonly signedBody?: string
  readonly body?: string | Uint8Array
  readonly signedBy?: string
  readonly headers?: Record<string, string>
  readonly atMs?: number
}

/** The cause and the advice in one line. */
async function explain(given: Given): Promise<string> {
  const { scheme = 'github', secrets = [secret], signedBody = compact, body = signedBody, signedBy = secret } = given
  const headers: Record<string, string> = {
    ...(await signMessage({ scheme, secrets: [signedBy], body: utf8(signedBody), nowMs: given.atMs ?? nowMs })),
    ...given.headers,
  }
  const sent = typeof body === 'string' ? utf8(body) : body
  const message = { header: (name: string) => headers[name], body: sent }
  const found = await explainMessage({ scheme, secrets, ...given }, message, nowMs)
  return found ? `${found.reason} ${found.cause}: ${found.advice}` : 'nothing is wrong'
}

const python = (ascii: boolean): string => {
  const text = `{"name": "Zoë", "link": "https://a.example/b", "list": [1, {"z": 1, "a": null}], "empty": {}}`
  return ascii ? text.replace('ë', '\\u00eb') : text
}

describe('a refused webhook says why', () => {
  it('and one that is right says nothing', async () => {
    assert.equal(await explain({}), 'nothing is wrong')
  })

  it('where the body was parsed and printed anew', async () => {
    const originals: Record<string, string> = {
      'json.dumps': python(true),
      'json.dumps with ensure_ascii=False': python(false),
      indented: JSON.stringify(value, null, 2),
      'indented by four': JSON.stringify(value, null, 4),
      'by tabs': JSON.stringify(value, null, '\t'),
      'json_encode of PHP': compact.replaceAll('/', '\\/').replace('ë', '\\u00eb'),
      'slashes alone': compact.replaceAll('/', '\\/'),
      'a line break behind': `${compact}\n`,
    }
    for (const [name, signedBody] of Object.entries(originals)) {
      const said = await explain({
        signedBody,
        body: signedBody === `${compact}\n` ? JSON.stringify(value, null, 2) : compact,
      })
      assert.match(said, /^mismatch body-reserialised: .*(raw bytes)/, name)
    }
    const sorted = await explain({
      signedBody: '{"a":{"b":1,"c":2},"d":[{"e":1,"f":2}]}',
      body: '{"d":[{"f":2,"e":1}],"a":{"c":2,"b":1}}',
    })
    assert.match(sorted, /body-reserialised: .*names sorted/)
  })

  it('where line breaks, blanks or the encoding were changed', async () => {
    for (const [signedBody, body] of [
      ['a=1\r\nb=2', 'a=1\nb=2'],
      ['a=1\nb=2', 'a=1\r\nb=2'],
      ['plain\n', 'plain'],
      ['plain', ' plain\n'],
    ] as const)
      assert.match(await explain({ signedBody, body }), /mismatch body-recoded: /, JSON.stringify([signedBody, body]))
    const latin1 = createHmac('sha256', secret).update(Buffer.from('Zoë', 'latin1')).digest('hex')
    const said = await explain({ body: 'Zoë', headers: { 'x-hub-signature-256': `sha256=${latin1}` } })
    assert.match(said, /body-recoded: .*ISO 8859-1/)
  })

  it('where the body was cut off, or is gone', async () => {
    assert.match(await explain({ body: '' }), /body-empty: .*read it before/)
    const short = compact.slice(0, 30)
    const headers = { 'content-type': 'application/json' }
    assert.match(await explain({ body: short, headers }), /body-truncated: the body of 31 bytes ends within its JSON/)
    const announced = { 'content-length': '500' }
    assert.match(
      await explain({ body: 'a=1', headers: announced }),
      /body-truncated: .* 3 bytes, but 500 were announced/,
    )
  })

  it('where the clock is off, and only then', async () => {
    const scheme = 'slack'
    assert.match(
      await explain({ scheme, atMs: nowMs - 420_000 }),
      /stale clock: the signature is right, .*420 seconds behind .*7 minutes/,
    )
    assert.match(await explain({ scheme, atMs: nowMs + 420_000 }), /stale clock: .*420 seconds ahead/)
    assert.match(await explain({ scheme, atMs: nowMs - 420_000, signedBy: 'other' }), /stale secret-or-body/)
    const milliseconds = { 'x-slack-request-timestamp': String(nowMs) }
    assert.match(await explain({ scheme, headers: milliseconds }), /timestamp-malformed clock: .*milliseconds/)
  })

  it('where the secret is an earlier one, or is read otherwise', async () => {
    assert.match(await explain({ signedBy: 'old', oldSecrets: ['older', 'old'] }), /mismatch old-secret: /)
    const withHmac = (key: string | Buffer): Record<string, string> => ({
      'x-hub-signature-256': `sha256=${createHmac('sha256', key).update(compact).digest('hex')}`,
    })
    const bare = secret.slice('whsec_'.length)
    for (const [key, words] of [
      [Buffer.from(bare, 'base64'), /base64, without its prefix/],
      [bare, /text behind its prefix/],
      [`${secret}\n`, /line break behind/],
    ] as const)
      assert.match(await explain({ headers: withHmac(key) }), words)
    assert.match(await explain({ secrets: [` ${secret} `] }), /secret-encoding: .*without blanks/)
    const standard = { scheme: 'standard-webhooks', signedBody: compact } as const
    const text = createHmac('sha256', secret)
      .update(`m.${nowMs / 1000}.${compact}`)
      .digest('base64')
    const headers = { 'webhook-id': 'm', 'webhook-signature': `v1,${text}` }
    assert.match(await explain({ ...standard, headers }), /secret-encoding: .*its text as it is, prefix included/)
  })

  it('where the signature is spelled or made otherwise', async () => {
    const mac = createHmac('sha256', secret).update(compact)
    const hex = mac.digest('hex')
    const field = (text: string): Given => ({ headers: { 'x-hub-signature-256': text } })
    assert.match(await explain(field(hex)), /signature-encoding: .*does not begin with sha256=/)
    assert.match(
      await explain(field(`sha256=${hex.toUpperCase()}`)),
      /signature-encoding: .*(capitals|looks like base64)/,
    )
    assert.match(await explain(field(`sha256=${Buffer.from(hex, 'hex').toString('base64')}`)), /looks like base64/)
    const sha1 = createHmac('sha1', secret).update(compact).digest('hex')
    assert.match(await explain(field(`sha256=${sha1}`)), /signed-otherwise: .*SHA-1 over \{body\}/)
    const bare = createHmac('sha256', secret).update(compact).digest('hex')
    const slack = { scheme: 'slack', headers: { 'x-slack-signature': `v0=${bare}` } } as const
    assert.match(await explain(slack), /signed-otherwise: .*SHA-256 over \{body\}, not SHA-256 over v0/)
  })

  it('where the field is missing, or that of somebody else', async () => {
    const without = async (scheme: WebhookScheme, headers: Record<string, string>): Promise<string> => {
      const message = { header: (name: string) => headers[name], body: utf8(compact) }
      return (await explainMessage({ scheme, secrets: [secret] }, message, nowMs))?.advice ?? ''
    }
    assert.match(await without('github', {}), /is a secret set at the sender/)
    assert.match(await without('github', { 'x-hub-signature': 'sha1=x' }), /only x-hub-signature, with SHA-1/)
    assert.match(await without('stripe', { 'webhook-signature': 'v1,x' }), /of the scheme standard-webhooks/)
    assert.match(await without('basic', {}), /no user name and password/)
    assert.match(await without('basic', { authorization: 'Basic x' }), /another user name or password/)
  })

  it('and where nothing fits it gives what can be compared', async () => {
    const said = await explain({ signedBy: 'other' })
    const digest = '[0-9a-f]{64}'
    assert.match(
      said,
      new RegExp(`mismatch secret-or-body: .*${Buffer.byteLength(compact)} bytes with the SHA-256 ${digest}`),
    )
    assert.ok(!said.includes(secret))
  })
})
