import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const sluice = new URL('../../bin/sluice.js', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'sluice-keys-'))
after(() => rmSync(folder, { recursive: true }))

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { PATH: process.env['PATH'] }
  return spawnSync(process.execPath, [sluice, 'keys', ...args], { cwd: folder, env, encoding: 'utf8' })
}

test('a key gets a secret to sign with, a new one, and must sign or need not', () => {
  const made = JSON.parse(run('create', '--user-id', 'u', '--hmac', '--require-hmac', '--json').stdout)
  assert.match(made.api_key, /^slk_/)
  assert.match(made.hmac_secret, /^sls_[\w-]{43}$/)
  assert.deepEqual([made.hmac, made.require_hmac], [true, true])
  const rotated = JSON.parse(run('rotate', made.key_id, '--hmac', '--overlap', '60', '--json').stdout)
  assert.match(rotated.hmac_secret, /^sls_/)
  assert.ok(rotated.hmac_secret !== made.hmac_secret && !('api_key' in rotated))
  const freed = JSON.parse(run('update', made.key_id, '--no-require-hmac', '--json').stdout)
  assert.equal(freed.require_hmac, false)
  const listed = run('list', '--json').stdout
  assert.ok(!listed.includes('sls_') && !listed.includes('sealed'), listed)
})

test('for people both secrets are shown, each on its line; one without the other is wrong usage', () => {
  const { stdout, stderr } = run('create', '--user-id', 'u', '--hmac')
  assert.match(stdout, /^slk_\S+\nsls_\S+\n$/)
  assert.match(stderr, /signed with sls_/)
  const wrong = run('create', '--user-id', 'u', '--require-hmac')
  assert.equal(wrong.status, 2)
  assert.match(wrong.stderr, /--require-hmac takes --hmac/)
  const plain = JSON.parse(run('create', '--user-id', 'u', '--json').stdout)
  const missing = run('update', plain.key_id, '--require-hmac')
  assert.equal(missing.status, 1)
  assert.match(missing.stderr, /has no HMAC secret to sign with/)
})

test('a key runs the actions that it is told to, or all of them again', () => {
  const actions = ['--allow-action', 'slack.*', '--allow-action', 'mail.send']
  const made = JSON.parse(run('create', '--user-id', 'agent', ...actions, '--json').stdout)
  assert.deepEqual(made.allowed_actions, ['slack.*', 'mail.send'])
  const freed = JSON.parse(run('update', made.key_id, '--allow-all-actions', '--json').stdout)
  assert.equal(freed.allowed_actions, null)
})
