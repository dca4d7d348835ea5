import assert from 'node:assert/strict'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'

const sluice = new URL('../bin/sluice.js', import.meta.url).pathname

function openFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-start-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Nothing of the environment of whoever runs the tests. */
function environment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], ...more }
}

function run(args: readonly string[], cwd: string, more: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [sluice, ...args], {
    cwd,
    env: environment(more),
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

type Started = { readonly child: ChildProcess; readonly lines: () => Promise<string>; readonly said: () => string }

function start(context: TestContext, args: readonly string[], cwd: string): Started {
  const child = spawn(process.execPath, [sluice, 'start', '--port', '0', ...args], { cwd, env: environment() })
  context.after(() => child.kill('SIGKILL'))
  let said = ''
  child.stdout.on('data', (text: Buffer) => (said += text.toString()))
  const reader = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return { child, said: () => said, lines: async () => (await reader.next()).value ?? '' }
}

async function stop(child: ChildProcess): Promise<number | null> {
  child.kill('SIGTERM')
  const [code] = await once(child, 'exit')
  return code
}

test('the first start shows an admin key once and commands that work when pasted; a later one says how to make a key', async (context) => {
  const folder = openFolder(context)
  const first = start(context, [], folder)
  const ready = await first.lines()
  assert.match(ready, /^Sluice \d+\.\d+\.\d+ is ready at http:\/\/127\.0\.0\.1:\d+$/)
  const commands: string[] = []
  while (commands.length < 2) {
    const line = await first.lines()
    if (line.startsWith('curl ')) commands.push(line)
  }
  const [published, pulled] = commands.map(
    (command) => spawnSync('sh', ['-c', `${command} --silent`], { encoding: 'utf8' }).stdout,
  )
  const { event_id: eventId, status } = JSON.parse(published ?? '')
  assert.equal(status, 'accepted')
  assert.equal(JSON.parse(pulled ?? '').events[0].event_id, eventId)
  assert.equal(first.said().match(/Admin key, shown this once: slk_/g)?.length, 1)
  assert.equal(await stop(first.child), 0)

  const second = start(context, [], folder)
  await second.lines()
  await second.lines()
  assert.match(await second.lines(), /^Make a key with: sluice keys create --user-id YOU/)
  assert.equal(await stop(second.child), 0)
  assert.doesNotMatch(second.said(), /slk_/)
})

test('with --json a start prints one line; keys are made on the store while the hub runs', async (context) => {
  const folder = openFolder(context)
  const { child, lines, said } = start(context, ['--json', '--data', 'data'], folder)
  const { ready, pid, url, version, api_key: apiKey } = JSON.parse(await lines())
  assert.deepEqual([ready, pid, typeof version], [true, child.pid, 'string'])
  const made = run(
    ['keys', 'create', '--user-id', 'u', '--role', 'publisher', '--allow', 'order.*', '--data', 'data', '--json'],
    folder,
  )
  const key = JSON.parse(made.stdout)
  assert.deepEqual([made.status, made.stderr, key.role, key.allowed_event_types], [0, '', 'publisher', ['order.*']])
  const at = { SLUICE_URL: url, SLUICE_API_KEY: key.api_key }
  assert.equal(run(['send', 'order.created', '{}'], folder, at).status, 0)
  const refused = run(['send', 'invoice.created', '{}'], folder, at)
  assert.deepEqual([refused.status, refused.stdout], [4, ''])
  assert.match(refused.stderr, /Event type not allowed/)
  const overHttp = run(['keys', 'list', '--json'], folder, { SLUICE_URL: url, SLUICE_API_KEY: apiKey })
  assert.equal(JSON.parse(overHttp.stdout).keys.length, 2)
  assert.equal(run(['keys', 'revoke', key.key_id, '--url', url, '--key', apiKey], folder).status, 0)
  const listed = run(['keys', 'list', '--status', 'revoked', '--data', 'data', '--json'], folder)
  assert.equal(JSON.parse(listed.stdout).keys[0].key_id, key.key_id)
  const busy = run(['start', '--port', '0', '--data', 'data'], folder)
  assert.equal(busy.status, 1)
  assert.match(busy.stderr, /another hub runs on the data folder/)
  assert.equal(await stop(child), 0)
  assert.equal(said().split('\n').length, 2)
})

test('a second signal ends a hub at once', async (context) => {
  const folder = openFolder(context)
  const { child, lines } = start(context, ['--json'], folder)
  const { url, api_key: apiKey } = JSON.parse(await lines())
  // A request whose body never ends keeps a graceful shutdown waiting.
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array([123])) })
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
  const hanging = fetch(`${url}/v1/events`, { method: 'POST', body, headers, duplex: 'half' } as RequestInit)
  hanging.catch(() => undefined)
  await fetch(`${url}/status`)
  child.kill('SIGINT')
  // Refused connections show that the first signal was heard.
  while (
    await fetch(`${url}/status`).then(
      () => true,
      () => false,
    )
  );
  child.kill('SIGINT')
  const [code] = await once(child, 'exit')
  assert.equal(code, 1)
})

test('what stands in the way of a start is said in a line', async (context) => {
  const folder = openFolder(context)
  const server = createServer().listen(0, '127.0.0.1')
  context.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const taken = run(['start', '--port', String(port)], folder)
  assert.equal(taken.status, 1)
  assert.match(taken.stderr, new RegExp(`^sluice: port ${port} on 127\\.0\\.0\\.1 is taken; .*--port ${port + 1}`))
  assert.equal(run(['start', '--port', '99999'], folder).status, 2)
  assert.equal(run(['start', '--integrations', 'x'], folder).status, 2)
  const unclear = run(['start'], folder, { SLUICE_LOG_LEVEL: 'loud', SLUICE_SECRET_KEY: 'short' })
  assert.equal(unclear.status, 2)
  assert.match(unclear.stderr, /SLUICE_LOG_LEVEL[^]*SLUICE_SECRET_KEY/)
  const nowhere = run(['keys', 'list', '--data', 'typo'], folder)
  assert.equal(nowhere.status, 2)
  assert.match(nowhere.stderr, /there is no store in .*typo/)
})

test('an old Node is told what to do, in a line', (context) => {
  const folder = openFolder(context)
  // Another version in the place where the check looks, before anything else runs.
  const disguise = `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.19.2'})`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', disguise, sluice, 'start'], {
    cwd: folder,
    encoding: 'utf8',
  })
  assert.deepEqual([status, stdout], [1, ''])
  assert.match(stderr, /^sluice needs Node\.js 24\.15 or newer and this is 20\.19\.2\. .*npx sluice.*\n$/)
})
