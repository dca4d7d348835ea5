import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openProcessPool } from './process-pool.ts'
import type { RunOrder, RunOutcome, Runner } from './runner.ts'

const actions = [
  'echo',
  'loop',
  'hoard',
  'reject',
  'exit',
  'environment',
  'read',
  'write',
  'start',
  'connect',
  'count',
  'wait',
  'signal',
  'forge',
  'big',
  'listen',
  'datagram',
  'getter',
  'odd',
  'call',
  'patient',
  'steps',
]
const schema = { type: 'object' }
const config = {
  idempotency_header: 'X-Once',
  name: 'Nasty',
  version: '1.0.0',
  description: 'does what no handler should',
  actions: Object.fromEntries(
    actions.map((name) => [name, { description: name, input_schema: schema, output_schema: {} }]),
  ),
}

const handlers = `import { Integration } from '@sluice/sdk/integration'
import { readFileSync, writeFileSync, writeSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { connect, createServer } from 'node:net'
import { createSocket } from 'node:dgram'
import { request } from 'node:http'
const integration = await Integration.load()
let runs = 0
const kept = []
const opened = (socket) => new Promise((resolve, reject) => socket.once('connect', () => resolve('open')).once('error', reject))
const act = {
  echo: (inputs, { auth, metadata }) => { console.log('said', inputs.word); return { inputs, auth, metadata } },
  loop: () => { for (;;); },
  hoard: () => { for (;;) kept.push(Buffer.alloc(16 * 1024 * 1024, 1)) },
  reject: () => { Promise.reject(new Error('nobody waits for me')); return new Promise(() => {}) },
  exit: () => process.exit(0),
  environment: () => process.env,
  read: ({ path }) => readFileSync(path, 'utf8'),
  write: ({ path }) => writeFileSync(path, 'planted'),
  start: () => String(spawnSync('id').error ?? 'started'),
  connect: async ({ port, how, host }, context) =>
    how === 'fetch' ? (await context.fetch('http://' + host + ':' + port)).data
    : how === 'global' ? (await fetch('http://' + host + ':' + port)).status
    : how === 'http' ? new Promise((resolve, reject) => request({ host, port }, (r) => resolve(r.statusCode)).on('error', reject).end())
    : how === 'path' ? opened(connect(host))
    : opened(connect(port, host)),
  count: () => (runs += 1),
  wait: () => new Promise(() => {}),
  signal: ({ name }) => (process[name] ?? process.constructor.prototype[name]).call(process, process.ppid || 1, 'SIGUSR1'),
  forge: ({ line }) => { writeSync(3, line + '\\n'); return new Promise(() => {}) },
  big: ({ mb }) => 'x'.repeat(mb * 1024 * 1024),
  listen: ({ port }) => createServer().listen(port, '127.0.0.1') && 'listening',
  datagram: ({ port }) => createSocket('udp4').send('x', port, '127.0.0.1') ?? 'sent',
  getter: ({ port }) => { let asked = 0; return opened(connect({ port, get host() { return asked++ ? '127.0.0.1' : undefined } })) },
  odd: () => ({ when: 1n }),
  patient: ({ how }, { signal, progress }) => new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => (how === 'throws' ? reject(signal.reason) : resolve('done before the end')))
    progress(0.1, 'waiting')
  }),
  steps: (_, { progress }) => { progress(0.5, 'half'); progress(1, 'all'); return 'done' },
  call: async ({ url, headers }, { fetch }) => fetch(url, { method: 'POST', headers }).then(({ status }) => status, (e) => e.status),
}
for (const [name, run] of Object.entries(act)) integration.action(name, async (inputs, context) => ({ data: await run(inputs, context) }))
export default integration
`

let folder: string
let runner: Runner
const server = createServer((request, response) => {
  requests.push(request)
  response.writeHead(request.url === '/401' ? 401 : 200).end('reached')
})
const requests: IncomingMessage[] = []
let port: number

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-runner-'))
  await writeFile(join(folder, 'config.json'), JSON.stringify(config))
  await writeFile(join(folder, 'integration.ts'), handlers)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
  runner = openProcessPool({ allowCidr: [], processes: 2, maxBytes: 400 * 1024 * 1024 })
})
after(async () => {
  await runner.close()
  server.close()
  await rm(folder, { recursive: true })
})

type Change = Partial<Omit<RunOrder, 'call'>>

const order = (name: string, inputs: object = {}, change: Change = {}): RunOrder => ({
  folder,
  workspaceId: 1,
  call: { kind: 'action', name, inputs },
  auth: {},
  metadata: {},
  deadlineMs: 30_000,
  ...change,
})
const run = (name: string, inputs?: object, change?: Change): Promise<RunOutcome> =>
  runner.run(order(name, inputs, change))
const dataOf = ({ result }: RunOutcome): unknown =>
  'type' in result && result.type === 'action' ? result.result.data : assert.fail(JSON.stringify(result))
