import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import type { SourceReport, WebhookAccepted } from '@sluice/protocol'
import { signMessage } from '@sluice/protocol/webhooks'
import { startHub, type Hub } from '../main.ts'
import { useHub } from '../../../../scripts/use-hub.ts'
import { usePostgres } from '../../../../scripts/use-postgres.ts'

const secret = 'hush'
const postgres = await usePostgres()
const { hub, connection } = await useHub({ roles: ['http'] })

const sign = (body: Uint8Array): Promise<Record<string, string>> =>
  signMessage({ scheme: 'github', secrets: [secret], body, nowMs: 0 })

async function admin<Body>(method: string, path: string, body?: object, base = connection): Promise<Body> {
  const response = await fetch(`${base.baseUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${base.apiKey}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  assert.ok(response.ok, `${path} ${response.status}`)
  return (await response.json()) as Body
}

await admin('PUT', '/v1/sources/raw', { scheme: 'github', secret })

/** Lines of a head and a body, as they are; answers what came back. */
async function exchange(head: readonly string[], body: string | Uint8Array, isWhole = true): Promise<string> {
  const socket = connect(hub.port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(`${['POST /in/raw HTTP/1.1', 'Host: h', 'Connection: close', ...head].join('\r\n')}\r\n\r\n`)
  socket.write(body)
  if (!isWhole) socket.end()
  return text(socket)
}

const fieldsOf = (headers: Record<string, string>): string[] =>
  Object.entries(headers).map(([name, value]) => `${name}: ${value}`)

test('a body in chunks is verified as the whole that it makes', async () => {
  const body = '{"a":"bcdef"}'
  const head = [
    ...fieldsOf(await sign(Buffer.from(body))),
    'Content-Type: application/json',
    'Transfer-Encoding: chunked',
  ]
  const chunks = [body.slice(0, 4), body.slice(4)].map((part) => `${part.length.toString(16)}\r\n${part}\r\n`)
  assert.match(await exchange(head, `${chunks.join('')}0\r\n\r\n`), /^HTTP\/1\.1 202 /)
})

test('a field that is there twice is no signature', async () => {
  const fields = fieldsOf(await sign(Buffer.from('{}')))
  const other = 'x-hub-signature-256: sha256=' + '0'.repeat(64)
  for (const both of [
    [...fields, other],
    [other, ...fields],
    [...fields, ...fields],
  ])
    assert.match(await exchange([...both, 'Content-Length: 2'], '{}'), /^HTTP\/1\.1 401 /)
})

test('what cannot be right is answered before its body has come', async () => {
  assert.match(await exchange(['Content-Length: 1000000'], ''), /^HTTP\/1\.1 401 /)
  const large = await exchange([...fieldsOf(await sign(Buffer.from('{}'))), 'Content-Length: 6000000'], '')
  assert.match(large, /^HTTP\/1\.1 413 /)
})

test('a body that ends too soon is noted, and nobody is disturbed', async () => {
  const head = [...fieldsOf(await sign(Buffer.from('{"a":1}'))), 'Content-Length: 7']
  await exchange(head, '{"a"', false)
  let report = await admin<SourceReport>('GET', '/v1/sources/raw/report')
  // The connection is gone for us before it is for the hub.
  while (!report.total.unreadable) report = await admin<SourceReport>('GET', '/v1/sources/raw/report')
  assert.equal(report.total.unreadable, 1)
})

async function useNode(options: Partial<Parameters<typeof startHub>[0]>, context: TestContext): Promise<Hub> {
  const node = await startHub({
    data: '/nowhere',
    host: '127.0.0.1',
    port: 0,
    secretKeys: [],
    logLevel: 'silent',
    trustProxy: [],
    corsOrigins: [],
    ...options,
  })
  context.after(() => node.close())
  return node
}

test('on Postgres what one node takes the other knows, and both count', { skip: postgres.skip }, async (context) => {
  const options = {
    database: { url: postgres.url },
    secretKeys: [new Uint8Array(32).fill(1)],
    roles: ['http'] as const,
  }
  const nodes = [await useNode(options, context), await useNode(options, context)]
  const [one, two] = nodes.map((node) => ({
    baseUrl: node.url,
    apiKey: nodes.find(({ apiKey }) => apiKey)?.apiKey ?? '',
  }))
  assert.ok(one && two)
  await admin('PUT', '/v1/sources/shared', { scheme: 'github', secret }, one)
  const body = '{"a":1}'
  const headers = { ...(await sign(Buffer.from(body))), 'x-github-delivery': 'd1', 'content-type': 'application/json' }
  const ids = new Set<string>()
  const statuses: number[] = []
  for (const { baseUrl } of [one, two, one]) {
    const answer = await fetch(`${baseUrl}/in/shared`, { method: 'POST', headers, body })
    statuses.push(answer.status)
    ids.add(((await answer.json()) as WebhookAccepted).event_id)
  }
  assert.deepEqual([statuses, ids.size], [[202, 200, 200], 1])
  const changed = await fetch(`${two.baseUrl}/in/shared`, { method: 'POST', headers, body: '{"a":2}' })
  assert.equal(changed.status, 401)
  await admin('GET', '/v1/sources/shared/report', undefined, two)
  const report = await admin<SourceReport>('GET', '/v1/sources/shared/report', undefined, one)
  assert.deepEqual(report.total, { accepted: 1, duplicate: 2, mismatch: 1 })
  assert.equal(report.failures[0]?.cause, 'secret-or-body')
})
