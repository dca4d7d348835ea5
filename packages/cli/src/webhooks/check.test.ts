import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { expressWebhook, verifyWebhook, type ReceiverOptions, type WebhookScheme } from '@sluice/client/webhooks'
import { createOutbound } from '@sluice/sdk/outbound'
import { checkReceiver, type CheckReport } from './check.ts'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

async function serve(context: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?a=b`
}

type Given = {
  readonly scheme?: WebhookScheme
  readonly only?: readonly string[]
  readonly timeoutMs?: number
  readonly allowCidr?: string[]
}

async function check(url: string, given: Given = {}) {
  const { scheme = 'standard-webhooks', only, timeoutMs = 10_000, allowCidr = ['127.0.0.0/8'] } = given
  const outbound = createOutbound({ allowCidr })
  let ids = 0
  const ways = {
    outbound,
    timeoutMs,
    slowMs: 0,
    hugeBytes: 8 * 1024 * 1024,
    now: Date.now,
    newId: () => `msg_${(ids += 1)}`,
  }
  try {
    return await checkReceiver(
      { url: new URL(url), scheme, secret: scheme === 'basic' ? `ada:${secret}` : secret },
      ways,
      only,
    )
  } finally {
    await outbound.close()
  }
}

/** Names of the cases by verdict. */
function namesOf(report: Awaited<ReturnType<typeof check>>, verdict: string): string[] {
  assert.ok('cases' in report, JSON.stringify(report))
  return (report as CheckReport).cases.filter((one) => one.verdict === verdict).map(({ name }) => name)
}

/** A receiver that does as it should, in any scheme. */
function good(options: Partial<ReceiverOptions> = {}): RequestListener {
  const receive = expressWebhook({ secrets: secret, maxBytes: 1024 * 1024, ...options })
  return (request, response) => receive(request, response, (error) => response.writeHead(error ? 500 : 204).end())
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

type Naughty = (body: Buffer, request: IncomingMessage, response: ServerResponse) => Promise<number> | number

/** A receiver that answers with the status that it is given; what it does not expect ends it. */
function naughty(handle: Naughty): RequestListener {
  return async (request, response) => {
    try {
      const status = await handle(await read(request), request, response)
      response.writeHead(status).end()
    } catch {
      response.destroy()
    }
  }
}

const verify = (
  body: Buffer | string,
  { headers }: Pick<IncomingMessage, 'headers'>,
  toleranceSeconds = 300,
): Promise<number> =>
  verifyWebhook({ headers, body }, secret, { toleranceSeconds }).then(({ verified }) => (verified ? 204 : 401))

test('a good receiver passes everything', async (context) => {
  const report = await check(await serve(context, good()))
  assert.deepEqual(namesOf(report, 'fail'), [])
  assert.deepEqual(namesOf(report, 'skipped'), [])
  assert.equal(namesOf(report, 'pass').length + namesOf(report, 'warn').length, 16)
  // A server that closes while the body still comes may be seen to hang up.
  assert.ok(
    namesOf(report, 'warn').every((name) => name === 'huge'),
    JSON.stringify(report),
  )
})

test('a good receiver of every other scheme passes what the scheme can tell', async (context) => {
  for (const scheme of ['github', 'stripe', 'slack', 'shopify', 'esauti', 'basic'] as const) {
    const secrets = scheme === 'basic' ? `ada:${secret}` : secret
    const report = await check(await serve(context, good({ scheme, secrets })), { scheme })
    assert.deepEqual(namesOf(report, 'fail'), [], `${scheme} ${JSON.stringify(report)}`)
    const skipped = namesOf(report, 'skipped')
    assert.equal(skipped.includes('stale'), ['github', 'shopify', 'basic'].includes(scheme), scheme)
    assert.equal(skipped.includes('changed-body'), scheme === 'basic', scheme)
  }
})

test('a naughty receiver fails what it does not do', async (context) => {
  const seen = new Set<unknown>()
  const cases: readonly [what: string, handle: Naughty, fails: readonly string[]][] = [
    ['takes everything', () => 200, ['wrong-secret', 'changed-body', 'unsigned', 'stale', 'from-the-future']],
    [
      'refuses everything',
      () => 401,
      ['good', 'odd-bytes', 'rotation', 'duplicate', 'reordered', 'chunked', 'slow', 'cut-off'],
    ],
    [
      'prints the body anew',
      (body, request) => verify(body.length === 0 ? '' : JSON.stringify(JSON.parse(body.toString())), request),
      ['odd-bytes'],
    ],
    ['knows no time', (body, request) => verify(body, request, 1e9), ['stale', 'from-the-future']],
    [
      'answers 500 to what is not signed right',
      async (body, request) => ((await verify(body, request)) === 204 ? 204 : 500),
      ['wrong-secret', 'changed-body', 'unsigned', 'stale', 'from-the-future'],
    ],
    [
      'refuses what it has seen',
      async (body, request) => {
        const status = await verify(body, request)
        if (status !== 204) return status
        const isKnown = seen.has(request.headers['webhook-id'])
        seen.add(request.headers['webhook-id'])
        return isKnown ? 409 : 204
      },
      ['duplicate'],
    ],
    [
      'looks at the first signature alone',
      (body, request) => {
        const [first = ''] = String(request.headers['webhook-signature'] ?? '').split(' ')
        return verify(body, { headers: { ...request.headers, 'webhook-signature': first } })
      },
      ['rotation'],
    ],
    ['falls over an empty body', (body, request) => (JSON.parse(body.toString()), verify(body, request)), ['empty']],
    ['redirects', (_body, _request, response) => (response.setHeader('location', '/elsewhere'), 302), []],
  ]
  const small = [
    'good',
    'odd-bytes',
    'wrong-secret',
    'changed-body',
    'unsigned',
    'stale',
    'from-the-future',
    'rotation',
    'duplicate',
    'reordered',
    'chunked',
    'slow',
    'cut-off',
    'empty',
  ]
  for (const [what, handle, fails] of cases) {
    const report = await check(await serve(context, naughty(handle)), { only: small })
    const failed = namesOf(report, 'fail')
    if (what === 'redirects') assert.match(JSON.stringify(report), /302; senders do not follow redirects/)
    else assert.deepEqual(failed, fails, `${what}: ${JSON.stringify(report)}`)
  }
})

test('a receiver that says nothing fails, and one that goes away is told from one that says 413', async (context) => {
  const hanging = await check(await serve(context, () => undefined), { only: ['good'], timeoutMs: 50 })
  assert.match(JSON.stringify(hanging), /"fail".*no answer within 0.05 s/)
  const leaving = await serve(context, (request, response) => {
    if (Number(request.headers['content-length']) > 100_000) response.destroy()
    else good()(request, response)
  })
  assert.deepEqual(namesOf(await check(leaving, { only: ['large', 'huge'] }), 'warn'), ['large', 'huge'])
  const refusing = await serve(
    context,
    naughty((body) => (body.length > 100_000 ? 400 : 204)),
  )
  assert.match(
    JSON.stringify(await check(refusing, { only: ['large'] })),
    /"warn".*is refused with 413; it answered 400/,
  )
})

test('where nobody is, or nobody may be asked, nothing is tried', async (context) => {
  const url = await serve(context, good())
  const refused = await check(url, { allowCidr: [] })
  assert.ok('unreachable' in refused && refused.isRefused)
  assert.match(refused.unreachable, /--allow-cidr/)
  const gone = await check('http://127.0.0.1:1/')
  assert.ok('unreachable' in gone && !gone.isRefused)
})
