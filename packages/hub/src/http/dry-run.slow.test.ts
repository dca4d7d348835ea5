import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import type { Run, RunResult } from '@sluice/protocol'
import { openTestHub, type TestHub } from '../test-hub.ts'

const described = { description: 'x', input_schema: { type: 'object' }, output_schema: {} }
const config = {
  name: 'Notes',
  version: '1.0.0',
  description: 'reads and writes',
  auth: { type: 'custom', fields: { type: 'object', properties: { key: { type: 'string', format: 'password' } } } },
  hosts: ['http://127.0.0.1:*'],
  actions: { post: described, around: described, read: described },
}
const handlers = `import { Integration } from '@sluice/sdk/integration'
const integration = await Integration.load()
integration.action('post', async ({ url, paths }, { fetch, auth }) => {
  const headers = { 'x-api-key': auth.credentials.key, 'x-trace': 't' }
  await fetch(url + '/read')
  const said = []
  for (const path of paths) said.push((await fetch(url + path + '?k=' + auth.credentials.key, { method: 'POST', json: { text: 'hello' }, headers })).data)
  return { data: said, cost_usd: 1 }
})
integration.action('around', async ({ url }) => ({ data: (await globalThis.fetch(url + '/around', { method: 'POST' })).status }))
integration.action('read', async ({ url }, { fetch, metadata }) => ({ data: { ...(await fetch(url + '/read')).data, dry: metadata.dry_run } }))
export default integration
`

let folder: string
let url: string
let t: TestHub
let seen: string[] = []
const server = createServer((request, response) => {
  seen.push(`${request.method} ${request.url?.split('?')[0]}`)
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"real":true}')
})

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-dry-'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await mkdir(join(folder, 'notes', 'cassettes'), { recursive: true })
  await writeFile(join(folder, 'notes', 'config.json'), JSON.stringify(config))
  await writeFile(join(folder, 'notes', 'integration.ts'), handlers)
  const recorded = { status: 200, headers: { 'content-type': 'application/json' } }
  const interactions = ['one', 'two'].map((text) => ({
    ...recorded,
    method: 'POST',
    url: `${url}/recorded`,
    body: { text: JSON.stringify({ recorded: text }) },
  }))
  await writeFile(join(folder, 'notes', 'cassettes', 'notes.json'), JSON.stringify({ interactions }))
  t = await openTestHub({ integrations: folder, allowCidr: ['127.0.0.0/8'] })
  await t.call('PUT', '/v1/connections/mine', { body: { integration: 'notes', credentials: { key: 'planted-key' } } })
})
after(async () => {
  await t.close()
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true })
})
beforeEach(() => (seen = []))

async function dryRun(action: string, inputs: object = {}): Promise<{ text: string; body: RunResult }> {
  const body = { inputs: { url, ...inputs }, connection: 'mine', dry_run: true }
  return t.call<RunResult>('POST', `/v1/integrations/notes/actions/${action}`, { body })
}

test('a dry run ends at the first write without a recording, and shows what would have been sent', async () => {
  const { text, body } = await dryRun('post', { paths: ['/new'] })
  assert.equal(body.type, 'dry_run')
  const { requests, outcome } = body.result as { requests: Record<string, unknown>[]; outcome: unknown }
  assert.equal(outcome, null)
  assert.deepEqual(requests, [
    {
      method: 'POST',
      url: `${url}/new?k=[redacted]`,
      headers: { accept: '*/*', 'content-type': 'application/json', 'x-api-key': '[redacted]', 'x-trace': 't' },
      body: '{"text":"hello"}',
      recorded: false,
    },
  ])
  assert.doesNotMatch(text, /planted/)
  assert.deepEqual(seen, ['GET /read'])
})

test('writes are answered with what was recorded of them, in turn, and the run goes on', async () => {
  const { body } = await dryRun('post', { paths: ['/recorded', '/recorded', '/recorded'] })
  assert.deepEqual((body.result['outcome'] as { result: { data: unknown } }).result.data, [
    { recorded: 'one' },
    { recorded: 'two' },
    { recorded: 'two' },
  ])
  assert.equal((body.result['requests'] as unknown[]).length, 3)
  assert.deepEqual(seen, ['GET /read'])
})

test('nothing goes out around context.fetch, and the handler can tell', async () => {
  const { body } = await dryRun('around')
  assert.equal((body.result['outcome'] as { type: string }).type, 'error')
  const read = await dryRun('read')
  assert.deepEqual(read.body.result['outcome'], {
    type: 'action',
    result: { data: { real: true, dry: true }, cost_usd: null },
  })
  assert.deepEqual(seen, ['GET /read'])
})

test('a dry run costs nothing, and the run after it is real', async () => {
  await dryRun('post', { paths: ['/recorded'] })
  assert.deepEqual((await t.call<{ runs: Run[] }>('GET', '/v1/runs')).body.runs, [])
  const body = { inputs: { url, paths: ['/recorded'] }, connection: 'mine' }
  const { body: real } = await t.call<RunResult>('POST', '/v1/integrations/notes/actions/post', { body })
  assert.equal(real.type, 'action')
  assert.deepEqual(seen.slice(-2), ['GET /read', 'POST /recorded'])
})

test('an agent asks for a dry run beside the arguments', async () => {
  const params = { name: 'notes_post', arguments: { url, paths: ['/new'], connection: 'mine' } }
  const { text } = await t.call('POST', '/mcp', {
    body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { ...params, _meta: { 'sluice/dry_run': true } } },
  })
  assert.match(text, /"outcome\\":null/)
  assert.deepEqual(seen, ['GET /read'])
})
