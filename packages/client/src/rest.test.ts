import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { createRest, type Call } from './rest.ts'
import type { Transport, TransportRequest } from './transport.ts'

type Turn = number | null | string
const list: Call = { method: 'GET', path: '/things', repeatable: true }

/** Answers one turn a request, then 200: a status, a text, or nothing. */
function open(turns: readonly Turn[]) {
  const seen: TransportRequest[] = []
  const transport: Transport = async (request) => {
    const turn = turns[seen.push(request) - 1]
    if (turn === null) throw new Error('silence')
    const response = new Response(typeof turn === 'string' ? turn : 'well=done', {
      status: typeof turn === 'number' ? turn : 200,
      headers: { location: '/new' },
    })
    return {
      status: response.status,
      header: (name) => response.headers.get(name),
      text: () => response.text(),
      stream: () => response.body,
    }
  }
  const rest = createRest({
    baseUrl: 'https://crm.example.com/api/',
    transport,
    clock: { now: () => 0, sleep: () => Promise.resolve() },
    parseAnswer: (text) => Object.fromEntries(new URLSearchParams(text)),
    parseProblem: (answer, text) => {
      const detail = `${text} at ${answer.header('location')}`
      const none = { type: 'about:blank', title: '', instance: '', message: '', correlation_id: '', details: {} }
      return { ...none, status: answer.status, detail, error_code: 'theirs' }
    },
  })
  return { ...rest, seen }
}

test("another service's answers and refusals are read in its own words", async () => {
  const { request, seen, baseUrl } = open([200, 404])
  assert.equal(baseUrl, 'https://crm.example.com/api')
  assert.deepEqual(await request(list), { well: 'done' })
  await assert.rejects(request(list), {
    name: 'ApiError',
    status: 404,
    errorCode: 'theirs',
    message: 'GET /things answered 404 theirs: well=done at /new',
  })
  assert.equal(seen[0]?.url, 'https://crm.example.com/api/things')
})

test('what may be tried again only when it was refused is not tried again after silence', async () => {
  const call: Call = { method: 'POST', path: '/things', body: {}, repeatable: 'when-refused' }
  const { request, seen } = open([429, 503, 200, 500, null, 200])
  assert.deepEqual(await request(call), { well: 'done' })
  assert.equal(seen.length, 3)
  await assert.rejects(request(call), { name: 'ApiError', status: 500 })
  await assert.rejects(request(call), { name: 'TransportError', attempts: 1 })
  assert.equal(seen.length, 5)
})

test('where no connection was made nothing was done', async () => {
  const clock = { now: () => 0, sleep: () => Promise.resolve() }
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((closed) => server.close(closed))
  const { request } = createRest({ baseUrl: `http://127.0.0.1:${port}`, clock, parseProblem: () => undefined })
  const call: Call = { method: 'POST', path: '/things', body: {}, repeatable: 'when-refused' }
  await assert.rejects(request(call), { name: 'TransportError', attempts: 4 })
  await assert.rejects(request({ ...call, repeatable: false }), { attempts: 1 })
})

test('bytes go and come as they are', async () => {
  const bytes = Uint8Array.of(0, 255, 128)
  const { request, seen } = open(['\u0001\u0002'])
  const call: Call = { method: 'POST', path: '/files', content: { type: 'image/png', bytes }, repeatable: false }
  assert.deepEqual(await request({ ...call, answer: 'bytes' }), Uint8Array.of(1, 2))
  assert.deepEqual([seen[0]?.bytes, seen[0]?.headers['content-type']], [bytes, 'image/png'])
})

test('a request is signed over the bytes that leave, in the fields of that service', async () => {
  const fields = { timestamp: 'x-time', signature: 'x-sign' }
  const seen: TransportRequest[] = []
  const transport: Transport = (request) => {
    seen.push(request)
    return Promise.reject(new Error('silence'))
  }
  const clock = { now: () => 1_700_000_000_000, sleep: () => Promise.resolve() }
  const signing = { secret: 'geheim', fields }
  const more = { transport, clock, signing, maxRetries: 0, secrets: ['silence'], parseProblem: () => undefined }
  const { request } = createRest({ baseUrl: 'https://crm.example.com/api', ...more })
  const bytes = Uint8Array.of(0, 255, 10)
  const call: Call = { method: 'POST', path: '/a?b=c', content: { type: 'x/y', bytes }, repeatable: true }
  await assert.rejects(request(call), { message: 'POST /a?b=c failed: [redacted]' })
  const signed = Buffer.concat([Buffer.from('POST\n/api/a?b=c\n1700000000\n'), bytes])
  const expected = createHmac('sha256', 'geheim').update(signed).digest('hex')
  assert.equal(seen[0]?.headers['x-sign'], `sha256=${expected}`)
  assert.equal(seen[0]?.headers['x-time'], '1700000000')
})
