import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { createAdmin } from '@sluice/client/admin'
import { postgresOutbox, sqliteOutbox } from '@sluice/client/node'
import { Client, Pool } from 'pg'
import { useHub } from '../../../../scripts/use-hub.ts'
import { usePostgres } from '../../../../scripts/use-postgres.ts'

const sluice = new URL('../../bin/sluice.js', import.meta.url).pathname
const database = await usePostgres()
const { hub, connection, folder } = await useHub()
const admin = createAdmin(connection)
function start(args: readonly string[], more: Record<string, string> = {}) {
  const env = { PATH: process.env['PATH'], SLUICE_URL: hub.url, SLUICE_API_KEY: hub.apiKey ?? '', ...more }
  return spawn(process.execPath, [sluice, 'outbox', ...args], { cwd: folder, env })
}

async function run(args: readonly string[], more: Record<string, string> = {}) {
  const child = start(args, more)
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (text: Buffer) => (said.stdout += text.toString()))
  child.stderr.on('data', (text: Buffer) => (said.stderr += text.toString()))
  const [status] = await once(child, 'close')
  return { status, ...said }
}

async function json(args: readonly string[], more?: Record<string, string>) {
  const { status, stdout, stderr } = await run([...args, '--json'], more)
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout)
}

async function countEvents(eventType: string): Promise<number> {
  return (await admin.searchEvents({ event_type: eventType, limit: 200 })).events.length
}

test('an outbox in a file: made, sent, asked about; what the hub refuses is shown, tried again and removed', async () => {
  const file = join(folder, 'app.db')
  const handle = new DatabaseSync(file)
  const at = ['--outbox-file', 'app.db']
  const early = await run(['relay', '--once', ...at])
  assert.deepEqual([early.status, early.stdout], [1, ''])
  assert.match(early.stderr, /no such table: sluice_outbox; make the outbox with: sluice outbox install/)
  assert.deepEqual(await json(['install', ...at]), { table: 'sluice_outbox' })
  const outbox = sqliteOutbox(handle)
  handle.exec('begin')
  outbox.add(handle, [
    { event_type: 'cli.file', payload: { n: 1 }, idempotency_key: 'cli' },
    { event_type: 'cli.file', payload: { n: 2 }, idempotency_key: 'cli' },
    { event_type: 'cli.file', payload: { n: 3 } },
  ])
  handle.exec('commit')
  const partly = await run(['relay', '--once', '--json', ...at])
  assert.deepEqual([partly.status, JSON.parse(partly.stdout)], [5, { sent: 2, duplicates: 0, refused: 1 }])
  assert.equal(await countEvents('cli.file'), 2)
  const { refused_events: refused, ...counts } = await json(['status', ...at])
  assert.deepEqual(counts, { waiting: 0, claimed: 0, refused: 1, oldest_seconds: null })
  assert.match((await run(['status', ...at])).stdout, /1 refused\.\n\nID +TYPE .*\n2 +cli\.file .*idempotency-mismatch/)
  assert.deepEqual(await json(['retry', '--all', ...at]), { count: 1 })
  const failed = await run(['relay', '--once', ...at])
  assert.equal(failed.status, 1, failed.stderr)
  assert.deepEqual(await json(['discard', refused[0].id, ...at]), { count: 1 })
  assert.match((await run(['status', ...at])).stdout, /^0 events wait; 0 with a relay; 0 refused\.\n$/)
  handle.close()
})

test('a relay on Postgres goes on until SIGTERM, and says what it has done', { skip: database.skip }, async () => {
  const at = { SLUICE_OUTBOX_URL: database.url }
  await json(['install', '--table', 'public.mine'], at)
  await json(['install', '--table', 'public.mine'], at)
  const child = start(['relay', '--json', '--table', 'public.mine', '--poll-ms', '10'], at)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const pool = new Pool({ connectionString: database.url })
  const outbox = postgresOutbox(pool, { table: 'mine' })
  for (const sent of [1, 2]) {
    const client = await pool.connect()
    await client.query('begin')
    await outbox.add(client, [{ event_type: 'cli.postgres', payload: { sent } }])
    await client.query('commit')
    client.release()
    assert.deepEqual(JSON.parse((await lines.next()).value ?? ''), { sent, duplicates: 0, refused: 0 })
  }
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'close'), [0, null])
  assert.equal(await countEvents('cli.postgres'), 2)
  await pool.end()
})

test('without a hub or with a stranger’s key, --once ends with the code that says so', async () => {
  const file = join(folder, 'codes.db')
  const handle = new DatabaseSync(file)
  const outbox = sqliteOutbox(handle)
  await outbox.install()
  handle.exec('begin')
  outbox.add(handle, [{ event_type: 'cli.codes', payload: {} }])
  handle.exec('commit')
  const at = ['--once', '--outbox-file', file]
  const stranger = await run(['relay', ...at, '--key', 'slk_nobody_0'])
  assert.deepEqual([stranger.status, stranger.stdout], [4, ''])
  const nobody = await run(['relay', ...at, '--url', 'http://127.0.0.1:1'])
  assert.equal(nobody.status, 3)
  assert.match(nobody.stderr, /waiting for the hub, \S+ s: .*ECONNREFUSED.*[^]*cannot reach the hub/)
  assert.equal((await outbox.status()).waiting, 1)
  handle.close()
})

test('what cannot be meant is wrong usage', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['status'], /say where the outbox is: --outbox-url postgres:\/\//],
    [['status', '--outbox-file', 'typo.db'], /there is no file typo\.db/],
    [['status', '--outbox-url', 'mysql://x'], /must begin with postgres:\/\//],
    [['status', '--outbox-url', 'postgres://x', '--outbox-file', 'y'], /cannot be used with/],
    [['status', '--outbox-url', 'postgres://x', '--table', 'a b'], /letters, digits and _/],
    [['retry', '--outbox-file', 'x'], /say which: ids, or --all/],
    [['discard', 'x', '--outbox-file', 'x'], /x is no id/],
  ]
  for (const [args, words] of cases) {
    const { status, stderr } = await run(args)
    assert.equal(status, 2, stderr)
    assert.match(stderr, words)
  }
})

test('the SQL for migrations is printed, and runs twice', { skip: database.skip }, async () => {
  const { stdout } = await run(['install', '--print', 'postgres', '--table', 'printed'])
  const client = new Client(database.url)
  await client.connect()
  await client.query(stdout)
  await client.query(stdout)
  await client.end()
  const sqlite = await json(['install', '--print', 'sqlite'])
  new DatabaseSync(':memory:').exec(`${sqlite.sql}${sqlite.sql}`)
})
