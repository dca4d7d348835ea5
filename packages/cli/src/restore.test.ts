import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import pg from 'pg'
import { startHub } from '../../../scripts/hub-process.ts'
import { findPostgres } from '../../../scripts/postgres-binaries.ts'
import { usePostgres } from '../../../scripts/use-postgres.ts'

const sluice = new URL('../bin/sluice.js', import.meta.url).pathname
const postgres = await usePostgres()

function openFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-restore-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function run(args: readonly string[], cwd: string) {
  const env = { PATH: process.env['PATH'] }
  const { status, stdout, stderr } = spawnSync(process.execPath, [sluice, ...args], { cwd, env, encoding: 'utf8' })
  return { status, stdout, stderr }
}

function json(args: readonly string[], cwd: string) {
  const ran = run([...args, '--json'], cwd)
  assert.equal(ran.status, 0, ran.stderr)
  return JSON.parse(ran.stdout)
}

/** What the answers here hold, each some of it. */
type Answer = {
  readonly event_id: string
  readonly error_code: string
  readonly results: readonly { readonly event_id: string; readonly status: string }[]
  readonly events: readonly { readonly event_id: string }[]
  readonly workspaces: readonly { readonly events: number }[]
  readonly pagination: { readonly next_cursor: string }
}

type Calls = (method: string, path: string, body?: unknown) => Promise<{ status: number; body: Answer }>

const toCalls =
  (url: string, apiKey: string | null): Calls =>
  async (method, path, body) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: JSON.parse(text || '{}') as Answer }
  }

async function publish(call: Calls, count: number): Promise<string[]> {
  const events = Array.from({ length: count }, (_, n) => ({ event_type: 'a', payload: { n } }))
  const { body } = await call('POST', '/v1/events/batch', { events })
  return body.results.map(({ event_id: id }) => id)
}

async function lease(call: Calls, limit: number): Promise<string[]> {
  const { body } = await call('POST', '/v1/inboxes/default/lease', { lease_id: `lease-${limit}`, limit })
  return body.events.map(({ event_id: id }) => id)
}

async function readCursor(call: Calls): Promise<string> {
  return (await call('GET', '/v1/events/inbox?limit=1')).body.pagination.next_cursor
}

const ack = (call: Calls, limit: number) => call('POST', '/v1/inboxes/default/ack', { lease_id: `lease-${limit}` })

/** What was accepted after the backup is gone: its ids say so, and do not stand for what is published in its place. */
type History = { readonly kept: readonly string[]; readonly lost: readonly string[]; readonly cursor: string }

async function checkRestored(call: Calls, { kept, lost, cursor }: History): Promise<void> {
  for (const id of kept.slice(-50)) assert.equal((await call('GET', `/v1/events/${id}`)).body.event_id, id)
  const { status, body } = await call('GET', `/v1/events/inbox?cursor=${cursor}`)
  assert.deepEqual([status, body.error_code], [400, 'invalid-cursor'], 'it may stand beyond the end of the log')
  const fresh = await publish(call, lost.length)
  for (const id of lost) {
    assert.equal((await call('GET', `/v1/events/${id}`)).status, 404)
    await call('DELETE', `/v1/events/${id}`)
  }
  assert.equal(new Set([...kept, ...lost, ...fresh]).size, kept.length + lost.length + fresh.length)
  const taken: string[] = []
  for (let ids = await lease(call, 500); ids.length > 0; ids = await lease(call, 500)) {
    taken.push(...ids)
    // A worker of then that gives its lease the same name does not acknowledge what it has never seen.
    const stale = { lease_id: 'lease-500', event_ids: lost }
    const { results } = (await call('POST', '/v1/inboxes/default/ack', stale)).body
    assert.ok(results.every(({ status }) => status === 'unknown'))
    await ack(call, 500)
  }
  assert.deepEqual(taken, [...kept.slice(2), ...fresh], 'it goes on where it was, with all of the new ones')
}

