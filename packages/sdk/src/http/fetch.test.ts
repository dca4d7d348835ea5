import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import { HTTPError, RateLimitError, createContext, type ContextOptions } from '../integration.ts'
import { createOutbound } from './outbound.ts'

type Seen = {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}
type Answer = (request: Seen, response: ServerResponse) => void

let server: Server
let other: Server
let base: string
let otherBase: string
let seen: Seen[] = []
let waits: number[] = []
let answer: Answer

const json =
  (body: unknown, status = 200, headers: Record<string, string | string[]> = {}): Answer =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(body))
  }
const text =
  (body: string | Uint8Array, status = 200, type = 'text/plain'): Answer =>
  (_, response) => {
    response.writeHead(status, { 'content-type': type })
    response.end(body)
  }
/** The first answers, then the last one for good. */
const inTurn =
  (...answers: Answer[]): Answer =>
  (request, response) =>
    (answers.length > 1 ? answers.shift() : answers[0])?.(request, response)
const cut: Answer = (_, response) => void response.destroy()

function serve(): Server {
  return createServer((incoming, response) => {
    const parts: Buffer[] = []
    incoming.on('data', (part: Buffer) => parts.push(part))
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming
      const request = { method, url, headers, body: Buffer.concat(parts).toString() }
      seen.push(request)
      answer(request, response)
    })
  })
}

async function listen(listening: Server): Promise<string> {
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
}

before(async () => {
  server = serve()
  other = serve()
  base = await listen(server)
  otherBase = await listen(other)
})
after(() => {
  for (const each of [server, other]) each.closeAllConnections()
  server.close()
  other.close()
})
beforeEach(() => {
  seen = []
  waits = []
  answer = json({ ok: true })
})

const oauth = { auth_type: 'PlatformOauth2', credentials: { access_token: 'planted-token' } }

function fetchWith(options: ContextOptions = {}) {
  return createContext({
    sleep: async (ms) => void waits.push(ms),
    random: () => 1,
    nowMs: () => Date.UTC(2026, 0, 1),
    ...options,
  }).fetch
}

describe('answers', () => {
  it('gives status, fields and parsed JSON', async () => {
    const { status, headers, data } = await fetchWith()(`${base}/a`)
    assert.deepEqual([status, headers['content-type'], data], [200, 'application/json', { ok: true }])
  })

  it('parses JSON of vendors, also that of errors', async () => {
    answer = text('{"a":1}', 200, 'application/vnd.api+json; charset=utf-8')
    assert.deepEqual((await fetchWith()(base)).data, { a: 1 })
    answer = text('{"title":"no"}', 400, 'application/problem+json')
    await assert.rejects(fetchWith()(base), (error: HTTPError) => {
      assert.deepEqual(error.responseData, { title: 'no' })
      return error instanceof HTTPError && error.status === 400
    })
  })

  it('gives text as text, also where JSON was promised, bytes where it is neither, and null where there is nothing', async () => {
    answer = text('plain')
    assert.equal((await fetchWith()(base)).data, 'plain')
    answer = text('not json', 200, 'application/json')
    assert.equal((await fetchWith()(base)).data, 'not json')
    const bytes = Uint8Array.of(0xff, 0xd8, 0xff, 0)
    answer = text(bytes, 200, 'image/jpeg')
    assert.deepEqual(new Uint8Array((await fetchWith()<Uint8Array>(base)).data), bytes)
    for (const status of [200, 201, 204]) {
      answer = text('', status)
      assert.equal((await fetchWith()(base)).data, null)
    }
  })

  it('gives the form that is asked for', async () => {
    assert.equal((await fetchWith()(base, { as: 'text' })).data, '{"ok":true}')
    assert.equal(Buffer.from((await fetchWith()<Uint8Array>(base, { as: 'bytes' })).data).toString(), '{"ok":true}')
  })

  it('keeps every value of a field that comes more than once', async () => {
    answer = json({}, 200, { 'set-cookie': ['a=1', 'b=2'] })
    assert.deepEqual((await fetchWith()(base)).headers['set-cookie'], ['a=1', 'b=2'])
  })

  it('refuses an answer that is larger than the caller allows, and does not ask again', async () => {
    answer = text('x'.repeat(1000))
    await assert.rejects(fetchWith()(base, { maxBytes: 999 }), /more than 999 bytes/)
    assert.equal(seen.length, 1)
    await fetchWith()(base, { maxBytes: 1000 })
  })
})

