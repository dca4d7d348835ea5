import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { useHub } from '../../../../scripts/use-hub.ts'

const sluice = new URL('../../bin/sluice.js', import.meta.url).pathname
const { hub, folder } = await useHub()

async function run(
  args: readonly string[],
  input = '',
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const env = { PATH: process.env['PATH'], SLUICE_URL: hub.url, SLUICE_API_KEY: hub.apiKey ?? '' }
  const child = spawn(process.execPath, [sluice, 'sources', ...args], { cwd: folder, env })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
  child.stdin.end(input)
  const [status] = await once(child, 'close')
  return { status, stdout, stderr }
}

async function json(args: readonly string[], input = '') {
  const ran = await run([...args, '--json'], input)
  assert.equal(ran.status, 0, ran.stderr)
  return JSON.parse(ran.stdout)
}

test('a source is put, tried out, changed, reported and deleted', async () => {
  writeFileSync(join(folder, 'secret.txt'), 'planted-hush\n')
  const made = await json([
    'put',
    'github',
    '--scheme',
    'github',
    '--secret',
    '@secret.txt',
    '--type',
    'header:x-github-event',
  ])
  assert.deepEqual([made.address, made.event_type_prefix, made.secrets.length], ['/in/github', 'github.', 1])
  assert.equal((await json(['test', 'github'])).status, 202)
  assert.equal((await json(['test', 'github', '--secret', '-'], 'planted-hush\n')).status, 202)
  const wrong = await run(['test', 'github', '--secret', 'wrong'])
  assert.equal(wrong.status, 1)
  assert.match(wrong.stdout, /answered 401: the secret is another one/)
  const changed = await json([
    'put',
    'github',
    '--scheme',
    'github',
    '--secret',
    'next',
    '--overlap',
    '60',
    '--prefix',
    'gh/',
  ])
  assert.deepEqual([changed.event_type_prefix, changed.secrets.length], ['gh/', 2])
  const report = await json(['report', 'github'])
  assert.deepEqual(report.total, { accepted: 2, mismatch: 1 })
  const words = await run(['report', 'github'])
  assert.match(words.stdout, /accepted +2\n[^]*secret-or-body/)
  const [list, shown] = [await run(['list']), await run(['show', 'github'])]
  assert.match(list.stdout, /^github +github +\/in\/github +2 /m)
  assert.match(shown.stdout, new RegExp(`address +${hub.url}/in/github`))
  for (const { stdout, stderr } of [wrong, words, list, shown]) assert.ok(!(stdout + stderr).includes('planted-hush'))
  assert.equal((await json(['delete', 'github', '--yes'])).removed, true)
  assert.equal((await run(['show', 'github'])).status, 1)
})

test('a source that shows a password or has a public key is tried out with a secret of the caller', async () => {
  await json(['put', 'basic', '--scheme', 'basic', '--secret', 'ada:hush'])
  assert.match((await run(['test', 'basic'])).stderr, /--secret user:password/)
  assert.equal((await json(['test', 'basic', '--secret', 'ada:hush'])).status, 202)
  const keys = [
    'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=',
    'whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==',
  ]
  await json(['put', 'signed', '--scheme', 'standard-webhooks', '--secret', keys[0] ?? ''])
  assert.equal((await json(['test', 'signed', '--secret', keys[1] ?? ''])).status, 202)
  assert.equal((await run(['test', 'signed', '--secret', keys[0] ?? ''])).status, 2)
})

test('what is wrong is said', async () => {
  assert.equal((await run(['put', 'x', '--scheme', 'nobody'])).status, 2)
  assert.match(
    (await run(['put', 'x', '--scheme', 'github', '--id', 'x'])).stderr,
    /header:NAME, pointer:\/PATH or constant:TEXT/,
  )
  assert.match((await run(['put', 'x', '--scheme', 'github'])).stderr, /secret/)
  assert.equal((await run(['put', 'x', '--scheme', 'github', '--secret', '@missing'])).status, 2)
  assert.equal((await run(['test', 'none'])).status, 1)
})
