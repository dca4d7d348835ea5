import assert from 'node:assert/strict'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { startHub } from '@sluice/hub'
import { createAdmin } from './admin.ts'
import type * as Client from './index.ts'
import type * as Topics from './topics.ts'

type Connection = { readonly baseUrl: string; readonly apiKey: string }
type Secrets = { readonly keyId: string; readonly hmacSecret: string | undefined }

/** Runs in the page, from its own text: nothing of this file but its arguments is there. */
async function visit(
  { createSluice, ApiError, defineTopics, withTopics }: typeof Client & typeof Topics,
  connection: Connection,
  secrets: Secrets,
): Promise<unknown> {
  const sluice = createSluice(connection)
  const inbox = sluice.inbox('crm')
  const sent = await sluice.events.send('page.opened', { text: 'ü' }, { idempotencyKey: 'a key, "quoted"' })
  const again = await sluice.events.send('page.opened', { text: 'ü' }, { idempotencyKey: 'a key, "quoted"' })
  const batch = await sluice.events.sendBatch([1, 2, 3].map((n) => ({ event_type: 'page.left', payload: { n } })))
  const { events } = await sluice.inbox().poll()
  const signed = await createSluice({ baseUrl: connection.baseUrl, ...secrets }).events.send('signed', { text: 'ü' })
  const followed: string[] = []
  for await (const { event } of inbox.stream({ from: 'earliest' })) {
    followed.push(event.event_type)
    if (followed.length === 4) break
  }
  const stop = new AbortController()
  const leased = inbox.stream({ leaseSeconds: 300, signal: stop.signal })
  const first = await leased.next()
  stop.abort()
  await leased.return()
  const drained = await inbox.drain(() => undefined)
  const refused = await createSluice({ ...connection, apiKey: 'slk_wrong' })
    .events.get(sent.event_id)
    .catch((error: unknown) => (error instanceof ApiError ? error.status : String(error)))
  const away = await createSluice({ ...connection, baseUrl: 'http://127.0.0.1:1', maxRetries: 0 })
    .events.get(sent.event_id)
    .catch((error: unknown) => (error instanceof Error ? error.name : String(error)))
  const Schema = { type: 'object', properties: { mail: { type: 'string', format: 'email' } } } as const
  const topics = defineTopics({ DefaultCategory: 'web', Topics: [{ Action: 'Filled', Entity: 'Form', Schema }] })
  const session = withTopics(sluice, topics, { service: 'page' }).userSession('user-1', 'job-1')
  session.filledForm({ mail: 'visitor@example.com' })
  const fault = await Promise.resolve()
    .then(() => session.formFilled({ mail: 'nobody' }))
    .catch((error: unknown) => String(error))
  const flushed = await session.flush()
  return {
    session: [flushed.accepted, fault],
    statuses: [sent.status, again.status, batch.accepted, signed.status],
    polled: events.map((event) => event.payload),
    followed,
    leased: first.value?.event.payload,
    drained: drained.acked,
    refused,
    away,
  }
}

/** The one package that topics bring along, as it is installed. */
const validator = { path: '/json-schema/', file: import.meta.resolve('@cfworker/json-schema') }

/** No code may be made of text: what validates interprets. */
const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "script-src 'self' 'unsafe-inline'",
}

