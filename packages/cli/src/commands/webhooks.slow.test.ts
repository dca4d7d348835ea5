import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { expressWebhook } from '@sluice/client/webhooks'

const sluice = new URL('../../bin/sluice.js', import.meta.url).pathname
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const receive = expressWebhook({ secrets: secret })
const server = createServer((request, response) => receive(request, response, () => response.writeHead(204).end()))
let folder: string
let url: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-webhooks-'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
})
after(async () => {
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true })
})

async function run(args: readonly string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [sluice, 'webhooks', ...args], { cwd: folder })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
  const [status] = await once(child, 'close')
  return { status, stdout, stderr }
}

const head = `POST /hook HTTP/1.1\r
Host: a.example\r
webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\r
Webhook-Timestamp: 1614265330\r
Webhook-Signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\r
\r
`

test('verify says that all is well, or why not', async () => {
  await writeFile(join(folder, 'head.txt'), head)
  await writeFile(join(folder, 'body.json'), '{"test": 2432232314}')
  await writeFile(join(folder, 'anew.json'), '{"test":2432232314}')
  const fields = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': 1614265330,
    'webhook-signature': ['v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='],
  }
  await writeFile(join(folder, 'head.json'), JSON.stringify(fields))
  const at = ['--at', '2021-02-25T15:02:10Z']
  for (const headers of ['head.txt', 'head.json']) {
    const good = await run(['verify', '--secret', secret, '--headers', headers, '--body', 'body.json', ...at, '--json'])
    assert.deepEqual([good.status, JSON.parse(good.stdout).id], [0, 'msg_p5jXN8AQM9LWM0D4loKWxJek'], good.stderr)
  }
  const cases: readonly [args: readonly string[], cause: string][] = [
    [['--secret', secret, '--body', 'anew.json', ...at], 'body-reserialised'],
    [['--secret', secret, '--body', 'body.json'], 'clock'],
    [['--secret', 'whsec_AAAA', '--old-secret', secret, '--body', 'body.json', ...at], 'old-secret'],
    [['--secret', 'whsec_AAAA', '--body', 'body.json', ...at], 'secret-or-body'],
    [['--scheme', 'github', '--secret', secret, '--body', 'body.json'], 'wrong-header'],
  ]
  for (const [args, cause] of cases) {
    const bad = await run(['verify', '--headers', 'head.txt', ...args, '--json'])
    assert.deepEqual([bad.status, JSON.parse(bad.stdout).cause], [1, cause])
    assert.ok(!bad.stdout.includes(secret))
  }
  const words = await run(['verify', '--headers', 'head.txt', '--secret', secret, '--body', 'anew.json', ...at])
  assert.match(words.stdout, /^It is refused\.\nreason +mismatch\ncause +body-reserialised\nadvice +.*raw bytes/)
  for (const args of [
    ['--body', 'none'],
    ['--body', 'body.json', '--at', 'yesterday'],
    ['--body', 'body.json', '--headers', 'body.json'],
  ])
    assert.equal(
      (await run(['verify', '--secret', secret, '--headers', 'head.txt', ...args])).status,
      args.includes('--headers') ? 1 : 2,
    )
})

test('check prints a table or JSON, and its exit code says how it went', async () => {
  const only = ['good', 'stale', 'duplicate'].flatMap((name) => ['--only', name])
  const args = ['check', url, '--secret', secret, '--allow-cidr', '127.0.0.0/8', '--slow', '0']
  const good = await run([...args, ...only])
  assert.equal(good.status, 0, good.stderr)
  assert.match(
    good.stdout,
    /^CASE +VERDICT +STATUS +MS +DETAIL\ngood +pass +204 [^]*\n\n3 passed, 0 warned, 0 failed\n$/,
  )
  const bad = await run(['check', url, '--secret', 'whsec_AAAA', '--allow-cidr', '127.0.0.0/8', ...only, '--json'])
  assert.equal(bad.status, 1)
  assert.deepEqual(JSON.parse(bad.stdout).failed, 2)
  assert.equal((await run(['check', url, '--secret', secret])).status, 4, 'loopback is not allowed')
  assert.equal((await run(['check', 'http://127.0.0.1:1/', '--secret', secret, '--allow-cidr', '127.0.0.1'])).status, 3)
  for (const wrong of [
    ['check', 'nonsense', '--secret', secret],
    [...args, '--only', 'none'],
    ['check', url],
  ])
    assert.equal((await run(wrong)).status, 2)
})
