import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { cut, createVendor, type Vendor } from '@sluice/sdk/testing'
import { readDuckDb } from '@sluice/sdk/sync'

const sluice = new URL('../bin/sluice.js', import.meta.url).pathname
let folder: string
let vendor: Vendor

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-connectors-'))
  await symlink(resolve('node_modules'), join(folder, 'node_modules'))
  vendor = await createVendor()
})
after(async () => {
  await vendor.close()
  await rm(folder, { recursive: true, force: true })
})

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

const run = (...args: string[]): Promise<Ended> => end(process.execPath, [sluice, 'connectors', ...args])

async function end(command: string, args: readonly string[]): Promise<Ended> {
  const child = spawn(command, args, { cwd: folder })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

/** A connector that reads numbered rows from the vendor, two a page. */
async function makeConnector(name: string, update = ''): Promise<void> {
  await mkdir(join(folder, name))
  const configuration = JSON.stringify({ base_url: vendor.url, token: 'a-secret-token' })
  await writeFile(join(folder, name, 'configuration.json'), configuration)
  await writeFile(
    join(folder, name, 'connector.ts'),
    `import { bearerToken, defineConnector, offsetPages } from '@sluice/sdk/connector'
export default defineConnector({
  name: '${name}',
  configuration: { base_url: 'text', token: 'secret' },
  state: { offset: 0 },
  schema: () => [{ table: 'rows', primary_key: ['id'] }],
  async update({ configuration, state, op, http, log }) {
    console.log('printed by the connector', log)
    log.info('with ' + configuration.token)
    ${update}
    const api = http({ baseUrl: configuration.base_url, auth: bearerToken(configuration.token), retryDelaysMs: [] })
    for await (const { rows, nextOffset } of offsetPages(api, '/rows', { limit: 2, offset: state.offset })) {
      for (const row of rows) await op.upsert('rows', row)
      await op.checkpoint({ offset: nextOffset })
    }
  },
})
`,
  )
}

const rows = Array.from({ length: 5 }, (_, index) => ({ id: index, order: `row ${index}` }))
const serveRows = (): void =>
  vendor.on('GET /rows', ({ query, headers }) => {
    if (headers['authorization'] !== 'Bearer a-secret-token') return { status: 401 }
    const offset = Number(query.get('offset'))
    return { json: rows.slice(offset, offset + 2) }
  })

const parse = (stdout: string): unknown => JSON.parse(stdout.trim().split('\n').at(-1) ?? '')

test('debug leaves a warehouse and a state, and says what it did', async () => {
  serveRows()
  await makeConnector('plain')
  const { code, stdout, stderr } = await run('debug', 'plain', '--output', 'plain-files')
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^SYNC PROGRESS:\nOperation {6}\| Calls\n-+\+-+\nUpserts {8}\| 5\n/)
  assert.match(stdout, /\nSchemaChanges {2}\| 1\nCheckpoints {4}\| 3\n/)
  assert.match(stdout, /\nrows {3}5\n\nSYNC SUCCEEDED\n$/)
  assert.match(stderr, /printed by the connector/)
  assert.match(stderr, /with \[secret\]/)
  assert.deepEqual(JSON.parse(await readFile(join(folder, 'plain-files', 'state.json'), 'utf8')), { offset: 5 })
  const held = await readDuckDb(join(folder, 'plain-files', 'warehouse.duckdb'), 'tester.rows')
  assert.deepEqual(
    held.map((row) => String(row['order'])).toSorted((left, right) => left.localeCompare(right)),
    rows.map(({ order }) => order),
  )
  assert.ok(held.every((row) => row['_fivetran_deleted'] === 'false' && row['_fivetran_synced']))
})