const reasonOf = ({ result }: RunOutcome): string =>
  'reason' in result ? result.reason : `no failure: ${JSON.stringify(result)}`

describe('handlers in processes of their own', () => {
  it('get what the order says, and what they print is kept', async () => {
    const auth = { auth_type: 'Custom', credentials: { key: 'k' } }
    const outcome = await run('echo', { word: 'hello' }, { auth, metadata: { run: 1 } })
    assert.deepEqual(dataOf(outcome), { inputs: { word: 'hello' }, auth, metadata: { run: 1 } })
    assert.match(outcome.output, /said hello/)
  })

  it('get every character of their inputs, and so does the hub', async () => {
    const word = '\u2028\u2029\u0085\r\n\0\ud800'
    assert.partialDeepStrictEqual(dataOf(await run('echo', { word })), { inputs: { word } })
  })

  it('are used again, each workspace in processes of its own', async () => {
    const counts = []
    for (const workspaceId of [7, 7, 8]) counts.push(dataOf(await run('count', {}, { workspaceId })))
    assert.deepEqual(counts, [1, 2, 1])
  })

  const ends: readonly (readonly [string, string, string, Change])[] = [
    ['an endless loop', 'loop', 'timed-out', { deadlineMs: 3000 }],
    ['a promise that never settles', 'wait', 'timed-out', { deadlineMs: 3000 }],
    ['buffers without end', 'hoard', 'too-much-memory', {}],
    ['an unhandled rejection', 'reject', 'crashed', {}],
    ['process.exit', 'exit', 'exited', {}],
  ]
  for (const [what, name, reason, change] of ends) {
    it(`${what} ends its own run only`, async () => {
      const others = Promise.all([1, 2, 3].map((word) => run('echo', { word })))
      assert.equal(reasonOf(await run(name, {}, change)), reason)
      for (const other of await others) assert.ok(dataOf(other))
      assert.ok(dataOf(await run('echo', {})))
    })
  }

  it('says what a handler said before it crashed', async () => {
    const { result } = await run('reject')
    assert.match('message' in result ? result.message : '', /nobody waits for me/)
  })

  it('see nothing of the environment, of other files, and start nothing', async () => {
    assert.deepEqual(dataOf(await run('environment')), {})
    for (const path of ['/etc/passwd', '/proc/self/environ', resolve('packages/hub/src/main.ts')]) {
      const { result } = await run('read', { path })
      assert.match(JSON.stringify(result), /"type":"error".*(ERR_ACCESS_DENIED|Access to this API|permission)/i, path)
    }
    assert.match(
      JSON.stringify((await run('write', { path: join(folder, 'planted') })).result),
      /Access to this API|permission/i,
    )
    assert.match(JSON.stringify((await run('start')).result), /Access to this API|ERR_ACCESS_DENIED|permission/i)
  })

  for (const how of ['fetch', 'global', 'http', 'socket']) {
    it(`open no socket to a private address by ${how}`, async () => {
      for (const host of ['127.0.0.1', 'localhost']) {
        const { result } = await run('connect', { port, how, host })
        assert.match(JSON.stringify(result), /"type":"error"/, host)
        if (how !== 'global') assert.match(JSON.stringify(result), /loopback/, host)
      }
    })
  }

  it('open no local socket by its path', async () => {
    const { result } = await run('connect', { how: 'path', host: '/run/postgresql/.s.PGSQL.5432' })
    assert.match(JSON.stringify(result), /a socket of this machine/)
  })

  it('reach what is allowed', async () => {
    const open = openProcessPool({ allowCidr: ['127.0.0.0/8', '::1'] })
    for (const how of ['fetch', 'global', 'http', 'socket'])
      assert.ok(dataOf(await open.run(order('connect', { port, how, host: '127.0.0.1' }))), how)
    await open.close()
  })

  for (const name of ['kill', '_kill', '_debugProcess']) {
    it(`send no signal by process.${name}`, async () => {
      const { result } = await run('signal', { name })
      assert.match(JSON.stringify(result), /handlers may not use process/)
    })
  }

  it('neither listen nor send datagrams, and a host that changes its mind is asked once', async () => {
    for (const name of ['listen', 'datagram', 'getter']) {
      const { result } = await run(name, { port })
      assert.match(JSON.stringify(result), /"type":"error".*(handlers may not|loopback)/, name)
    }
  })

  const forged = [
    'null',
    '7',
    'no json',
    '{"kind":"done"}',
    '{"kind":"done","id":1,"envelope":null}',
    '{"kind":"done","id":1,"envelope":{"version":"2.0.0","type":"polling_trigger","result":{"records":[]}}}',
    '{"kind":"done","id":1,"envelope":{"version":"2.0.0","type":"action","result":{"cost_usd":"free"}}}',
  ]
  it('that answer past the runner with what is no result end their own run, and leave their place to others', async () => {
    for (const line of forged) assert.equal(reasonOf(await run('forge', { line })), 'crashed', line)
    assert.ok(dataOf(await run('echo')))
  })

  it('answer with so much and no more, and with nothing that is no JSON', async () => {
    assert.equal(String(dataOf(await run('big', { mb: 4 }))).length, 4 * 1024 * 1024)
    for (const [name, inputs] of [
      ['big', { mb: 9 }],
      ['odd', {}],
    ] as const)
      assert.match(
        JSON.stringify((await run(name, inputs)).result),
        /"type":"error".*the result (has more than|cannot be written)/,
      )
    assert.equal(reasonOf(await run('forge', { line: 'x'.repeat(9 * 1024 * 1024) })), 'too-much-memory')
  })

  it('say when the service did not know their credentials, and not when another service did not', async () => {
    const open = openProcessPool({ allowCidr: ['127.0.0.0/8'] })
    const url = `http://127.0.0.1:${port}/401`
    const auth = { auth_type: 'Custom', credentials: { key: 'planted' } }
    const told = []
    for (const inputs of [{ url, headers: { 'x-key': 'planted' } }, { url }, { url: `http://127.0.0.1:${port}/` }])
      told.push((await open.run(order('call', inputs, { auth }))).unauthorized)
    assert.deepEqual(told, [true, undefined, undefined])
    await open.close()
  })

  it('send the idempotency key of their run', async () => {
    const open = openProcessPool({ allowCidr: ['127.0.0.0/8'] })
    const inputs = { url: `http://127.0.0.1:${port}/once` }
    const metadata = { idempotency_key: 'event-1' }
    for (let attempt = 0; attempt < 2; attempt += 1) dataOf(await open.run(order('call', inputs, { metadata })))
    const keys = requests.filter(({ url }) => url === '/once').map(({ headers }) => headers['x-once'])
    assert.equal(keys.length, 2)
    assert.match(String(keys[0]), /^[0-9a-f-]{36}$/)
    assert.equal(keys[0], keys[1])
    await open.close()
  })

  it('read no other package through the links of a workspace', async () => {
    const { result } = await run('read', { path: resolve('node_modules/@sluice/hub/package.json') })
    assert.match(JSON.stringify(result), /Access to this API|permission/i)
  })

  it('are ended when the run is cancelled', async () => {
    const controller = new AbortController()
    const waiting = runner.run(order('wait'), { signal: controller.signal })
    setImmediate(() => controller.abort())
    assert.equal(reasonOf(await waiting), 'cancelled')
  })

  it('tell whoever waits how far they are', async () => {
    const seen: unknown[] = []
    await runner.run(order('steps'), { onProgress: (report) => void seen.push(report) })
    assert.deepEqual(seen, [
      { done: 0.5, total: 1, message: 'half' },
      { done: 1, total: 1, message: 'all' },
    ])
  })

  const forgedProgress = ['{}', '{"done":"1","total":1,"message":null}', '{"done":1,"total":1,"message":7}', '7']
  it('that say how far they are in another form end their own run', async () => {
    for (const report of forgedProgress)
      assert.equal(reasonOf(await run('forge', { line: `{"kind":"progress","id":1,"report":${report}}` })), 'crashed')
  })

  for (const [how, answered] of [
    ['throws', 'cancelled'],
    ['answers', 'done before the end'],
  ] as const) {
    it(`are told that the run is cancelled; one that ${how} keeps its process`, async () => {
      const place = { workspaceId: 20 }
      const before = dataOf(await run('count', {}, place))
      const controller = new AbortController()
      const outcome = await runner.run(order('patient', { how }, place), {
        signal: controller.signal,
        onProgress: () => controller.abort(),
      })
      assert.equal(how === 'throws' ? reasonOf(outcome) : dataOf(outcome), answered)
      assert.equal(dataOf(await run('count', {}, place)), Number(before) + 1)
    })
  }

  it('are told when their time is over', async () => {
    assert.equal(reasonOf(await run('patient', { how: 'throws' }, { deadlineMs: 500 })), 'timed-out')
  })

  it('that cannot be loaded say why', async () => {
    const broken = await mkdtemp(join(tmpdir(), 'sluice-broken-'))
    try {
      const { result } = await run('echo', {}, { folder: broken })
      assert.match('message' in result ? String(result.message) : '', /has no handlers/)
    } finally {
      await rm(broken, { recursive: true })
    }
  })

  it('wait for their turn, so many and no more', async () => {
    const small = openProcessPool({ allowCidr: [], processes: 1, maxWaiting: 1 })
    const first = small.run(order('echo'))
    const second = small.run(order('echo', { word: 2 }))
    await assert.rejects(small.run(order('echo')), { code: 'overloaded' })
    assert.ok(dataOf(await first))
    assert.ok(dataOf(await second))
    await small.close()
    await assert.rejects(small.run(order('echo')), { code: 'shutting-down' })
  })
})