describe('requests', () => {
  it('sends JSON, forms, text and bytes under their types', async () => {
    const send = async (options: Parameters<ReturnType<typeof fetchWith>>[1]) => {
      await fetchWith()(base, { method: 'POST', ...options })
      const request = seen.at(-1)
      return [request?.headers['content-type'], request?.body]
    }
    const form = 'application/x-www-form-urlencoded'
    assert.deepEqual(await send({ json: { a: 1 } }), ['application/json', '{"a":1}'])
    assert.deepEqual(await send({ data: { a: 1 }, contentType: 'application/json' }), ['application/json', '{"a":1}'])
    assert.deepEqual(await send({ data: { a: 'x y', b: [1, 2] }, contentType: form }), [form, 'a=x+y&b=1&b=2'])
    assert.deepEqual(await send({ data: '<a/>', contentType: 'text/xml' }), ['text/xml', '<a/>'])
    assert.deepEqual(await send({ data: '"a"', contentType: 'application/json' }), ['application/json', '"a"'])
    assert.deepEqual(await send({ data: Uint8Array.of(65), contentType: 'application/octet-stream' }), [
      'application/octet-stream',
      'A',
    ])
  })

  it('adds the query to what the address has: lists as repeated names, booleans as true, objects as JSON, null not at all', async () => {
    const params = { page: 1, all: true, none: false, tags: ['a', 'b'], filter: { x: 1 }, gone: null, also: undefined }
    await fetchWith()(`${base}/list?first=0`, { params })
    const query = new URLSearchParams(seen[0]?.url.split('?')[1])
    assert.deepEqual(
      [...query],
      [
        ['first', '0'],
        ['page', '1'],
        ['all', 'true'],
        ['none', 'false'],
        ['tags', 'a'],
        ['tags', 'b'],
        ['filter', '{"x":1}'],
      ],
    )
  })

  it('refuses what can never work before anything is sent', async () => {
    await assert.rejects(fetchWith()('ftp://example.org'), TypeError)
    await assert.rejects(fetchWith()(base, { timeoutMs: 0 }), RangeError)
    assert.throws(() => createContext({ requestConfig: { timeout: 0 } }), RangeError)
    assert.deepEqual(seen, [])
  })
})

describe('trying again', () => {
  it('repeats what failed on its way, each attempt the same request, after 1, 2 and 4 seconds', async () => {
    answer = inTurn(cut, cut, cut, json({ ok: true }))
    const { data } = await fetchWith()(`${base}/a`, {
      method: 'PUT',
      params: { page: 1 },
      data: { a: 1 },
      contentType: 'application/json',
    })
    assert.deepEqual(data, { ok: true })
    assert.deepEqual(
      seen.map(({ url, body, headers }) => [url, body, headers['content-type']]),
      Array(4).fill(['/a?page=1', '{"a":1}', 'application/json']),
    )
    assert.deepEqual(waits, [1000, 2000, 4000])
  })

  it('repeats 408, 500, 502, 503 and 504 of safe methods, and gives the last up', async () => {
    for (const status of [408, 500, 502, 503, 504]) {
      answer = inTurn(text('', status), json({ ok: status }))
      assert.deepEqual((await fetchWith()(base)).data, { ok: status })
    }
    seen = []
    answer = text('broken', 500)
    await assert.rejects(fetchWith()(base), { name: 'HTTPError', status: 500, message: 'HTTP 500: broken' })
    assert.equal(seen.length, 4)
  })

  it('never repeats a POST on its own, but one with an idempotency key', async () => {
    answer = inTurn(cut, json({}))
    await assert.rejects(fetchWith()(base, { method: 'POST', json: {} }))
    assert.equal(seen.length, 1)
    answer = inTurn(text('', 503), json({}))
    await assert.rejects(fetchWith()(base, { method: 'POST', json: {} }), { status: 503 })
    answer = inTurn(text('', 503), json({}))
    seen = []
    await fetchWith()(base, { method: 'POST', json: {}, idempotencyKey: 'k1' })
    assert.deepEqual(
      seen.map(({ headers }) => headers['idempotency-key']),
      ['k1', 'k1'],
    )
  })

  it('does not repeat 400, 401, 403, 404, 409 or 422', async () => {
    for (const status of [400, 401, 403, 404, 409, 422]) {
      seen = []
      answer = json({ reason: status }, status)
      await assert.rejects(fetchWith()(base), { status, responseData: { reason: status } })
      assert.equal(seen.length, 1)
    }
  })

  it('a partial configuration keeps the other defaults', async () => {
    answer = inTurn(cut, json({}))
    await fetchWith({ requestConfig: { timeout: 5 } })(base)
    assert.equal(seen.length, 2)
    answer = cut
    await assert.rejects(fetchWith({ requestConfig: { max_retries: 0 } })(base))
    assert.equal(seen.length, 3)
  })

  it('ends when its signal aborts', async () => {
    const controller = new AbortController()
    answer = () => controller.abort(new Error('cancelled'))
    await assert.rejects(fetchWith({ signal: controller.signal })(base), /cancelled|abort/i)
    assert.equal(seen.length, 1)
  })

  it('gives up an attempt that takes too long, and tries again', async () => {
    answer = inTurn(() => {}, json({ ok: 1 }))
    assert.deepEqual((await fetchWith()(base, { timeoutMs: 50 })).data, { ok: 1 })
    assert.equal(seen.length, 2)
  })
})

