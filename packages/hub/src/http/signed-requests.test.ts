import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { after, before, describe, it, test } from 'node:test'
import { limits, type Accepted, type BatchAccepted, type KeyWithSecret, type Problem } from '@sluice/protocol'
import { openTestHub, type CallOptions, type TestHub } from '../test-hub.ts'

const event = JSON.stringify({ event_type: 'a', payload: {} })
const origin = Date.UTC(2026, 0, 1) / 1000

let t: TestHub
let nowSeconds = origin
let key: KeyWithSecret & { hmac_secret: string }

before(async () => {
  t = await openTestHub({ publicUrl: 'https://example.org/hub' })
  key = await makeKey({})
})
after(() => t.close())

async function makeKey(wanted: object): Promise<typeof key> {
  const { body, status } = await t.call<typeof key>('POST', '/v1/keys', {
    body: { user_id: 'u', hmac: true, ...wanted },
  })
  assert.equal(status, 201)
  return body
}

function advance(seconds: number): void {
  t.advance(seconds * 1000)
  nowSeconds += seconds
}

type SignOptions = {
  readonly secret?: string
  readonly keyId?: string | undefined
  readonly timestamp?: string
  readonly target?: string
  readonly method?: string
  readonly signedBody?: string | Uint8Array
  readonly spelling?: 'Sluice' | 'eSauti'
}

/** The fields of a request that the tested key has signed. */
function sign(body: string | Uint8Array, options: SignOptions = {}): Record<string, string> {
  const { secret = key.hmac_secret, timestamp = String(nowSeconds), target = '/v1/events', method = 'POST' } = options
  const hmac = createHmac('sha256', secret).update(`${method}\n${target}\n${timestamp}\n`)
  const hex = hmac.update(options.signedBody ?? body).digest('hex')
  const { spelling = 'Sluice' } = options
  const keyId = 'keyId' in options ? options.keyId : key.key_id
  return {
    [`X-${spelling}-Timestamp`]: timestamp,
    [`X-${spelling}-Signature`]: `sha256=${hex}`,
    ...(keyId !== undefined && { 'X-Sluice-Key-Id': keyId }),
  }
}

type Case = SignOptions & { readonly bearer?: string | null; readonly body?: string; readonly path?: string }

async function publish(given: Case = {}): Promise<string> {
  const { bearer = null, body = event, path = '/v1/events', ...options } = given
  const answer = await t.call<Pick<Accepted, 'status'> & Pick<Problem, 'error_code'>>('POST', path, {
    key: bearer,
    body,
    headers: sign(body, options),
  })
  return answer.status < 300 ? answer.body.status : `${answer.status} ${answer.body.error_code}`
}

describe('a signed request', () => {
  it('needs no key beside it, only the id', async () => {
    assert.equal(await publish({ body: '{"event_type":"alone","payload":{}}' }), 'accepted')
  })

  it('takes the key beside it, with the id or without', async () => {
    for (const keyId of [undefined, key.key_id]) {
      advance(1)
      assert.equal(await publish({ bearer: key.api_key, keyId }), 'accepted')
    }
  })

  it('may use the spellings of eSauti, and the path of the public address', async () => {
    advance(1)
    assert.equal(await publish({ spelling: 'eSauti' }), 'accepted')
    advance(1)
    assert.equal(await publish({ target: '/hub/v1/events' }), 'accepted')
  })

  it('covers the query, and a body that is not there', async () => {
    const target = '/v1/events?limit=1'
    const options = { key: null, headers: sign('', { method: 'GET', target }) }
    assert.equal((await t.call('GET', target, options)).status, 200)
    assert.equal((await t.call('GET', '/v1/events?limit=2', options)).status, 401)
    assert.equal((await t.call('GET', '/v1/events', options)).status, 401)
  })

  it('covers a packed body as it was sent', async () => {
    const packed = gzipSync('{"event_type":"packed","payload":{}}')
    const headers = { ...sign(packed), 'content-encoding': 'gzip' }
    assert.equal((await t.call('POST', '/v1/events', { key: null, body: packed, headers })).status, 201)
  })

  it('is good for 300 seconds of difference by the clock of the store', async () => {
    for (const [seconds, expected] of [
      [-300, 'accepted'],
      [300, 'accepted'],
      [-301, '401 unauthorized'],
      [301, '401 unauthorized'],
    ] as const) {
      assert.equal(await publish({ timestamp: String(nowSeconds + seconds) }), expected, String(seconds))
    }
  })
})

