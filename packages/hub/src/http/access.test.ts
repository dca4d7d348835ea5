import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Role, permissionsOf, routes, type Accepted, type Route, type RouteName } from '@sluice/protocol'
import { openTestHub, type CallOptions, type TestHub } from '../test-hub.ts'

/** Every route of the table, with every role, of this workspace and of another, and without a key. */
let t: TestHub
let eventId: string
let keyId: string
let quarantineId: string
let scheduledId = 'none'

before(async () => {
  t = await openTestHub({ integrations: new URL('../test-integrations', import.meta.url).pathname })
  await t.call('PUT', '/v1/workspaces/other')
  const event = { event_type: 'a', payload: {} }
  eventId = (await t.call<Accepted>('POST', '/v1/events', { body: event })).body.event_id
  await setUp(t.adminKey)
  keyId = (await t.call<{ key_id: string }>('POST', '/v1/keys', { body: { user_id: 'u' } })).body.key_id
})
after(() => t.close())

const briteEvent = {
  category: 'a',
  entity: 'Thing',
  action: 'Made',
  data: { a: 1 },
  actor: { id: 'somebody', type: 'user' },
}

const connection = { integration: 'echo', credentials: { api_key: 'k' } }

const oauthClient = { client_id: 'app', client_secret: 'secret' }

const trigger = { integration: 'echo', polling_trigger: 'new_word', connection: 'made' }

const schedule = { cron: '0 9 * * *', event: { event_type: 'a', payload: {} } }

const budget = { limit_usd: 1, period: 'day', on_exceeded: 'warn' }

const bodies: Partial<Record<RouteName, unknown>> = {
  publishEvent: { event_type: 'a', payload: {} },
  publishBatch: [{ event_type: 'a', payload: {} }],
  replayEvent: { inbox: 'default' },
  replayRange: {},
  tryFilter: { filter: {} },
  patchInbox: {},
  seekInbox: { to: 'earliest' },
  ackEvents: { lease_id: 'l' },
  releaseEvents: { lease_id: 'l' },
  extendLease: { lease_id: 'l', lease_seconds: 1 },
  replayDeadLetters: { all: true },
  discardDeadLetters: { all: true },
  createKey: { user_id: 'u' },
  eraseIdentity: { identity: 'nobody' },
  patchKey: {},
  importEventTypes: { event_types: [{ name: 'made.imported' }] },
  releaseQuarantined: { event_type: 'a' },
  discardQuarantined: { event_type: 'a' },
  fixQuarantined: { payload: {} },
  putConnection: connection,
  patchConnection: { grant: 'user' },
  putOauthClient: oauthClient,
  runAction: { inputs: { word: 'a' }, connection: 'made' },
  runPoll: { connection: 'made' },
  putTrigger: trigger,
  putSchedule: schedule,
  putSource: { scheme: 'none' },
  patchSource: {},
  putBudget: budget,
  publishBriteEvent: briteEvent,
  publishBriteEvents: [briteEvent],
  publishEsautiEvent: { type: 'order.created' },
  callMcp: { jsonrpc: '2.0', id: 1, method: 'ping' },
  identifyEsautiCustomer: { identity: { email: 'a@example.org' } },
}

const names = Object.keys(routes) as RouteName[] // the table's keys

function pathOf({ path }: Route): string {
  const values: Record<string, string> = {
    event_id: eventId,
    key_id: keyId,
    inbox: 'made',
    source: 'made',
    workspace: 'made',
    code: 'conflict',
    name: 'made.type',
    quarantine_id: quarantineId,
    scheduled_id: scheduledId,
    integration: path.endsWith('/oauth-client') ? 'mail' : 'echo',
    action: 'say',
    trigger: 'new_word',
    connection: 'made',
    key: 'made',
  }
  // Where webhooks come in, the workspace is the sender's choice.
  if (path.startsWith('/in/')) values['workspace'] = 'default'
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '')
}

/** Requests that would answer as long as somebody reads are looked at for their status only. */
async function ask(name: RouteName, options: CallOptions): Promise<{ status: number; code: string | undefined }> {
  const route: Route = routes[name]
  const gone = new AbortController()
  const sent = bodies[name]
  const answer =
    name === 'streamInbox' || name === 'tailEvents'
      ? askStream(route, options, gone)
      : t.call<{ error_code?: string }>(route.method, pathOf(route), {
          ...options,
          ...(sent !== undefined && { body: sent }),
        })
  const { status, body } = await answer
  // A dialect may answer a refused key with a text.
  return { status, code: typeof body === 'object' ? body?.error_code : status === 403 ? 'forbidden' : undefined }
}

