import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'

const sluice = new URL('../bin/sluice.js', import.meta.url).pathname
let folder: string
let base: string
const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json')
  if (request.headers['x-api-key'] !== 'planted-key') response.writeHead(401).end('{"error":"who are you"}')
  else response.end(JSON.stringify({ name: 'Ada', path: request.url }))
})

const config = {
  name: 'Example',
  display_name: 'Example',
  version: '1.0.0',
  description: 'for tests',
  auth: {
    type: 'custom',
    fields: { type: 'object', required: ['api_key'], properties: { api_key: { type: 'string' } } },
  },
  actions: {
    get_user: {
      display_name: 'Get user',
      description: 'One user',
      input_schema: {
        type: 'object',
        required: ['url', 'id'],
        properties: { url: { type: 'string' }, id: { type: 'string' } },
      },
      output_schema: { type: 'object', required: ['name'] },
    },
  },
  polling_triggers: {
    new_user: {
      display_name: 'New user',
      description: 'Users',
      polling_interval: '5m',
      input_schema: { type: 'object' },
      output_schema: { type: 'object' },
    },
  },
}

const handlers = `import { Integration } from '@sluice/sdk/integration'
const integration = await Integration.load()
integration.action('get_user', async ({ url, id }, context) => {
  console.log('printed by the handler')
  const headers = { 'x-api-key': String(context.auth.credentials['api_key']) }
  const { data } = await context.fetch(url + '/users/' + id, { headers })
  return { data, cost_usd: 0.001 }
})
integration.pollingTrigger('new_user', (inputs, { last_poll_ts, state }) => ({
  records: [{ id: 'a', data: { last_poll_ts, state, inputs } }],
  state: { seen: 1 },
}))
export default integration
`

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-integrations-'))
  await mkdir(join(folder, 'example'))
  await symlink(resolve('node_modules'), join(folder, 'node_modules'))
  await writeFile(join(folder, 'example', 'config.json'), JSON.stringify(config))
  await writeFile(join(folder, 'example', 'integration.ts'), handlers)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
after(async () => {
  server.close()
  await rm(folder, { recursive: true })
})

async function run(...args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [sluice, 'integrations', ...args], { cwd: folder })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
  const [status] = await once(child, 'close')
  return { status, stdout, stderr }
}

const inputs = (): string => JSON.stringify({ url: base, id: '7' })

test('an action is run with its credentials, and its envelope printed', async () => {
  const { status, stdout } = await run(
    'run',
    'example',
    'get_user',
    '--inputs',
    inputs(),
    '--auth',
    '{"api_key":"planted-key"}',
    '--json',
  )
  assert.deepEqual(
    [status, JSON.parse(stdout)],
    [0, { version: '2.0.0', type: 'action', result: { data: { name: 'Ada', path: '/users/7' }, cost_usd: 0.001 } }],
  )
})

test('a dry run prints what would have been sent, and ends with 0', async () => {
  const slack = resolve(import.meta.dirname, '../../../integrations/slack')
  const auth = '{"auth_type":"PlatformOauth2","credentials":{"access_token":"planted-token"}}'
  const post = ['run', slack, 'post_message', '--inputs', '{"channel":"C1","text":"hi"}', '--auth', auth]
  const { status, stdout } = await run(...post, '--dry-run', '--json')
  const { requests, outcome } = JSON.parse(stdout)
  assert.deepEqual([status, outcome, requests.length], [0, null, 1])
  assert.deepEqual(
    [requests[0].url, requests[0].headers.authorization],
    ['https://slack.com/api/chat.postMessage', '[redacted]'],
  )
})

test('credentials may come from a file, wrapped', async () => {
  await writeFile(join(folder, 'auth.json'), '{"auth_type":"ApiKey","credentials":{"api_key":"planted-key"}}')
  const { status } = await run('run', 'example', 'get_user', '--inputs', inputs(), '--auth', '@auth.json')
  assert.equal(status, 0)
})