test('killed at an operation and started again, it ends with the same tables', async () => {
  serveRows()
  await makeConnector('killed')
  await run('debug', 'killed', '--output', 'calm')
  for (const killAt of [1, 3, 8]) {
    const output = ['--output', `killed-${killAt}`]
    assert.equal((await run('debug', 'killed', ...output, '--kill-at', String(killAt))).code, null)
    const { code, stdout } = await run('debug', 'killed', ...output, '--json')
    assert.equal(code, 0)
    assert.deepEqual((parse(stdout) as { tables: unknown }).tables, { rows: { rows: 5 } })
    const diff = await run('diff', 'calm/warehouse.duckdb', `killed-${killAt}/warehouse.duckdb`, '--json')
    assert.deepEqual([diff.code, parse(diff.stdout)], [0, { same: true, tables: [] }])
  }
})

test('each kind of failure has its exit code, and the last line of --json says it', async () => {
  const failures = [
    ['configuration', 10, { status: 200 }, ['--configuration', 'none.json']],
    ['auth', 11, { status: 403 }, []],
    ['rate_limit', 12, { status: 429, headers: { 'retry-after': '1' } }, []],
    ['remote', 13, { status: 500 }, []],
    ['remote', 13, cut(), []],
    ['remote', 13, { text: '<html>' }, []],
  ] as const
  await makeConnector('failing')
  for (const [kind, expected, answer, options] of failures) {
    vendor.on('GET /rows', answer)
    const { code, stdout } = await run('debug', 'failing', '--output', 'failing-files', '--json', ...options)
    const { status, error } = parse(stdout) as { status: string; error: { kind: string; message: string } }
    assert.deepEqual([code, status, error.kind], [expected, 'failed', kind])
    assert.ok(!stdout.includes('a-secret-token'))
  }
  await makeConnector('broken', `throw new TypeError('of the connector')`)
  const { code, stdout, stderr } = await run('debug', 'broken', '--output', 'broken-files')
  assert.equal(code, 14)
  assert.match(stdout, /SYNC FAILED\n$/)
  assert.match(stderr, /bug: of the connector/)
})

test('a disk that is full is no success: what was committed stays, and the next sync goes on there', async () => {
  // Text that cannot be compressed.
  await makeConnector(
    'large',
    `for (let at = state.offset; at < 8; at += 1) {
      for (let id = 0; id < 1000; id += 1)
        await op.upsert('rows', { id: at * 1000 + id, text: crypto.getRandomValues(Buffer.alloc(1000)).toString('base64') })
      await op.checkpoint({ offset: at + 1 })
    }
    return`,
  )
  const args = [sluice, 'connectors', 'debug', 'large', '--output', 'large-files', '--json']
  // No file may be larger than 6,000 blocks of 1,024 bytes.
  const full = await end('bash', ['-c', 'ulimit -f 6000; exec "$@"', 'bash', process.execPath, ...args])
  const { error } = parse(full.stdout) as { error: { kind: string; message: string } }
  assert.deepEqual([full.code, error.kind], [1, 'destination'])
  assert.match(error.message, /^DuckDB large-files\/warehouse\.duckdb: .*File too large/)
  const { offset } = JSON.parse(await readFile(join(folder, 'large-files', 'state.json'), 'utf8')) as { offset: number }
  assert.ok(offset > 0 && offset < 8)
  const more = await run('debug', 'large', '--output', 'large-files', '--json')
  assert.deepEqual((parse(more.stdout) as { tables: unknown }).tables, { rows: { rows: 8000 } })
})

test('a folder without a connector is wrong usage', async () => {
  const { code, stderr } = await run('debug', 'nowhere')
  assert.equal(code, 2)
  assert.match(stderr, /there is no folder nowhere/)
  await mkdir(join(folder, 'empty'))
  const empty = await run('debug', 'empty')
  assert.equal(empty.code, 2)
  assert.match(empty.stderr, /empty is no connector: it has none of connector\.ts/)
})