/** The page, the sources of the client without their types, and a place to tell what came of it. */
async function serve() {
  const loaded: string[] = []
  const told = Promise.withResolvers<unknown>()
  let page = ''
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method, url = '' } = request
    if (method === 'POST') {
      told.resolve(JSON.parse(await text(request)))
      return void response.end()
    }
    if (url === '/') return void response.writeHead(200, pageHeaders).end(page)
    if (url.startsWith(validator.path)) {
      const source = await readFile(new URL(url.slice(validator.path.length), validator.file))
      return void response.writeHead(200, { 'content-type': 'text/javascript' }).end(source)
    }
    if (!url.endsWith('.ts')) return void response.writeHead(404).end()
    loaded.push(url)
    const source = await readFile(new URL(`.${url}`, import.meta.url), 'utf8')
    response.writeHead(200, { 'content-type': 'text/javascript' }).end(stripTypeScriptTypes(source))
  }
  const server = createServer((request, response) => {
    answer(request, response).catch(told.reject)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    loaded,
    told,
    show: (html: string): void => void (page = html),
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

function toPage(connection: Connection, secrets: Secrets): string {
  return `<!doctype html>
<script type="importmap">{ "imports": {
  "#transport": "/transport/global-fetch.ts",
  "@cfworker/json-schema": "${validator.path}index.js"
} }</script>
<script type="module">
import * as client from '/index.ts'
import * as topics from '/topics.ts'
${visit.toString()}
const result = await visit({ ...client, ...topics }, ${JSON.stringify(connection)}, ${JSON.stringify(secrets)}).catch((error) => String(error?.stack ?? error))
await fetch('/', { method: 'POST', body: JSON.stringify(result) })
</script>`
}

function openBrowser(url: string, home: string): ChildProcess {
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run']
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync']
  // A group of its own, to be ended as one: the browser is many processes. Some of them write to the home folder.
  const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home }
  const options = { env, stdio: 'ignore', detached: true } as const
  return spawn('chromium', [...flags, ...quiet, `--user-data-dir=${join(home, 'profile')}`, url], options)
}

async function closeBrowser(browser: ChildProcess): Promise<void> {
  if (browser.exitCode !== null || browser.pid === undefined) return
  const closed = once(browser, 'close')
  process.kill(-browser.pid, 'SIGKILL')
  await closed
}

const isMissing = spawnSync('chromium', ['--version']).error !== undefined
const patienceMs = 60_000

test(
  'a page sends, signs, polls, streams and leases with the sources as they are',
  {
    skip: isMissing && 'chromium is not installed',
  },
  async () => {
    await using cleanup = new AsyncDisposableStack()
    const folder = await mkdtemp(join(tmpdir(), 'sluice-chromium-'))
    cleanup.defer(() => rm(folder, { recursive: true, maxRetries: 5 }))
    const { origin, loaded, told, show, close } = await serve()
    cleanup.defer(close)
    const hub = await startHub({
      data: join(folder, 'data'),
      host: '127.0.0.1',
      port: 0,
      secretKeys: [new Uint8Array(32)],
      logLevel: 'silent',
      trustProxy: [],
      corsOrigins: [origin],
    })
    cleanup.defer(() => hub.close())
    const connection = { baseUrl: hub.url, apiKey: hub.apiKey ?? '' }
    await createAdmin(connection).putInbox('crm', { filter: { event_types: ['page.*'] } })
    const { key_id: keyId, hmac_secret: hmacSecret } = await createAdmin(connection).createKey({
      user_id: 'page',
      hmac: true,
      require_hmac: true,
    })
    show(toPage(connection, { keyId, hmacSecret }))
    const browser = openBrowser(origin, folder)
    cleanup.defer(() => closeBrowser(browser))
    browser.once('exit', () => told.reject(new Error('chromium ended by itself')))
    const giveUp = setTimeout(() => told.reject(new Error('the page has told nothing')), patienceMs)
    cleanup.defer(() => clearTimeout(giveUp))
    assert.deepEqual(await told.promise, {
      session: [1, 'TopicDataError: data of web.FormFilled is refused: /mail does not match format "email"'],
      statuses: ['accepted', 'duplicate', 3, 'accepted'],
      polled: [{ text: 'ü' }, { n: 1 }, { n: 2 }, { n: 3 }],
      followed: ['page.opened', 'page.left', 'page.left', 'page.left'],
      leased: { text: 'ü' },
      drained: 3,
      refused: 401,
      away: 'TransportError',
    })
    assert.ok(loaded.includes('/transport/global-fetch.ts') && !loaded.includes('/transport/undici.ts'))
  },
)