describe('a request that is not signed right', () => {
  const wrong: Readonly<Record<string, { readonly given: Case; readonly why: RegExp }>> = {
    'another secret': { given: { secret: 'sls_other' }, why: /secret is another one, or method, path or body/ },
    'another body': { given: { signedBody: '{}' }, why: /38 bytes|bytes with the SHA-256 [0-9a-f]{64}/ },
    'another path': { given: { target: '/v1/events/batch' }, why: /POST \/v1\/events or \/hub\/v1\/events/ },
    'another method': { given: { method: 'PUT' }, why: /method/ },
    'an old time': { given: { timestamp: String(origin - 5000) }, why: /seconds behind the time of the hub; 300 are/ },
    'a time to come': { given: { timestamp: String(origin + 50_000) }, why: /seconds ahead of/ },
    'no time': { given: { timestamp: '' }, why: /X-Sluice-Timestamp is missing/ },
    'no number': { given: { timestamp: '1e9' }, why: /whole seconds/ },
    milliseconds: { given: { timestamp: String(origin * 1000) }, why: /whole seconds|ahead of/ },
  }

  for (const [name, { given, why }] of Object.entries(wrong)) {
    it(`with ${name} is refused, and the owner learns why`, async () => {
      assert.equal(await publish(given), '401 unauthorized')
      const options = { body: event, headers: sign(event, given) }
      const stranger = await t.fail('POST', '/v1/events', { ...options, key: null })
      assert.equal(stranger.detail, 'Invalid or missing API key')
      const owner = await t.fail('POST', '/v1/events', { ...options, key: key.api_key })
      assert.equal(owner.error_code, 'signature-refused')
      assert.match(owner.detail, why)
      assert.ok(!JSON.stringify(owner).includes(key.hmac_secret))
    })
  }

  it('in its form is refused', async () => {
    const good = sign(event)
    const signature = good['X-Sluice-Signature'] ?? ''
    for (const text of [
      '',
      signature.slice(7),
      signature.toUpperCase(),
      `${signature}0`,
      `sha512=${signature.slice(7)}`,
      `${signature}, ${signature}`,
    ]) {
      const headers = { ...good, 'X-Sluice-Signature': text }
      const answer = await t.fail('POST', '/v1/events', { body: event, headers, key: key.api_key })
      assert.equal(answer.error_code, 'signature-refused', text)
    }
  })

  it('names a key that is there, has a secret, and is the one beside it', async () => {
    const plain = await makeKey({ hmac: false })
    for (const keyId of [undefined, '', 'x', '0'.repeat(16), plain.key_id])
      assert.equal(await publish({ keyId }), '401 unauthorized', keyId)
    assert.equal(await publish({ bearer: plain.api_key, keyId: key.key_id }), '401 signature-refused')
    assert.equal(await publish({ bearer: plain.api_key, keyId: undefined }), '401 signature-refused')
    assert.equal(await publish({ bearer: 'slk_wrong' }), '401 unauthorized')
  })

  it('with half of it is not taken for one without', async () => {
    const { 'X-Sluice-Signature': _signature, ...half } = sign(event)
    assert.equal((await t.call('POST', '/v1/events', { key: null, body: event, headers: half })).status, 401)
    const { 'X-Sluice-Timestamp': _timestamp, ...other } = sign(event)
    assert.equal((await t.call('POST', '/v1/events', { body: event, headers: other, key: key.api_key })).status, 401)
  })
})

describe('a key that must sign', () => {
  it('is refused with its secret alone, and says why; other routes too', async () => {
    const strict = await makeKey({ require_hmac: true, role: 'admin' })
    const options: CallOptions = { key: strict.api_key }
    for (const path of ['/v1/events', '/v1/keys', '/metrics']) {
      const problem = await t.fail('GET', path, options)
      assert.equal(problem.error_code, 'signature-refused')
      assert.match(problem.detail, /must sign its requests/)
    }
    assert.equal(
      await publish({ bearer: strict.api_key, keyId: strict.key_id, secret: strict.hmac_secret }),
      'accepted',
    )
    const headers = sign('', { method: 'GET', target: '/metrics', secret: strict.hmac_secret, keyId: strict.key_id })
    assert.equal((await t.call('GET', '/metrics', { key: null, headers })).status, 200)
  })

  it('is made so and freed again by an administrator, if it has a secret', async () => {
    const plain = await makeKey({ hmac: false })
    const path = `/v1/keys/${plain.key_id}`
    assert.equal((await t.fail('PATCH', path, { body: { require_hmac: true } })).error_code, 'conflict')
    const missing = await t.fail('POST', '/v1/keys', { body: { user_id: 'u', require_hmac: true } })
    assert.equal(missing.errors?.[0]?.pointer, '/require_hmac')
    for (const required of [true, false]) {
      const answer = await t.call<KeyWithSecret>('PATCH', `/v1/keys/${key.key_id}`, {
        body: { require_hmac: required },
      })
      assert.equal(answer.body.require_hmac, required)
    }
  })
})

