import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ConfigError, readConfig } from './config.ts'

let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-config-'))
})
after(() => rm(folder, { recursive: true }))

const secret = 'ab'.repeat(32)

test('flags win over the environment, which wins over defaults', () => {
  const env = { SLUICE_PORT: '9000', SLUICE_HOST: '0.0.0.0', SLUICE_SECRET_KEY: secret, SLUICE_DATA: folder }
  const options = readConfig(env, {
    port: 9001,
    publicUrl: 'https://events.example/',
    corsOrigin: ['https://a.example/'],
  })
  assert.deepEqual([options.port, options.host, options.data, options.logLevel], [9001, '0.0.0.0', folder, 'info'])
  assert.deepEqual([options.publicUrl, options.corsOrigins], ['https://events.example', ['https://a.example']])
  assert.deepEqual(
    options.secretKeys.map((key) => Buffer.from(key).toString('hex')),
    [secret],
  )
})

test('a list of secret keys, in hex or base64', () => {
  const base64 = Buffer.alloc(32, 5).toString('base64')
  const { secretKeys } = readConfig({ SLUICE_SECRET_KEY: `${secret}, ${base64}`, SLUICE_DATA: folder })
  assert.deepEqual(
    secretKeys.map(({ length }) => length),
    [32, 32],
  )
})

test('every fault is named at once, and no secret', () => {
  const env = {
    SLUICE_PORT: '80000',
    SLUICE_LOG_LEVEL: 'loud',
    SLUICE_TRUST_PROXY: '10.0.0.0/33, nonsense',
    SLUICE_CORS_ORIGIN: 'app',
    SLUICE_SECRET_KEY: 'hunter2',
    DATABASE_URL: 'mysql://user:password@host/db',
  }
  const flags = { data: folder, roles: 'http,cook', publicUrl: 'ftp://x' }
  assert.throws(
    () => readConfig(env, flags),
    (error: unknown) => {
      assert.ok(error instanceof ConfigError)
      assert.equal(error.faults.length, 9)
      assert.ok(!/hunter2|password/.test(error.message))
      return true
    },
  )
})

test('a database needs a secret key that all nodes share', () => {
  const url = 'postgres://user:password@host/db'
  const { database } = readConfig({ DATABASE_URL: url, SLUICE_SECRET_KEY: secret, DATABASE_DIRECT_URL: `${url}2` })
  assert.deepEqual(database, { url, directUrl: `${url}2` })
  assert.throws(() => readConfig({ DATABASE_URL: url }), /SLUICE_SECRET_KEY is missing/)
})

test('a secret key is made once, for nobody else to read', async () => {
  const data = join(folder, 'fresh')
  const first = readConfig({ SLUICE_DATA: data })
  const file = join(data, 'secret.key')
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.equal((await readFile(file, 'utf8')).trim(), Buffer.from(first.secretKeys[0] ?? []).toString('base64'))
  assert.deepEqual(readConfig({ SLUICE_DATA: data }).secretKeys, first.secretKeys)
  await writeFile(file, 'short')
  assert.throws(() => readConfig({ SLUICE_DATA: data }), ConfigError)
})
