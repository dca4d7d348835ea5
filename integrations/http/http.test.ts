import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, it } from 'node:test'
import { createContext } from '@sluice/sdk/integration'
import http from './integration.ts'

type Seen = {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

let servers: Server[] = []
let [base, other] = ['', '']
let seen: Seen[] = []
let answer: (request: Seen, response: ServerResponse) => void

before(async () => {
  const serve = async (): Promise<string> => {
    const server = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const { method = '', url = '', headers } = request
        const one = { method, url, headers, body: Buffer.concat(parts).toString() }
        seen.push(one)
        answer(one, response)
      })
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}` // it listens on a port
  }
  base = await serve()
  other = await serve()
})
after(() => {
  for (const server of servers) server.close().closeAllConnections()
  servers = []
})
beforeEach(() => {
  seen = []
  answer = (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}')
})

async function run(inputs: object, auth: Record<string, unknown> = {}) {
  const context = createContext({ auth: { auth_type: 'Custom', credentials: auth }, requestConfig: { max_retries: 0 } })
  const { type, result } = await http.executeAction('request', inputs, context)
  const { data, message = '' } = result as { data?: Record<string, unknown>; message?: string }
  return { type, data, message }
}

it('sends method, params, headers and body, and answers status, headers and body', async () => {
  const body = { a: [1] }
  const { data } = await run({
    method: 'POST',
    url: `${base}/x?a=1`,
    params: { b: [2, 3] },
    headers: { 'X-One': '1' },
    body,
  })
  const [request] = seen
  assert.deepEqual([request?.method, request?.url, request?.body], ['POST', '/x?a=1&b=2&b=3', '{"a":[1]}'])
  assert.deepEqual([request?.headers['x-one'], request?.headers['content-type']], ['1', 'application/json'])
  assert.deepEqual([data?.['status'], data?.['body'], data?.['encoding']], [200, { ok: true }, null])
  await run({ method: 'PUT', url: base, headers: { 'Content-Type': 'text/csv' }, body: 'a,b' })
  assert.deepEqual([seen[1]?.body, seen[1]?.headers['content-type']], ['a,b', 'text/csv'])
})

it('sends credentials to the origin of base_url, and nowhere else', async () => {
  const auth = { base_url: `${base}/v1`, token: 'planted', header_name: 'X-Tenant', header_value: 'planted' }
  await run({ url: 'users', headers: { authorization: 'Bearer own' } }, auth)
  assert.deepEqual([seen[0]?.url, seen[0]?.headers.authorization], ['/v1/users', 'Bearer planted'])
  assert.equal(seen[0]?.headers['x-tenant'], 'planted')
  seen = []
  await run({ url: `${other}/users` }, auth)
  await run({ url: `${base.replace('127.0.0.1', 'localhost')}/users` }, auth)
  await run({ url: `//${new URL(other).host}/users` }, auth)
  assert.doesNotMatch(JSON.stringify(seen.filter(({ url }) => url === '/users')), /planted/)
  // A path that looks like a host stays a path.
  assert.match(seen.at(-1)?.url ?? '', /^\/v1\/127/)
})

it('takes no credentials along to where a redirect leads', async () => {
  answer = ({ url }, response) => response.writeHead(url === '/end' ? 200 : 307, { location: `${other}/end` }).end()
  const auth = { base_url: base, username: 'u', password: 'p', header_name: 'X-Tenant', header_value: 'planted' }
  await run({ method: 'POST', url: '/start', body: 'x' }, auth)
  assert.deepEqual([seen[0]?.headers.authorization, seen[0]?.headers['x-tenant']], ['Basic dTpw', 'planted'])
  assert.deepEqual(
    [seen[1]?.url, seen[1]?.headers.authorization, seen[1]?.headers['x-tenant']],
    ['/end', undefined, undefined],
  )
})

it('fails for a status outside 2xx, unless any is good', async () => {
  answer = (_, response) =>
    response.writeHead(418, { 'content-type': 'text/plain', 'x-pot': 'tea' }).end('short and stout')
  const { type, message } = await run({ url: `${base}/pot?secret=1` })
  assert.deepEqual([type, message], ['action_error', `GET ${base}/pot answered 418: short and stout`])
  const { data } = await run({ url: base, any_status: true })
  assert.deepEqual([data?.['status'], data?.['body']], [418, 'short and stout'])
  assert.match(JSON.stringify(data?.['headers']), /"x-pot":"tea"/)
})

it('answers bytes as base64', async () => {
  answer = (_, response) => response.end(Buffer.from([0xff, 0xfe, 0x00]))
  const { data } = await run({ url: base })
  assert.deepEqual([data?.['body'], data?.['encoding']], ['//4A', 'base64'])
})

it('refuses what is no request', async () => {
  assert.match((await run({ url: 'users' })).message, /no http or https address, and the connection has no base_url/)
  assert.match((await run({ url: 'file:///etc/passwd' })).message, /file: addresses cannot be requested/)
  assert.match((await run({ url: 'http://u:p@example.com/' })).message, /user name or password/)
  assert.match((await run({ url: base, headers: { Host: 'x' } })).message, /header Host cannot be set/)
  const both = { base_url: base, token: 't', username: 'u' }
  assert.match((await run({ url: '/' }, both)).message, /keep one/)
  for (const wrong of [{ token: 't' }, { base_url: base, header_name: 'X' }, { base_url: base, token: 'a\r\nb' }])
    assert.equal((await run({ url: base }, wrong)).type, 'validation_error')
  assert.equal(seen.length, 0)
})

// A pattern that is mended away would let through what it is there to refuse.
it('needs no repair of its configuration', () => assert.deepEqual(http.repairs, []))