describe('secrets', () => {
  it('rotate with an overlap: several sign at once, and the API key stays', async () => {
    const rotated = await makeKey({})
    const path = `/v1/keys/${rotated.key_id}/rotate`
    const secrets = [rotated.hmac_secret]
    for (let n = 0; n < 2; n += 1) {
      const { body } = await t.call<KeyWithSecret>('POST', path, { body: { hmac: true, overlap_seconds: 60 } })
      assert.deepEqual([body.api_key, body.key_id], [undefined, rotated.key_id])
      secrets.push(body.hmac_secret ?? '')
    }
    const trial = async (): Promise<string[]> => {
      const results: string[] = []
      for (const secret of secrets) {
        advance(1)
        results.push(await publish({ secret, keyId: rotated.key_id }))
      }
      return results
    }
    assert.deepEqual(await trial(), ['accepted', 'accepted', 'accepted'])
    advance(60)
    assert.deepEqual(await trial(), ['401 unauthorized', '401 unauthorized', 'accepted'])
    const { body } = await t.call<KeyWithSecret>('POST', path, { body: { hmac: true } })
    secrets.push(body.hmac_secret ?? '')
    assert.deepEqual(await trial(), ['401 unauthorized', '401 unauthorized', '401 unauthorized', 'accepted'])
    assert.equal((await t.call('GET', '/v1/events', { key: rotated.api_key })).status, 200)
  })

  it('are shown once and found nowhere else: lists, audit, errors, rows', async () => {
    const shown = [key.hmac_secret, key.hmac_secret.slice(4)]
    const texts = [
      (await t.call('GET', `/v1/keys/${key.key_id}`)).text,
      (await t.call('GET', '/v1/keys?limit=200')).text,
      (await t.call('GET', '/v1/audit?limit=200')).text,
      (await t.call('POST', '/v1/events', { body: event, key: null, headers: sign('x') })).text,
      (await t.call('POST', '/v1/events', { body: event, key: key.api_key, headers: sign('x') })).text,
      JSON.stringify(await t.hub.store.findKey(key.key_id)),
    ]
    for (const text of texts) for (const secret of shown) assert.ok(!text.includes(secret), text)
    assert.match(texts[0] ?? '', /"hmac":true,"require_hmac":false/)
    assert.doesNotMatch(texts.slice(0, 3).join(''), /v1\.[0-9a-f]{8}\./, 'nor what is sealed')
  })

  it('of a revoked or inactive key say so only to whoever signed right', async () => {
    const gone = await makeKey({})
    const given = { keyId: gone.key_id, secret: gone.hmac_secret }
    await t.call('PATCH', `/v1/keys/${gone.key_id}`, { body: { status: 'inactive' } })
    assert.equal(await publish(given), '403 key-inactive')
    await t.call('DELETE', `/v1/keys/${gone.key_id}`)
    assert.equal(await publish(given), '403 key-revoked')
    assert.equal(await publish({ ...given, secret: 'sls_wrong' }), '401 unauthorized')
    const rotate = await t.fail('POST', `/v1/keys/${gone.key_id}/rotate`, { body: { hmac: true } })
    assert.equal(rotate.error_code, 'conflict')
  })
})