test('a backup is taken beside a hub, and a folder made of it goes on with ids of its own', async (context) => {
  const folder = openFolder(context)
  let apiKey: string | null = null
  let kept: string[] = []
  const lost: string[] = []
  let cursor = ''
  {
    await using hub = await startHub({ data: join(folder, 'here') })
    apiKey = hub.apiKey
    const call = toCalls(hub.url, apiKey)
    kept = await publish(call, 5)
    await lease(call, 2)
    await ack(call, 2)
    // Commits go on while the copy is made.
    let isCopied = false
    const meanwhile = (async () => {
      while (!isCopied) lost.push(...(await publish(call, 20)))
    })()
    const child = spawn(process.execPath, [sluice, 'backup', 'file', '--data', 'here', '--json'], { cwd: folder })
    const status = await new Promise((resolve) => child.on('close', resolve))
    isCopied = true
    await meanwhile
    lost.push(...(await publish(call, 20)))
    cursor = await readCursor(call)
    assert.equal(status, 0)
  }
  assert.equal(statSync(join(folder, 'file')).mode & 0o777, 0o600)
  assert.ok(!readFileSync(join(folder, 'file')).includes(readFileSync(join(folder, 'here', 'secret.key'))))
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('file')),
    ['file'],
  )
  const again = run(['backup', 'file', '--data', 'here'], folder)
  assert.deepEqual([again.status, again.stdout], [2, ''])
  const refused = run(['restore', 'file', '--data', 'here'], folder)
  assert.equal(refused.status, 1)
  assert.match(refused.stderr, /is not empty: it holds/)

  mkdirSync(join(folder, 'there'))
  copyFileSync(join(folder, 'here', 'secret.key'), join(folder, 'there', 'secret.key'))
  json(['restore', 'file', '--data', 'there'], folder)
  assert.deepEqual(readdirSync(join(folder, 'there')), ['secret.key', 'sluice.db'])
  {
    await using hub = await startHub({ data: join(folder, 'there') })
    assert.equal(hub.apiKey, null)
    const call = toCalls(hub.url, apiKey)
    const all = [...kept, ...lost]
    const { body } = await call('GET', '/v1/workspaces')
    const held = body.workspaces[0]?.events ?? 0
    assert.ok(held >= kept.length && held < all.length)
    await checkRestored(call, { kept: all.slice(0, held), lost: all.slice(held).slice(0, 40), cursor })
  }
})

test('a file that is damaged or no backup is not restored, and leaves no folder that a hub would start on', (context) => {
  const folder = openFolder(context)
  assert.equal(run(['workspaces', 'create', 'team', '--data', 'here'], folder).status, 0)
  json(['backup', 'file', '--data', 'here'], folder)
  const bytes = readFileSync(join(folder, 'file'))
  writeFileSync(join(folder, 'cut'), bytes.subarray(0, bytes.length - 4096 * 5))
  writeFileSync(join(folder, 'other'), 'no database')
  writeFileSync(join(folder, 'empty'), '')
  bytes.fill(0x55, 4096 * 3, 4096 * 4)
  writeFileSync(join(folder, 'damaged'), bytes)
  for (const file of ['cut', 'other', 'empty', 'damaged']) {
    const ran = run(['restore', file, '--data', 'there'], folder)
    assert.deepEqual([ran.status, ran.stdout], [1, ''], file)
    assert.match(ran.stderr, /no backup of Sluice|damaged/)
    assert.ok(!existsSync(join(folder, 'there', 'sluice.db')))
  }
  assert.equal(run(['restore', 'nothing', '--data', 'there'], folder).status, 2)
  assert.equal(run(['restore', '--data', 'there'], folder).status, 2)
  assert.equal(run(['backup', 'x', '--data', 'nowhere'], folder).status, 2)
  assert.equal(run(['restore', 'file', '--data', 'there'], folder).status, 0)
})

/** The programs of the server that the tests use, else those on the path. */
function findProgram(name: string): string | undefined {
  const beside = join(findPostgres()?.folder ?? '', name)
  return [beside, name].find((file) => spawnSync(file, ['--version']).status === 0)
}

const [pgDump, pgRestore] = [findProgram('pg_dump'), findProgram('pg_restore')]
const missing = pgDump && pgRestore ? false : 'pg_dump and pg_restore are not installed'

test(
  'a dump of Postgres is restored into a new database, and a hub goes on there',
  { skip: postgres.skip || missing },
  async (context) => {
    const folder = openFolder(context)
    const env = { SLUICE_SECRET_KEY: '07'.repeat(32) }
    const dump = join(folder, 'dump')
    let kept: string[] = []
    let lost: string[] = []
    let cursor = ''
    let apiKey: string | null = null
    {
      await using hub = await startHub({ data: join(folder, 'a'), env: { ...env, DATABASE_URL: postgres.url } })
      apiKey = hub.apiKey
      const call = toCalls(hub.url, apiKey)
      kept = await publish(call, 5)
      await lease(call, 2)
      await ack(call, 2)
      execute(pgDump, ['--format=custom', '--no-owner', `--file=${dump}`, `--dbname=${postgres.url}`])
      lost = await publish(call, 4)
      cursor = await readCursor(call)
    }
    const restored = new URL(postgres.url)
    restored.pathname = `${restored.pathname}_restored`
    const admin = new pg.Client({ connectionString: postgres.url })
    await admin.connect()
    const name = restored.pathname.slice(1)
    await admin.query(`create database ${name}`)
    try {
      execute(pgRestore, ['--exit-on-error', '--no-owner', `--dbname=${restored.href}`, dump])
      assert.deepEqual(json(['restore', '--database-url', restored.href], folder), { renewed: true })
      await using hub = await startHub({ data: join(folder, 'b'), env: { ...env, DATABASE_URL: restored.href } })
      assert.equal(hub.apiKey, null)
      await checkRestored(toCalls(hub.url, apiKey), { kept, lost, cursor })
    } finally {
      await admin.query(`drop database ${name} with (force)`)
      await admin.end()
    }
  },
)

function execute(program: string | undefined, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program ?? '', args, { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
}