async function askStream(
  route: Route,
  { key }: CallOptions,
  gone: AbortController,
): Promise<{ status: number; body: { error_code?: string } }> {
  const headers: Record<string, string> = key ? { authorization: `Bearer ${key}` } : {}
  const response = await t.hub.app.request(pathOf(route), { headers, signal: gone.signal })
  const body = response.status === 200 ? {} : ((await response.json()) as { error_code?: string })
  await response.body?.cancel().catch(() => undefined)
  gone.abort()
  return { status: response.status, body }
}

async function setUpIntegration(key: string): Promise<void> {
  await t.call('PUT', '/v1/connections/made', { key, body: connection })
  await t.call('PUT', '/v1/triggers/made', { key, body: trigger })
}

async function setUpSchedules(key: string): Promise<void> {
  await t.call('PUT', '/v1/schedules/made', { key, body: schedule })
  const body = { event_type: 'a', payload: {}, deliver_at: '2026-06-01T00:00:00Z' }
  scheduledId = (await t.call<Accepted>('POST', '/v1/events', { body })).body.scheduled_id ?? ''
}

async function setUp(key: string): Promise<void> {
  await t.call('PUT', '/v1/integrations/mail/oauth-client', { key, body: oauthClient })
  await t.call('PUT', '/v1/inboxes/made', { key })
  await t.call('PUT', '/v1/workspaces/made')
  await t.call('PUT', '/v1/sources/made', { key, body: { scheme: 'none' } })
  await t.call('PUT', '/v1/event-types/made.type', { key })
  // A fix takes it out: the next role finds another one.
  const type = { schema: { required: ['n'] }, mode: 'quarantine' }
  await t.call('PUT', '/v1/event-types/made.wrong', { body: type })
  const wrong = { body: { event_type: 'made.wrong', payload: {} } }
  quarantineId = (await t.call<Accepted>('POST', '/v1/events', wrong)).body.quarantine_id ?? ''
  await t.call('PUT', '/v1/event-types/made.wrong', { body: { mode: 'warn' } })
}

// Anybody may ask; a source that has agreed to no handshake says so.
const handshakes: ReadonlySet<RouteName> = new Set<RouteName>(['confirmWebhook', 'permitWebhook'])
const isPage = (name: RouteName): boolean => (routes[name] as Route).isPage === true

test('without a key, or with one that is none, only the open routes answer', async () => {
  for (const name of names) {
    const isOpen = routes[name].access === 'open'
    for (const key of [null, 'slk_nonsense']) {
      const { status } = await ask(name, { key })
      if (name === 'getMetrics') assert.equal(status, 401)
      else if (handshakes.has(name)) assert.equal(status, 405)
      // Its key is in the address.
      else if (isPage(name)) assert.equal(status, 404, name)
      else if (isOpen) assert.ok(status < 400, `${name} ${status}`)
      else assert.equal(status, 401, name)
    }
  }
})

for (const workspace of ['default', 'other']) {
  for (const role of Role.options) {
    test(`${role} of the workspace ${workspace}`, async () => {
      const admin = await t.makeKey({ workspace, role: 'admin' })
      const key = await t.makeKey({ workspace, role })
      for (const name of names) {
        await setUp(admin)
        const { access } = routes[name]
        if (access === 'act') await setUpIntegration(admin)
        if (/budget/.test(routes[name].path)) await t.call('PUT', '/v1/budgets/made', { key: admin, body: budget })
        if (/schedule/.test(routes[name].path)) await setUpSchedules(admin)
        const { status, code } = await ask(name, { key })
        const allowed =
          access === 'open' ||
          (permissionsOf[role].includes(access) && (access !== 'instance' || workspace === 'default'))
        const seen = `${name} answered ${status} ${code ?? ''}`
        if (handshakes.has(name)) assert.equal(status, 405, seen)
        else if (isPage(name)) assert.equal(status, 404, seen)
        else if (name === 'getMetrics') assert.equal(status === 200, permissionsOf[role].includes('read'), seen)
        else if (!allowed) assert.deepEqual([status, code], [403, 'forbidden'], seen)
        // What belongs to the other workspace is not found; everything else is let in.
        else if (workspace === 'other' && /\{(event_id|key_id|quarantine_id|scheduled_id)\}/.test(routes[name].path))
          assert.equal(status, 404, seen)
        else
          assert.ok(
            status < 400 ||
              code === 'lease-lost' ||
              code === 'conflict' ||
              (name === 'rotateKey' && code === 'conflict'),
            seen,
          )
      }
    })
  }
}