describe('a request that comes again', () => {
  it('stores its event once, and gets the first answer', async () => {
    advance(1)
    const headers = sign(event)
    const send = () => t.call<Accepted>('POST', '/v1/events', { key: null, body: event, headers })
    const [first, second] = [await send(), await send()]
    assert.deepEqual([first.status, second.status, second.body.status], [201, 200, 'duplicate'])
    assert.equal(second.body.event_id, first.body.event_id)
    advance(1)
    assert.equal(await publish(), 'accepted', 'signed anew it is another event')
  })

  it('stores each event of its batch once', async () => {
    const body = `[${event},${event},{"event_type":"a","payload":{},"idempotency_key":"own"}]`
    const headers = sign(body, { target: '/v1/events/batch' })
    const send = () => t.call<BatchAccepted>('POST', '/v1/events/batch', { key: null, body, headers })
    const [first, second] = [await send(), await send()]
    const ids = ({ body: { results } }: typeof first) =>
      results.map((result) => 'event_id' in result && result.event_id)
    assert.equal(new Set(ids(first)).size, 3)
    assert.deepEqual(ids(second), ids(first))
  })

  it('stores a CloudEvent once, in each mode', async () => {
    const cloudEvent = { specversion: '1.0', type: 'c.d', source: '/s', id: '1', data: {} }
    const bodies = {
      'application/cloudevents+json': JSON.stringify({ ...cloudEvent, id: '2' }),
      'application/cloudevents-batch+json': JSON.stringify([
        { ...cloudEvent, id: '3' },
        { ...cloudEvent, id: '4' },
      ]),
    }
    for (const [contentType, body] of Object.entries(bodies)) {
      const headers = { ...sign(body), 'content-type': contentType }
      const send = () => t.call('POST', '/v1/events', { key: null, body, headers })
      const [first, second] = [await send(), await send()]
      assert.ok(first.status < 300 && second.text.includes('"duplicate"'), second.text)
    }
  })

  it('with an idempotency key goes by that key', async () => {
    const send = async () => {
      advance(1)
      const headers = { ...sign(event), 'idempotency-key': 'signed-1' }
      return t.call<Accepted>('POST', '/v1/events', { key: null, body: event, headers })
    }
    assert.deepEqual([(await send()).body.status, (await send()).body.status], ['accepted', 'duplicate'])
  })

  it('makes no second key', async () => {
    const admin = await makeKey({ role: 'admin' })
    const body = '{"user_id":"replayed"}'
    const headers = sign(body, { target: '/v1/keys', secret: admin.hmac_secret, keyId: admin.key_id })
    assert.equal((await t.call('POST', '/v1/keys', { key: null, body, headers })).status, 201)
    assert.equal((await t.fail('POST', '/v1/keys', { key: null, body, headers })).error_code, 'conflict')
  })
})

test('a signature of nobody says that the key id is missing', async () => {
  const problem = await t.fail('POST', '/v1/events', {
    key: null,
    body: event,
    headers: sign(event, { keyId: undefined }),
  })
  assert.equal(problem.error_code, 'unauthorized')
  assert.match(problem.detail, /X-Sluice-Key-Id is missing/)
})

test('a stranger spends nothing of the key, whose rate limit counts what is proven', async () => {
  const limited = await makeKey({ rate_limit: 1 })
  for (let n = 0; n < 3; n += 1) assert.equal(await publish({ keyId: limited.key_id, secret: 'x' }), '401 unauthorized')
  const given = { keyId: limited.key_id, secret: limited.hmac_secret }
  assert.equal(await publish(given), 'accepted')
  assert.equal(await publish(given), '429 rate-limit-exceeded')
})

test('uploads that strangers never end take nothing from anybody', async () => {
  const stop = new AbortController()
  const batch = '/v1/events/batch'
  // Says 5 MiB and never sends them: nothing is allocated for it, but it is counted.
  const upload = (headers: Record<string, string>): Promise<Response> =>
    t.hub.app.request(batch, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', 'content-length': String(limits.batchBytes) },
      body: new ReadableStream({
        start: (controller) => stop.signal.addEventListener('abort', () => controller.close()),
      }),
      duplex: 'half',
    } as RequestInit)
  const hanging = Array.from({ length: 30 }, () => upload(sign('x', { target: batch })))
  await t.call('GET', '/status')
  advance(1)
  assert.equal(await publish(), 'accepted', 'nor from those who show no key, either')
  assert.equal(await publish({ bearer: key.api_key }), 'duplicate')
  const answer = await t.call('POST', batch, { body: `[${event}]` })
  assert.equal(answer.status, 200)
  stop.abort()
  for (const response of await Promise.all(hanging)) assert.equal(response.status, 401)
})

test('a secret key that is gone is named in the log, not to the caller', async () => {
  const first = await openTestHub()
  const made = await first.call<typeof key>('POST', '/v1/keys', { body: { user_id: 'u', hmac: true } })
  const row = await first.hub.store.findKey(made.body.key_id)
  assert.ok(row?.hmac)
  await first.hub.store.updateKey(row.keyId, { newHmacSecret: { sealed: 'v1.00000000.AAAA', previousUntilMs: null } })
  const headers = sign(event, { keyId: row.keyId, secret: made.body.hmac_secret })
  first.advance(501)
  const answer = await first.fail('POST', '/v1/events', { key: null, body: event, headers })
  assert.deepEqual([answer.status, answer.error_code], [500, 'internal'])
  assert.doesNotMatch(JSON.stringify(answer), /SLUICE_SECRET_KEY/)
  await first.close()
})