test('results that are errors end with 1, wrong usage with 2, and no secret is printed', async () => {
  const wrongKey = await run(
    'run',
    'example',
    'get_user',
    '--inputs',
    inputs(),
    '--auth',
    '{"api_key":"planted-wrong"}',
    '--json',
  )
  assert.deepEqual([wrongKey.status, JSON.parse(wrongKey.stdout).type], [1, 'error'])
  const noKey = await run('run', 'example', 'get_user', '--inputs', inputs(), '--json')
  assert.deepEqual([noKey.status, JSON.parse(noKey.stdout).result.source], [1, 'input'])
  const unknown = await run('run', 'example', 'no_such', '--json')
  assert.deepEqual([unknown.status, JSON.parse(unknown.stdout).type], [1, 'validation_error'])
  for (const args of [
    ['run', 'example', 'get_user', '--inputs', '{'],
    ['run', 'example'],
  ])
    assert.equal((await run(...args)).status, 2)
  const nowhere = await run('run', 'nowhere', 'get_user')
  assert.equal(nowhere.status, 1)
  assert.match(nowhere.stderr, /nowhere has no handlers/)
  assert.doesNotMatch(wrongKey.stdout + wrongKey.stderr, /planted/)
})

test('a polling trigger is asked, with the time and state of before', async () => {
  const { status, stdout } = await run(
    'poll',
    'example',
    'new_user',
    '--auth',
    '{"api_key":"k"}',
    '--last-poll-ts',
    '2026-01-01T00:00:00Z',
    '--state',
    '{"seen":0}',
    '--json',
  )
  const data = { last_poll_ts: '2026-01-01T00:00:00Z', state: { seen: 0 }, inputs: {} }
  assert.deepEqual(
    [status, JSON.parse(stdout)],
    [0, { version: '2.0.0', type: 'polling_trigger', result: { records: [{ id: 'a', data }], state: { seen: 1 } } }],
  )
})

test('validate checks files, folders of them and folders of integrations, and counts', async () => {
  const good = JSON.parse((await run('validate', 'example', '--json')).stdout)
  const { repairs, errors, warnings, ...counts } = good.configs[0]
  assert.deepEqual(counts, {
    file: 'example/config.json',
    name: 'Example',
    ok: true,
    actions: 1,
    polling_triggers: 1,
    schemas: 5,
  })
  assert.deepEqual([repairs, errors, warnings.length, good.ok, good.failed], [[], [], 3, 1, 0])

  await mkdir(join(folder, 'bare'))
  await writeFile(join(folder, 'bare', 'good.json'), JSON.stringify({ ...config, auth: { type: 'custom' } }))
  await writeFile(join(folder, 'bare', 'bad.json'), '{"name":"x"}')
  const bare = await run('validate', 'bare', '--json')
  const { configs, ok, failed } = JSON.parse(bare.stdout)
  assert.deepEqual([bare.status, ok, failed], [1, 1, 1])
  assert.deepEqual(
    configs[0].errors.map(({ pointer }: { pointer: string }) => pointer),
    ['/version', '/description'],
  )
  assert.equal(configs[1].repairs.length, 1)
  assert.equal((await run('validate', join('bare', 'good.json'))).status, 0)
  assert.equal((await run('validate', join('bare', 'good.json'), '--strict')).status, 1)
  assert.equal((await run('validate', 'missing')).status, 2)
})

test('handlers that are missing, or cannot be loaded, are errors of the configuration', async () => {
  await mkdir(join(folder, 'partial'))
  await writeFile(join(folder, 'partial', 'config.json'), JSON.stringify(config))
  const empty = `import { Integration } from '@sluice/sdk/integration'\nexport default await Integration.load()`
  await writeFile(join(folder, 'partial', 'integration.ts'), empty)
  const { status, stdout } = await run('validate', 'partial', '--json')
  assert.equal(status, 1)
  assert.deepEqual(
    JSON.parse(stdout).configs[0].errors.map(({ detail }: { detail: string }) => detail),
    [
      'integration.ts has no handler for action "get_user"',
      'integration.ts has no handler for polling trigger "new_user"',
    ],
  )
  await writeFile(join(folder, 'partial', 'integration.ts'), 'export default 7')
  const wrong = await run('validate', 'partial')
  assert.match(wrong.stderr, /must export its integration/)
})