describe('rate limits', () => {
  const cases = [
    ['120', 120],
    ['Thu, 01 Jan 2026 00:02:00 GMT', 120],
    ['Thu, 01 Jan 1998 00:00:00 GMT', 0],
    ['soon', 60],
  ] as const
  for (const [field, seconds] of cases) {
    it(`"Retry-After: ${field}" is ${seconds} seconds, at once`, async () => {
      answer = json({ slow: true }, 429, { 'retry-after': field })
      await assert.rejects(fetchWith()(base), (error: RateLimitError) => {
        assert.deepEqual([error.retryAfter, error.status, error.responseData], [seconds, 429, { slow: true }])
        return error instanceof RateLimitError && error instanceof HTTPError
      })
      assert.equal(seen.length, 1)
    })
  }

  it('is 60 seconds where nothing is said, and is waited for when asked', async () => {
    answer = json({}, 429)
    await assert.rejects(fetchWith()(base), { retryAfter: 60 })
    answer = inTurn(json({}, 429, { 'retry-after': '7' }), json({ ok: 1 }))
    assert.deepEqual((await fetchWith()(base, { method: 'POST', retryRateLimited: true })).data, { ok: 1 })
    assert.deepEqual(waits, [7250])
  })
})

describe('credentials', () => {
  const authorizations = () => seen.map(({ headers }) => headers.authorization)

  it('adds the token of the platform, unless the handler sends its own, in whatever case', async () => {
    const fetch = fetchWith({ auth: oauth })
    await fetch(base)
    await fetch(base, { headers: { authorization: 'Basic x' } })
    await fetch(base, { headers: { AUTHORIZATION: 'Basic y' } })
    assert.deepEqual(authorizations(), ['Bearer planted-token', 'Basic x', 'Basic y'])
  })

  it('adds nothing for keys, custom fields and basic credentials, nor for types that it does not know', async () => {
    for (const type of ['ApiKey', 'Custom', 'Basic', 'something_new'])
      await fetchWith({ auth: { ...oauth, auth_type: type } })(base)
    await fetchWith({ auth: { api_key: 'k' } })(base)
    assert.deepEqual(new Set(authorizations()), new Set([undefined]))
  })

  it('goes only to hosts that are declared', async () => {
    const { host } = new URL(base)
    await fetchWith({ auth: oauth, hosts: ['api.example.com'] })(base)
    await fetchWith({ auth: oauth, hosts: ['127.0.0.1', host] })(base)
    await fetchWith({ auth: oauth, hosts: ['http://127.0.0.1:*'] })(base)
    await fetchWith({ auth: oauth, hosts: [`http://${host}`] })(base)
    assert.deepEqual(authorizations(), [undefined, undefined, 'Bearer planted-token', 'Bearer planted-token'])
    assert.throws(() => fetchWith({ hosts: ['http://api.example.com'] }), /plain http on loopback addresses only/)
  })

  it('where none are declared, only to the first', async () => {
    const fetch = fetchWith({ auth: oauth })
    await fetch(base)
    await fetch(otherBase)
    assert.deepEqual(authorizations(), ['Bearer planted-token', undefined])
  })

  it('follows redirects, and takes credentials to no other origin', async () => {
    answer = ({ url }, response) => {
      const target = url === '/same' ? '/end' : `${otherBase}/end`
      response.writeHead(url === '/end' ? 200 : 302, { location: target }).end()
    }
    const fetch = fetchWith({ auth: oauth, hosts: ['http://127.0.0.1:*'] })
    await fetch(`${base}/same`, { headers: { 'x-api-key': 'planted-key' } })
    assert.deepEqual(
      seen.map(({ headers }) => headers['x-api-key']),
      ['planted-key', 'planted-key'],
    )
    seen = []
    await fetchWith({ auth: oauth })(`${base}/away`, {
      headers: { 'x-api-key': 'planted-key', cookie: 'planted=1' },
      secretHeaders: { 'X-Tenant': 'planted' },
    })
    const { headers } = seen.at(-1) ?? { headers: {} }
    assert.deepEqual([seen.length, seen[0]?.headers['x-tenant']], [2, 'planted'])
    assert.doesNotMatch(JSON.stringify(headers), /planted/)
  })

  it('adds no token behind a redirect to another origin, declared or not, nor in place of the credentials of the handler', async () => {
    answer = ({ url }, response) =>
      response
        .writeHead(url === '/end' ? 200 : 302, { location: url === '/back' ? `${base}/end` : `${otherBase}/back` })
        .end()
    for (const hosts of [['http://127.0.0.1:*'], undefined]) {
      await fetchWith({ auth: oauth, hosts })(`${base}/away`)
      await fetchWith({ auth: oauth, hosts })(`${base}/away`, { headers: { Authorization: 'Basic own' } })
    }
    const once = (own: string) => [own, undefined, undefined]
    const both = [...once('Bearer planted-token'), ...once('Basic own')]
    assert.deepEqual(authorizations(), [...both, ...both])
  })

  it('a redirect of a POST becomes a GET as browsers do it, and 307 keeps it', async () => {
    answer = ({ url }, response) =>
      response.writeHead(url === '/end' ? 200 : url === '/303' ? 303 : 307, { location: '/end' }).end()
    await fetchWith()(`${base}/303`, { method: 'POST', json: { a: 1 } })
    await fetchWith()(`${base}/307`, { method: 'POST', json: { a: 1 } })
    assert.deepEqual(
      seen.map(({ method, body }) => [method, body]),
      [
        ['POST', '{"a":1}'],
        ['GET', ''],
        ['POST', '{"a":1}'],
        ['POST', '{"a":1}'],
      ],
    )
    answer = (_, response) => response.writeHead(302, { location: '/again' }).end()
    await assert.rejects(fetchWith()(base), /more than 5 redirects/)
  })

  it('no secret of a query or a field is logged', async () => {
    const lines: string[] = []
    const log = (fields: object, message: string) => void lines.push(JSON.stringify([fields, message]))
    const logger = { debug: log, info: log, warn: log, error: log }
    await fetchWith({ auth: oauth, logger })(`${base}/a?key=planted-key`, {
      params: { token: 'planted' },
      headers: { 'x-key': 'planted' },
    })
    assert.equal(lines.length, 1)
    assert.doesNotMatch(lines.join(), /planted/)
  })
})

it('a guarded way out refuses private addresses, also behind a redirect, once', async () => {
  const guarded = createOutbound()
  await assert.rejects(fetchWith({ dispatcher: guarded.dispatcher })(base), { name: 'AddressRefusedError' })
  assert.deepEqual([seen.length, waits.length], [0, 0])
  await guarded.close()
})
