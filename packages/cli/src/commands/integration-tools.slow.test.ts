import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'

const sluice = new URL('../../bin/sluice.js', import.meta.url).pathname
let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-tools-'))
  await symlink(resolve('node_modules'), join(folder, 'node_modules'))
  await run('new', 'weather-map')
})
after(() => rm(folder, { recursive: true }))

const start = (...args: string[]): ChildProcess =>
  spawn(process.execPath, [sluice, 'integrations', ...args], { cwd: folder })

async function run(...args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = start(...args)
  let [stdout, stderr] = ['', '']
  child.stdout?.on('data', (text: Buffer) => (stdout += text.toString()))
  child.stderr?.on('data', (text: Buffer) => (stderr += text.toString()))
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, stdout, stderr }
}

test('new: the test of the template passes, and validate has nothing to say', async () => {
  const { stdout } = await run('validate', 'weather-map', '--json')
  const { ok, errors, repairs, warnings } = JSON.parse(stdout).configs[0]
  assert.deepEqual([ok, errors, repairs, warnings], [true, [], [], []])
  const tests = await run('test', 'weather-map')
  assert.equal(tests.status, 0, tests.stdout)
  assert.match(tests.stdout, /fail 0/)
})

test('new: refuses a name that is taken, or that is none', async () => {
  assert.equal((await run('new', 'weather-map')).status, 2)
  assert.match((await run('new', 'Weather Map')).stderr, /lower case with hyphens/)
  assert.equal((await run('new', '../out')).status, 2)
})

test('types: the compiler takes the handlers that fit, and refuses the others', async () => {
  await run('new', 'typed')
  const written = await run('types', 'typed', '--out', join('typed', 'types.ts'), '--json')
  assert.deepEqual([written.status, JSON.parse(written.stdout)], [0, { out: 'typed/types.ts' }])
  const module = `import { Integration } from '@sluice/sdk/integration'
import type { Config, GetItemInputs, NewItemOutput } from './types.ts'
const integration = await Integration.load<Config>()
const inputs: GetItemInputs = { id: '7' }
const item: NewItemOutput = { id: '7', name: 'Lamp', size: 'big' }
integration.action('get_item', ({ id }, { auth }) => ({ data: { id, name: auth.credentials.api_key } }))
integration.pollingTrigger('new_item', () => [{ id: inputs.id, data: item }])
// @ts-expect-error -- there is no such action
integration.action('get_items', () => ({ data: item }))
// @ts-expect-error -- the id is a text
integration.action('get_item', ({ id }) => ({ data: { id: id.length, name: '' } }))
`
  await writeFile(join(folder, 'typed', 'use.ts'), module)
  const options = {
    extends: resolve('tsconfig.json'),
    include: ['*.ts'],
    compilerOptions: { typeRoots: [resolve('node_modules/@types')] },
  }
  await writeFile(join(folder, 'typed', 'tsconfig.json'), JSON.stringify(options))
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  const child = spawn(resolve('node_modules/.bin/tsc'), ['-p', 'typed'], { cwd: folder })
  let output = ''
  child.stdout.on('data', (text: Buffer) => (output += text.toString()))
  const [status] = await once(child, 'close')
  assert.deepEqual([status, output], [0, ''])
  assert.match((await run('types', 'nowhere')).stderr, /config\.json cannot be used/)
})

test('config: what TypeScript defines is written as the hub reads it', async () => {
  await cp(join(folder, 'weather-map'), join(folder, 'defined'), { recursive: true })
  const written = JSON.parse(await readFile(join(folder, 'weather-map', 'config.json'), 'utf8'))
  const app = { type: 'oauth2', scopes: ['read'], oauth2: { issuer: 'https://id.example.com', pkce: true } }
  const config = { ...written, auth: { methods: { key: { type: 'api_key', name: 'X-Key', prefix: 'K ' }, app } } }
  const module = `import { defineIntegration } from '@sluice/sdk/integration'
export default defineIntegration(${JSON.stringify(config)})`
  await writeFile(join(folder, 'defined', 'integration.ts'), module)
  const { stdout } = await run('config', 'defined')
  assert.deepEqual(JSON.parse(stdout), { ...config, supports_billing: false })
})

const cassetteTest = (url: string): string => `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mockContext } from '@sluice/sdk/testing'
test('reads', async () => {
  const context = mockContext({ auth: { api_key: 'stand-in' } })
  const headers = { 'x-api-key': String(context.auth.credentials['api_key']) }
  const { data } = await context.fetch('${url}/items', { headers, params: { for: headers['x-api-key'] } })
  assert.deepEqual(data, { items: [1] })
})
`

test('test: records with real credentials, keeps none of them, and replays without the service', async () => {
  await run('new', 'recorded')
  const service = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    response.writeHead(request.headers['x-api-key'] === 'planted-key' ? 200 : 401).end('{"items":[1]}')
  })
  service.listen(0, '127.0.0.1')
  await once(service, 'listening')
  const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`
  await writeFile(join(folder, 'recorded', 'live.test.ts'), cassetteTest(url))
  assert.equal((await run('test', 'recorded', '--replay')).status, 1)
  const recorded = await run('test', 'recorded', '--record', '--auth', '{"api_key":"planted-key"}')
  service.close()
  assert.equal(recorded.status, 0, recorded.stdout)
  const cassette = await readFile(join(folder, 'recorded', 'cassettes', 'live.json'), 'utf8')
  assert.doesNotMatch(cassette + recorded.stdout, /planted/)
  assert.match(cassette, /items\?for=SCRUBBED/)
  for (const mode of [[], ['--replay']]) {
    const replayed = await run('test', 'recorded', ...mode)
    assert.equal(replayed.status, 0, replayed.stdout)
  }
  assert.equal((await run('test', 'recorded', '--record', '--replay')).status, 2)
  assert.equal((await run('test', 'recorded', '--auth', '{}')).status, 2)
})

/** Resolves when the output holds the words, from where the last call left it. */
function createReader(child: ChildProcess): (words: RegExp) => Promise<void> {
  let text = ''
  const waiting = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (part: Buffer) => {
      text += part.toString()
      for (const look of waiting) look()
    })
  return (words) =>
    new Promise((done) => {
      const look = (): void => {
        const found = words.exec(text)
        if (!found) return
        text = text.slice(found.index + found[0].length)
        waiting.delete(look)
        done()
      }
      waiting.add(look)
      look()
    })
}

test('dev: runs the action each time a file is saved, and ends when it is interrupted', async () => {
  await run('new', 'live')
  const file = join(folder, 'live', 'integration.ts')
  const handlers = (word: string): string => `import { Integration } from '@sluice/sdk/integration'
const integration = await Integration.load()
integration.action('get_item', ({ id }) => ({ data: { id, name: '${word}' } }))
integration.pollingTrigger('new_item', () => [])
integration.connectedAccount(() => ({}))
export default integration
`
  await writeFile(file, handlers('first word'))
  const child = start('dev', 'live', '--action', 'get_item', '--inputs', '{"id":"7"}', '--auth', '{"api_key":"k"}')
  const reads = createReader(child)
  await reads(/"name": "first word"/)
  await reads(/waiting for changes/)
  await writeFile(file, handlers('second word'))
  await reads(/"name": "second word"/)
  await reads(/waiting for changes/)
  await writeFile(file, 'export default 7')
  await reads(/must export its integration/)
  await reads(/waiting for changes/)
  child.kill('SIGINT')
  const [status] = await once(child, 'close')
  assert.equal(status, 0)
  assert.equal((await run('dev', 'nowhere')).status, 2)
})
