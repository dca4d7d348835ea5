import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { findFreePort } from '../../../scripts/free-port.ts'
import { skipWithoutPgBouncer, startPgBouncer } from '../../../scripts/pgbouncer.ts'
import { openPostgres } from '../../../scripts/postgres-databases.ts'
import { usePostgres } from '../../../scripts/use-postgres.ts'

/** A hub that cannot start on its database ends with 1 and a line that says why and what to do; never with the password. */
const postgres = await usePostgres()
const { skip } = postgres

const sluice = new URL('../bin/sluice.js', import.meta.url).pathname

async function start(databaseUrl: string, more: Record<string, string> = {}) {
  const child = spawn(process.execPath, [sluice, 'start', '--port', '0'], {
    cwd: '/',
    env: { PATH: process.env['PATH'], DATABASE_URL: databaseUrl, SLUICE_SECRET_KEY: '07'.repeat(32), ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { code, stdout, stderr }
}

function refuses({ code, stdout, stderr }: Awaited<ReturnType<typeof start>>, says: RegExp): void {
  assert.match(stderr, says)
  assert.deepEqual([code, stdout, stderr.trimEnd().split('\n').length], [1, '', 1])
  assert.doesNotMatch(stderr, /hunter2/)
}

test('a server that is down', async () => {
  const port = await findFreePort()
  for (const host of ['127.0.0.1', 'localhost']) {
    const refused = await start(`postgres://sluice:hunter2@${host}:${port}/sluice`)
    refuses(refused, new RegExp(`ECONNREFUSED .*${port}.*; is DATABASE_URL right, and the server running\\?`))
  }
})

test('a name that nobody has', async () => {
  refuses(
    await start('postgres://sluice:hunter2@postgres.invalid/sluice'),
    /postgres\.invalid.*; is DATABASE_URL right/,
  )
})

test('something that takes the connection and never answers', async (context) => {
  const server = createServer().listen(0, '127.0.0.1')
  context.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  refuses(await start(`postgres://sluice:hunter2@127.0.0.1:${port}/sluice`), /timeout.*; is DATABASE_URL right/)
})

test('a wrong password, and a database that is not there', { skip }, async () => {
  const wrong = new URL(postgres.url)
  wrong.password = 'hunter2'
  refuses(await start(wrong.href), /password authentication failed for user "\w+"; .*DATABASE_URL/)
  const missing = new URL(postgres.url)
  missing.pathname = '/nobody_made_it'
  refuses(await start(missing.href), /database "nobody_made_it" does not exist; make it with createdb/)
})

test('a user that may not make tables', { skip }, async () => {
  const { exec } = openPostgres(postgres.url, '')
  const name = `sluice_guest_${process.pid}`
  await exec(`create role ${name} login password 'hunter2'`)
  try {
    const guest = new URL(postgres.url)
    guest.username = name
    guest.password = 'hunter2'
    refuses(await start(guest.href), /permission denied .*; the user in DATABASE_URL must be able to create tables/)
  } finally {
    await exec(`drop role ${name}`)
  }
})

test('a PgBouncer without the address of the server', { skip: skip || skipWithoutPgBouncer() }, async () => {
  await using pooler = await startPgBouncer({ url: postgres.url })
  refuses(await start(pooler.url), /DATABASE_URL seems to be a PgBouncer's: set DATABASE_DIRECT_URL to/)
})

test('a server that is too old', { skip }, async () => {
  const { exec } = openPostgres(postgres.url, '')
  await exec(`create schema old; create function old.current_setting(text) returns text language sql
    as $$ select case $1 when 'server_version_num' then '140019' else '14.19' end $$`)
  const url = new URL(postgres.url)
  // What is looked up before the server's own: the same server, saying another version.
  url.searchParams.set('options', '-c search_path=old,pg_catalog')
  refuses(await start(url.href), /the server is Postgres 14\.19; Sluice needs 15 or newer/)
})

test('a database that a newer hub has worked on', { skip }, async () => {
  const { exec } = openPostgres(postgres.url, '')
  await exec('create schema newer')
  const url = new URL(postgres.url)
  url.searchParams.set('options', '-c search_path=newer')
  await exec(`create table newer.sluice_version (version integer primary key, at timestamptz not null);
    insert into newer.sluice_version values (9999, now())`)
  refuses(await start(url.href), /the database is at version 9999, this Sluice knows \d+; start the newer Sluice/)
})

test('no secret key', async () => {
  const { code, stderr } = await start('postgres://127.0.0.1/sluice', { SLUICE_SECRET_KEY: '' })
  assert.equal(code, 2)
  assert.match(stderr, /SLUICE_SECRET_KEY is missing: with a database all nodes must have the same one; .*openssl/)
})