test('what was recorded is replayed without the service, and holds no secret', async () => {
  serveRows()
  await makeConnector('taped')
  assert.equal((await run('debug', 'taped', '--output', 'taped-1', '--record', 'tape.json')).code, 0)
  assert.ok(!(await readFile(join(folder, 'tape.json'), 'utf8')).includes('a-secret-token'))
  vendor.on('GET /rows', { status: 500 })
  const { code, stderr } = await run('debug', 'taped', '--output', 'taped-2', '--replay', 'tape.json')
  assert.equal(code, 0, stderr)
  assert.equal((await run('diff', 'taped-1/warehouse.duckdb', 'taped-2/warehouse.duckdb')).code, 0)
})

test('chaos of requests and rows is borne; columns that drift in are told', async () => {
  serveRows()
  await makeConnector('wild', '')
  const text = await readFile(join(folder, 'wild', 'connector.ts'), 'utf8')
  await writeFile(join(folder, 'wild', 'connector.ts'), text.replace('retryDelaysMs: []', 'jitter: true'))
  await run('debug', 'wild', '--output', 'wild-calm')
  const chaos = ['error=2', 'rate-limit=3', 'cut=5', 'repeat=2', 'late=3'].flatMap((each) => ['--chaos', each])
  const { code, stderr } = await run('debug', 'wild', '--output', 'wild-files', ...chaos)
  assert.equal(code, 0, stderr)
  assert.match(stderr, /answered 503; trying again/)
  assert.equal((await run('diff', 'wild-calm/warehouse.duckdb', 'wild-files/warehouse.duckdb')).code, 0)
  const again = await run('debug', 'wild', '--output', 'wild-files', '--chaos', 'drift=2', '--state', 'nothing.json')
  assert.equal(again.code, 10)
  await writeFile(join(folder, 'anew.json'), '{}')
  const drifted = await run('debug', 'wild', '--output', 'wild-files', '--chaos', 'drift=2', '--state', 'anew.json')
  assert.match(drifted.stderr, /drift {4}rows: new column, chaos_drift LONG/)
  const diff = await run('diff', 'wild-calm/warehouse.duckdb', 'wild-files/warehouse.duckdb')
  assert.equal(diff.code, 1)
  assert.match(diff.stdout, /tester\.rows +0 +0 +\+chaos_drift BIGINT/)
})

test('run fills tables that are kept, at any destination', async () => {
  serveRows()
  await makeConnector('kept')
  const given = ['run', 'kept', '--output', 'kept-files', '--json']
  assert.equal((await run(...given, '--setting', 'file=kept.duckdb')).code, 0)
  assert.equal((await readDuckDb(join(folder, 'kept.duckdb'), 'kept.rows')).length, 5)
  const sqlite = await run(...given, '--destination', 'sqlite')
  assert.deepEqual((parse(sqlite.stdout) as { tables: unknown }).tables, { rows: { rows: 5 } })
  const wrong = await run(...given, '--setting', 'nope=1')
  assert.equal(wrong.code, 10)
  assert.match(wrong.stderr, /have no "nope"/)
})

test('a new connector works as it is; reset deletes what debug has left', async () => {
  assert.equal((await run('new', 'weather-map')).code, 0)
  assert.equal((await run('new', 'weather-map')).code, 2)
  assert.equal((await run('new', 'No Name')).code, 2)
  const debug = await run('debug', 'weather-map', '--output', 'weather', '--json')
  assert.deepEqual((parse(debug.stdout) as { tables: unknown }).tables, { people: { rows: 3 } })
  const reset = await run('reset', '--output', 'weather', '--yes', '--json')
  assert.deepEqual(parse(reset.stdout), { deleted: ['weather/warehouse.duckdb', 'weather/state.json'] })
  assert.match((await run('reset', '--output', 'weather')).stdout, /there is nothing to delete/)
  // Left over from this test run, it would make node:test write for a machine.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(process.execPath, ['--test', 'weather-map/connector.test.ts'], { cwd: folder, env })
  assert.deepEqual(await once(child, 'close'), [0, null])
})
