import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { test } from 'node:test'
import type { Lease } from '@sluice/protocol'
import { findFreePort } from '../scripts/free-port.ts'
import { endWithThisProcess, startHub, type HubProcess } from '../scripts/hub-process.ts'
import { usePostgres } from '../scripts/use-postgres.ts'

/** The nginx of compose.yaml in front of two hubs on one Postgres, and what programs notice of it when a hub is killed. */
const postgres = await usePostgres()
const path = { PATH: [process.env['PATH'], '/usr/sbin'].join(delimiter) }
const hasNginx = spawnSync('nginx', ['-v'], { env: path }).status === 0
const skip = postgres.skip || (hasNginx ? false : 'no nginx: install it (Debian: apt-get install nginx-light)')

const config = readFileSync(resolve(import.meta.dirname, 'nginx.conf'), 'utf8')

type Proxy = AsyncDisposable & { readonly url: string }

async function startProxy(hubs: readonly HubProcess[]): Promise<Proxy> {
  const port = await findFreePort()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-nginx-'))
  const stands = hubs.reduce(
    (text, { url }, index) => text.replace(`hub-${index + 1}:8000`, new URL(url).host),
    config.replace('listen 8080', `listen 127.0.0.1:${port}`),
  )
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/tmp;`,
  )
  mkdirSync(join(folder, 'tmp'), { mode: 0o777 })
  writeFileSync(join(folder, 'site.conf'), stands)
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr warn;
     events {} http { ${temporary.join(' ')} include ${folder}/site.conf; }`,
  )
  const child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], {
    env: path,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  child.stderr.on('data', (text: Buffer) => (log += text.toString()))
  const ended = once(child, 'exit')
  const spare = endWithThisProcess(() => child.kill('SIGKILL'))
  const url = `http://127.0.0.1:${port}`
  while (!(await fetch(`${url}/status`).catch(() => undefined))?.ok) {
    if (child.exitCode !== null) throw new Error(`nginx ended: ${log}`)
  }
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM')
      await ended
      spare()
      rmSync(folder, { recursive: true })
    },
  }
}

let key = ''

function call(
  url: string,
  line: string,
  { body, headers }: { body?: object; headers?: object } = {},
): Promise<Response> {
  const [method = 'GET', target = '/'] = line.split(' ')
  return fetch(url + target, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    ...(body && { body: JSON.stringify(body) }),
  })
}

/** Sent again under its idempotency key until it is accepted, as a client does. Answers how often it was refused. */
async function publish(url: string, n: number): Promise<number> {
  for (let refused = 0; ; refused += 1) {
    const body = { event_type: 'through.proxy', payload: { n } }
    const response = await call(url, 'POST /v1/events', { body, headers: { 'idempotency-key': `proxy-${n}` } }).catch(
      () => undefined,
    )
    const text = await response?.text()
    if (response?.ok) return refused
    assert.ok(response === undefined || response.status >= 500, text)
    assert.ok(refused < 20, text)
  }
}

/** Follows an inbox until it has seen so many events; connects again where it was, as an EventSource does. */
async function follow(url: string, inbox: string, count: number): Promise<{ seen: number[]; connections: number }> {
  const seen: number[] = []
  let cursor = ''
  let connections = 0
  while (seen.length < count) {
    connections += 1
    const headers = cursor === '' ? {} : { 'last-event-id': cursor }
    const response = await call(url, `GET /v1/inboxes/${inbox}/stream?from=earliest`, { headers })
    // The proxy has not noticed yet that a hub is gone.
    if (response.status >= 500) continue
    assert.equal(response.status, 200)
    let text = ''
    try {
      for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        text += piece
        const frames = text.split('\n\n')
        text = frames.pop() ?? ''
        for (const frame of frames) {
          cursor = /^id: (.*)$/m.exec(frame)?.[1] ?? cursor
          const data = /^data: (.*)$/m.exec(frame)?.[1]
          if (data !== undefined) seen.push((JSON.parse(data) as { payload: { n: number } }).payload.n)
        }
        if (seen.length >= count) break
      }
    } catch {
      // The hub at the other end was killed.
    }
  }
  return { seen, connections }
}

const hubOptions = (): Parameters<typeof startHub>[0] => ({
  data: '/nowhere',
  env: { DATABASE_URL: postgres.url, SLUICE_SECRET_KEY: '07'.repeat(32), SLUICE_TRUST_PROXY: '127.0.0.1/32' },
})

test('through nginx: publish, wait, follow; and on, when one hub is killed', { skip }, async () => {
  await using one = await startHub(hubOptions())
  key = one.apiKey ?? ''
  await using two = await startHub(hubOptions())
  await using proxy = await startProxy([one, two])
  const { url } = proxy

  assert.equal((await call(url, 'PUT /v1/inboxes/slow', { body: { filter: { event_types: ['later'] } } })).status, 201)
  const body = { filter: { event_types: ['through.proxy'] } }
  assert.equal((await call(url, 'PUT /v1/inboxes/followed', { body })).status, 201)
  const waiting = call(url, 'POST /v1/inboxes/slow/lease', { body: { wait_seconds: 20 } })
  // Streams are one to a hub with least_conn, so that the kill hits some of them.
  const count = 60
  const following = [0, 1, 2].map(() => follow(url, 'followed', count))
  for (let n = 0; n < count / 3; n += 1) assert.equal(await publish(url, n), 0)
  await call(one.url, 'POST /v1/events', { body: { event_type: 'later', payload: { n: -1 } } })
  assert.equal(((await (await waiting).json()) as Lease).events.length, 1)

  const during = Array.from({ length: count / 3 }, (_, n) => publish(url, count / 3 + n))
  await one.kill()
  await Promise.all(during)
  for (let n = (2 * count) / 3; n < count; n += 1) await publish(url, n)
  // A GET is passed on to the other hub without the caller's noticing.
  for (let n = 0; n < 20; n += 1) assert.equal((await call(url, 'GET /health')).status, 200)

  const numbers = Array.from({ length: count }, (_, n) => n)
  const followed = await Promise.all(following)
  for (const { seen } of followed)
    assert.deepEqual(
      seen.toSorted((a, b) => a - b),
      numbers,
    )
  assert.ok(followed.some(({ connections }) => connections > 1))
})

test('through nginx: a large batch arrives, and the hub says what is too large', { skip }, async () => {
  await using one = await startHub(hubOptions())
  key = one.apiKey ?? key
  await using proxy = await startProxy([one, one])
  const events = Array.from({ length: 40 }, (_, n) => ({
    event_type: 'big',
    payload: { n, text: 'x'.repeat(120_000) },
  }))
  assert.equal((await call(proxy.url, 'POST /v1/events/batch', { body: { events } })).status, 200)
  const source = { scheme: 'none', max_bytes: 10 * 1024 * 1024 }
  assert.equal((await call(proxy.url, 'PUT /v1/sources/large', { body: source })).status, 201)
  const webhook = { text: 'x'.repeat(source.max_bytes - '{"text":""}'.length) }
  assert.equal((await call(proxy.url, 'POST /in/large', { body: webhook })).status, 202)
  const tooLarge = await call(proxy.url, 'POST /v1/events', { body: { event_type: 'a', payload: 'x'.repeat(600_000) } })
  assert.equal(tooLarge.headers.get('content-type'), 'application/problem+json')
})
