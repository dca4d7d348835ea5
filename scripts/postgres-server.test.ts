import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { Client } from 'pg'
import { skipWithoutPgBouncer, startPgBouncer } from './pgbouncer.ts'
import { findEmbeddedPostgres, findInstalledPostgres, howToGetPostgres } from './postgres-binaries.ts'
import { openPostgres } from './postgres-databases.ts'
import { startPostgres } from './postgres-server.ts'
import { usePostgres } from './use-postgres.ts'

const installed = findInstalledPostgres()
const embedded = findEmbeddedPostgres()
const binaries = installed ?? embedded
const shared = await usePostgres()

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

for (const [origin, found] of Object.entries({ installed, embedded })) {
  const skip = found === undefined && `${origin}: ${howToGetPostgres}`
  test(
    `the ${origin} Postgres keeps its committed rows through kill -9, and stop leaves nothing`,
    { skip },
    async () => {
      if (found === undefined) return
      await using postgres = await startPostgres({ binaries: found })
      const { dataDir, pid, url } = postgres
      assert.equal(postgres.version, found.version)
      const database = await postgres.createDatabase()
      await postgres.exec('create table kept (n int); insert into kept values (1), (2)', database)

      await postgres.kill('SIGKILL')
      assert.equal(postgres.pid, null)
      await assert.rejects(postgres.exec('select 1'), /ECONNREFUSED/)
      await postgres.start()
      assert.equal(postgres.url, url)
      assert.notEqual(postgres.pid, pid)
      assert.deepEqual(await postgres.exec('select n from kept order by n', database), [{ n: 1 }, { n: 2 }])
      assert.match(postgres.log(), /was not properly shut down/)
      await assert.rejects(postgres.start(), /is running/)

      const last = postgres.pid
      await postgres.stop()
      assert.ok(last !== null && !isRunning(last))
      assert.ok(dataDir !== null && !existsSync(dataDir))
    },
  )
}

const skip = binaries === undefined && howToGetPostgres

test('settings reach the server, and commits are synced unless they say otherwise', { skip }, async () => {
  if (binaries === undefined) return
  await using postgres = await startPostgres({
    binaries,
    settings: { cluster_name: "it's ours", max_connections: '50' },
  })
  const shown = await postgres.exec(
    `select name, setting from pg_settings where name in ('cluster_name', 'fsync', 'listen_addresses', 'max_connections') order by 1`,
  )
  assert.deepEqual(
    shown.map(({ name, setting }) => [name, setting]),
    [
      ['cluster_name', "it's ours"],
      ['fsync', 'on'],
      ['listen_addresses', '127.0.0.1'],
      ['max_connections', '50'],
    ],
  )
})

test('a setting that is wrong is told with what the server says', { skip }, async () => {
  if (binaries === undefined) return
  await assert.rejects(startPostgres({ binaries, settings: { fsync: 'perhaps' } }), /"fsync" requires a Boolean value/)
})

test('a server ends with the process that started it, even if that one is killed', { skip }, async () => {
  const program = `
    import { startPostgres } from ${JSON.stringify(new URL('postgres-server.ts', import.meta.url).href)}
    const { pid, dataDir } = await startPostgres(${JSON.stringify({ binaries })})
    console.log(JSON.stringify({ pid, dataDir }))
    setInterval(() => undefined, 60_000)`
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [line] = await once(createInterface({ input: parent.stdout }), 'line')
  const { pid, dataDir } = JSON.parse(line) as { pid: number; dataDir: string }
  assert.ok(isRunning(pid))

  parent.kill('SIGKILL')
  // What keeps the server tethered has inherited stderr: this waits for its end too.
  await once(parent.stderr.resume(), 'close')
  assert.ok(!isRunning(pid))
  assert.ok(!existsSync(dataDir))
})

test('the server of SLUICE_TEST_POSTGRES_URL is used as it is', { skip: shared.skip }, async (t) => {
  const before = process.env['SLUICE_TEST_POSTGRES_URL']
  t.after(() => {
    if (before === undefined) delete process.env['SLUICE_TEST_POSTGRES_URL']
    else process.env['SLUICE_TEST_POSTGRES_URL'] = before
  })
  process.env['SLUICE_TEST_POSTGRES_URL'] = shared.url

  const postgres = await startPostgres()
  assert.equal(postgres.url, shared.url)
  assert.match(postgres.version, /^\d/)
  await assert.rejects(postgres.kill(), /not ours to kill/)
  await assert.rejects(postgres.start(), /not ours to kill/)
  const database = await postgres.createDatabase()
  assert.deepEqual(await postgres.exec('select 1 as one', database), [{ one: 1 }])
  await postgres.dropDatabase(database)
  await assert.rejects(postgres.exec('select 1', database), /does not exist/)
  await assert.rejects(postgres.dropDatabase(new URL('/postgres', shared.url).href), /not made by createDatabase/)
  await postgres.stop()
  assert.deepEqual(await postgres.exec('select 1 as one'), [{ one: 1 }])
})

test('a test file has an empty database of its own', { skip: shared.skip }, async () => {
  const { exec } = openPostgres(shared.url, '')
  const tables = await exec(`select relname from pg_class where relnamespace = 'public'::regnamespace`)
  assert.deepEqual(tables, [])
  await exec('create table mine (n int)')
})

test(
  'PgBouncer hands a connection on after each transaction',
  { skip: shared.skip || skipWithoutPgBouncer() },
  async () => {
    await using pooler = await startPgBouncer({ url: shared.url })
    const clients = [new Client({ connectionString: pooler.url }), new Client({ connectionString: pooler.url })]
    try {
      const rows = []
      for (const client of clients) {
        await client.connect()
        rows.push(...(await client.query('select pg_backend_pid() as pid, current_database() as name')).rows)
      }
      // Both are connected, and had the same connection to the server.
      assert.deepEqual(rows[0], rows[1])
      assert.equal(`/${rows[0].name}`, new URL(shared.url).pathname)
    } finally {
      await Promise.all(clients.map((client) => client.end()))
    }
  },
)
