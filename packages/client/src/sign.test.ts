import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { createSluice } from './client.ts'
import type { SluiceOptions } from './options.ts'
import { createFakeClock } from './testing/fake-clock.ts'
import { createRecordingTransport } from './testing/recording-transport.ts'

const hmacSecret = 'sls_Größe and "quotes"'

type Seen = {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string | Buffer
}

function verify({ method, path, headers, body }: Seen): void {
  const timestamp = headers['x-sluice-timestamp']
  const signed = createHmac('sha256', hmacSecret)
    .update(`${method}\n${path}\n${String(timestamp)}\n`)
    .update(body)
  assert.equal(headers['x-sluice-signature'], `sha256=${signed.digest('hex')}`)
}

/** A plain server that keeps what arrives, byte for byte. */
async function serve(context: TestContext, options: SluiceOptions) {
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    const { method = '', url: path = '', headers } = request
    seen.push({ method, path, headers, body: await buffer(request) })
    response.writeHead(seen.length === 1 ? 503 : 200).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/behind/a path`
  return { seen, sluice: createSluice({ baseUrl, hmacSecret, random: () => 0, ...options }) }
}

test('what arrives is what was signed: bodies, batches, queries, and requests without a body', async (context) => {
  const { seen, sluice } = await serve(context, { apiKey: 'slk_0123456789abcdef_secret' })
  await sluice.events.send('a', { text: 'ü\u2028 \ud83d\ude00 \ud800' })
  await sluice.events.sendBatch([{ event_type: 'a', payload: { text: 'ß' } }]).catch(() => undefined)
  await sluice.inbox('crm & co').poll({ limit: 2, cursor: 'a+b/c=' })
  await sluice.events.get('an id/ü')
  assert.deepEqual(
    seen.map(({ method, path }) => `${method} ${path}`),
    [
      'POST /behind/a%20path/v1/events',
      'POST /behind/a%20path/v1/events',
      'POST /behind/a%20path/v1/events/batch',
      'GET /behind/a%20path/v1/inboxes/crm%20%26%20co/events?limit=2&cursor=a%2Bb%2Fc%3D',
      'GET /behind/a%20path/v1/events/an%20id%2F%C3%BC',
    ],
  )
  for (const request of seen) {
    verify(request)
    assert.equal(request.headers['x-sluice-key-id'], '0123456789abcdef')
    assert.equal(request.headers['authorization'], 'Bearer slk_0123456789abcdef_secret')
  }
})

test('each attempt is signed anew, with the time of its own', async () => {
  const hub = createRecordingTransport()
  const clock = createFakeClock()
  const { transport } = hub
  const sluice = createSluice({ transport, clock, hmacSecret, keyId: 'abc', random: () => 0 })
  hub.fail(1, { retryAfter: 7 })
  await sluice.events.send('a', { n: 1 })
  assert.deepEqual(
    hub.requests.map(({ headers }) => headers['x-sluice-timestamp']),
    ['1769860800', '1769860807'],
  )
  for (const request of hub.requests) {
    verify(request)
    assert.equal(request.headers['x-sluice-key-id'], 'abc')
    assert.equal(request.headers['authorization'], undefined)
  }
  assert.notEqual(hub.requests[0]?.headers['x-sluice-signature'], hub.requests[1]?.headers['x-sluice-signature'])
})

test('the time in a signature is the calendar`s, also where the time between attempts is another', async () => {
  const hub = createRecordingTransport()
  const clock = { ...createFakeClock(), wall: () => 1_800_000_000_999 }
  await createSluice({ transport: hub.transport, clock, hmacSecret, apiKey: 'foreign' }).events.send('a', {})
  assert.equal(hub.requests[0]?.headers['x-sluice-timestamp'], '1800000000')
  assert.equal(hub.requests[0]?.headers['x-sluice-key-id'], undefined)
})

test('any payload is signed as it is sent', async () => {
  const hub = createRecordingTransport()
  const sluice = createSluice({ transport: hub.transport, hmacSecret: ` ${hmacSecret}\n`, keyId: 'abc' })
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), async (payload) => {
      await sluice.events.send('a', payload)
      const request = hub.requests.at(-1)
      assert.ok(request)
      verify(request)
    }),
  )
})

test('a secret that is nobody`s, and a key id without a secret, are told at once', () => {
  const apiKey = 'slk_0123456789abcdef_secret'
  assert.throws(() => createSluice({ hmacSecret }), { name: 'TypeError', message: /neither apiKey nor keyId/ })
  assert.throws(() => createSluice({ keyId: 'abc' }), {
    name: 'TypeError',
    message: /keyId is given without hmacSecret/,
  })
  assert.throws(() => createSluice({ keyId: 'abc', apiKey, hmacSecret: ' ' }), /without hmacSecret/)
  assert.throws(() => createSluice({ apiKey }).with({ keyId: 'abc' }), /without hmacSecret/)
  createSluice({ hmacSecret, baseUrl: `http://${apiKey}@127.0.0.1:8000` })
})
