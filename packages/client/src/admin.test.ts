import assert from 'node:assert/strict'
import { test } from 'node:test'
import { routes, type Route, type RouteName } from '@sluice/protocol'
import { useHub } from '../../../scripts/use-hub.ts'
import { ApiError, createAdmin, type Admin } from './admin.ts'

type Answer = { readonly route: RouteName; readonly status: number; readonly body: string }

const integrations = new URL('../../hub/src/test-integrations', import.meta.url).pathname
const { hub } = await useHub({ integrations, allowCidr: ['127.0.0.0/8'] })
const answers: Answer[] = []

/** The admin client, with every answer noted under its route. */
function watch(): Admin {
  const patterns = Object.entries(routes).map(([name, { method, path }]) => ({
    // The table's keys are its names.
    name: name as RouteName,
    method,
    pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    // An exact path goes before one with a parameter: /v1/events/inbox is no event.
    weight: path.split('{').length,
  }))
  patterns.sort((left, right) => left.weight - right.weight)
  return createAdmin({
    baseUrl: hub.url,
    apiKey: hub.apiKey ?? '',
    fetch: async (url, init) => {
      const response = await fetch(url, init)
      const { pathname } = new URL(url)
      const route = patterns.find(({ method, pattern }) => method === init.method && pattern.test(pathname))?.name
      assert.ok(route, `${init.method} ${pathname} is no route`)
      const isStream = response.headers.get('content-type') === 'text/event-stream'
      answers.push({ route, status: response.status, body: isStream ? '' : await response.clone().text() })
      return response
    },
  })
}

test('every route of the table is called through the client, and answers as the table says', async () => {
  const admin = watch()
  await callOpen(admin)
  const eventId = await callEvents(admin)
  await callInboxes(admin, eventId)
  await callDeadLetters(admin)
  await callKeys(admin)
  await callEventTypes(admin)
  await callQuarantine(admin)
  await callIntegrations(admin)
  await callSchedules(admin)
  await callSources(admin)
  await callSpending(admin)
  await callWorkspaces(admin)
  const called = new Set(answers.map((answer) => answer.route))
  assert.deepEqual(
    // A dialect is for its own clients, a page of people for browsers, and what comes from outside knows none.
    Object.entries<Route>(routes).flatMap(([name, { dialect, isPage, outside }]) =>
      dialect || isPage || outside || called.has(name as RouteName) ? [] : [name],
    ),
    [],
  )
  for (const { route, status, body } of answers) checkAnswer(route, status, body)
})

function checkAnswer(route: RouteName, status: number, body: string): void {
  // Its provider is not there.
  if (route === 'refreshConnection' && status === 503) return
  const { answers: documented }: Route = routes[route]
  const answer = documented[status]
  assert.ok(answer, `${route} answered ${status}, which its table does not know: ${body}`)
  const parsed = answer.schema?.safeParse(JSON.parse(body))
  assert.ok(parsed?.success ?? true, `${route}: ${parsed?.error?.message} in ${body}`)
}

async function callSources(admin: Admin): Promise<void> {
  const made = await admin.putSource('github', { scheme: 'github', secret: 'hush' })
  assert.equal(made.address, '/in/github')
  assert.equal((await admin.patchSource('github', { max_bytes: 1000 })).max_bytes, 1000)
  assert.deepEqual((await admin.getSource('github')).event_type, { header: 'x-github-event' })
  assert.equal((await admin.listSources()).sources.length, 1)
  const { headers, body, address } = await admin.createSourceExample('github')
  const answer = await fetch(`${hub.url}${address}`, { method: 'POST', headers, body })
  assert.equal(answer.status, 202)
  assert.deepEqual((await admin.getSourceReport('github', { hours: 1 })).total, { accepted: 1 })
  await admin.deleteSource('github')
}

async function callSpending(admin: Admin): Promise<void> {
  const budget = { limit_usd: 12.5, period: 'month', on_exceeded: 'refuse' } as const
  assert.equal((await admin.putBudget('all', budget)).limit_usd, 12.5)
  assert.equal((await admin.putBudget('all', { ...budget, limit_usd: 13 })).limit_usd, 13)
  assert.equal((await admin.getBudget('all')).state, 'open')
  assert.equal((await admin.listBudgets()).budgets.length, 1)
  await admin.deleteBudget('all')
  assert.ok((await admin.listRuns({ integration: 'echo' })).runs.length > 0)
  assert.equal((await admin.listCosts({ group_by: 'action' })).costs[0]?.group, 'echo.say')
}

async function callSchedules(admin: Admin): Promise<void> {
  const event = { event_type: 'report.due', payload: {} }
  assert.equal((await admin.putSchedule('daily', { cron: '@daily', event })).time_zone, 'UTC')
  assert.equal((await admin.putSchedule('daily', { cron: '@hourly', event })).cron, '@hourly')
  assert.equal((await admin.pauseSchedule('daily')).status, 'paused')
  assert.equal((await admin.resumeSchedule('daily')).status, 'active')
  assert.equal((await admin.getSchedule('daily')).event.event_type, 'report.due')
  assert.equal((await admin.listSchedules()).schedules.length, 1)
  await admin.deleteSchedule('daily')
  const later = new Date(Date.now() + 86_400_000).toISOString()
  const { scheduled_id: id = '' } = await admin.publishEvent({ ...event, deliver_at: later })
  assert.equal((await admin.listScheduledEvents()).scheduled_events.length, 1)
  assert.equal((await admin.getScheduledEvent(id)).event.deliver_at, later)
  await admin.cancelScheduledEvent(id)
}

async function callOpen(admin: Admin): Promise<void> {
  assert.equal((await admin.getRoot()).docs, '/docs')
  assert.equal((await admin.getStatus()).status, 'ok')
  assert.equal((await admin.getHealth()).status, 'ok')
  assert.equal((await admin.getOpenapi())['openapi'], '3.1.0')
  assert.match(await admin.getDocs(), /<html/)
  assert.match(await admin.getProblem('not-found'), /<html/)
  assert.equal((await admin.getKeySet()).keys.length, 1)
  assert.match(await admin.getMetrics(), /# TYPE/)
  assert.match(await admin.getConsole(), /<html/)
  assert.equal((await admin.getActivity({ range: 'day' })).step_seconds, 600)
  assert.equal((await admin.createSession()).role, 'admin')
  assert.equal((await admin.getSession()).workspace, 'default')
  await admin.deleteSession()
}

async function callEvents(admin: Admin): Promise<string> {
  const { event_id: eventId } = await admin.publishEvent(
    { event_type: 'order.created', payload: { n: 1 } },
    { idempotencyKey: 'one' },
  )
  assert.equal(
    (await admin.publishEvent({ event_type: 'order.created', payload: { n: 1 } }, { idempotencyKey: 'one' })).status,
    'duplicate',
  )
  const batch = await admin.publishBatch([
    { event_type: 'order.paid', payload: {} },
    { event_type: 'x', payload: {}, source: '' },
  ])
  assert.deepEqual([batch.accepted, batch.failed], [1, 1])
  assert.equal((await admin.getEvent(eventId)).event_id, eventId)
  assert.equal((await admin.searchEvents({ event_type: 'order.*' })).events.length, 2)
  assert.equal((await admin.pollDefault({ limit: 1 })).pagination.has_more, true)
  assert.equal((await admin.explainEvent(eventId)).verdicts[0]?.verdict, 'waiting')
  const stop = new AbortController()
  for await (const { kind } of admin.tailEvents({ event_type: 'order.*' }, stop.signal)) {
    assert.equal(kind, 'open')
    stop.abort()
  }
  await admin.acknowledgeEvent(eventId)
  assert.equal((await admin.replayEvent(eventId, { inbox: 'default' })).status, 'replayed')
  return eventId
}

async function callInboxes(admin: Admin, eventId: string): Promise<void> {
  const settings = { start: 'earliest', filter: { event_types: ['order.*'] }, max_attempts: 1 } as const
  await admin.putInbox('crm', { ...settings, filter: { event_types: ['order.*'] } })
  assert.equal((await admin.patchInbox('crm', { lease_seconds: 60 })).lease_seconds, 60)
  assert.deepEqual(
    (await admin.listInboxes()).inboxes.map((inbox) => inbox.key),
    ['crm', 'default'],
  )
  assert.equal((await admin.getInbox('crm')).behind, 2)
  assert.equal((await admin.peekInbox('crm')).events.length, 2)
  assert.equal((await admin.replayRange('crm', { dry_run: true })).left, 0)
  assert.equal((await admin.tryFilter({ filter: { event_types: ['order.*'] } })).matched, 2)
  assert.equal((await admin.pauseInbox('crm')).status, 'paused')
  assert.equal((await admin.resumeInbox('crm')).status, 'active')
  for await (const { event } of admin.streamInbox('crm')) {
    assert.equal(event.event_id, eventId)
    break
  }
  assert.ok((await admin.createTicket('crm')).ticket)
  const lease = await admin.leaseEvents('crm', { limit: 2 })
  const [first, second] = lease.events.map((event) => event.event_id)
  assert.ok(first && second)
  await admin.extendLease('crm', { lease_id: lease.lease_id, lease_seconds: 90 })
  assert.equal(
    (await admin.ackEvents('crm', { lease_id: lease.lease_id, event_ids: [first] })).results[0]?.status,
    'acked',
  )
  assert.equal(
    (await admin.releaseEvents('crm', { lease_id: lease.lease_id, reason: 'no' })).results[0]?.status,
    'dead',
  )
  assert.equal((await admin.listAttempts('crm')).attempts[0]?.reason, 'no')
  await admin.putInbox('other')
  // Nobody listens there.
  const push = { url: 'http://127.0.0.1:1/', timeout_seconds: 1 }
  assert.match((await admin.putInbox('pushed', { push })).secret ?? '', /^whsec_/)
  assert.equal((await admin.testPush('pushed')).ok, false)
  assert.match((await admin.rotatePushSecret('pushed')).secret, /^whsec_/)
  assert.equal((await admin.seekInbox('other', { to: 'earliest' })).generation, 2)
  await admin.deleteInbox('other')
}

async function callDeadLetters(admin: Admin): Promise<void> {
  assert.equal((await admin.listDeadLetters('crm')).dead_letters.length, 1)
  assert.deepEqual(await admin.discardDeadLetters('crm', { all: true, dry_run: true }), { count: 1, dry_run: true })
  assert.deepEqual(await admin.replayDeadLetters('crm', { all: true }), { count: 1, dry_run: false })
}

async function callKeys(admin: Admin): Promise<void> {
  const { key_id: keyId, api_key: secret } = await admin.createKey({ user_id: 'u', role: 'viewer' })
  assert.equal((await admin.getKey(keyId)).status, 'active')
  assert.ok((await admin.listKeys({ status: 'active' })).keys.some((key) => key.key_id === keyId))
  assert.equal((await admin.patchKey(keyId, { rate_limit: 100 })).rate_limit, 100)
  assert.notEqual((await admin.rotateKey(keyId)).api_key, secret)
  await admin.revokeKey(keyId)
  assert.equal((await admin.eraseIdentity({ identity: 'nobody' })).done, true)
  assert.ok((await admin.listAudit()).entries.some((entry) => entry.target === keyId))
}

async function callEventTypes(admin: Admin): Promise<void> {
  const schema = { required: ['id'] }
  assert.equal((await admin.putEventType('a.made', { schema })).change, 'new')
  const wider = { schema: { required: ['id', 'n'] } }
  assert.equal((await admin.putEventType('a.made', wider, { allowIncompatible: true })).version, 2)
  assert.equal((await admin.getEventType('a.made')).versions.length, 2)
  const topics = { DefaultCategory: 'b', Topics: [{ Entity: 'Order', Action: 'Paid', Schema: {} }] }
  assert.equal((await admin.importEventTypes(topics, { dryRun: true })).dry_run, true)
  assert.equal((await admin.importEventTypes(topics, { mode: 'off' })).results[0]?.name, 'b.OrderPaid')
  assert.deepEqual(
    (await admin.listEventTypes({ category: 'b' })).event_types.map(({ name, mode }) => [name, mode]),
    [['b.OrderPaid', 'off']],
  )
  await admin.deleteEventType('b.OrderPaid')
}

async function callQuarantine(admin: Admin): Promise<void> {
  await admin.putEventType('q.made', { schema: { required: ['id'] }, mode: 'quarantine' })
  const ids: string[] = []
  for (const n of [1, 2, 3]) {
    const { status, quarantine_id: id = '' } = await admin.publishEvent({ event_type: 'q.made', payload: { n } })
    assert.equal(status, 'quarantined')
    ids.push(id)
  }
  const [first = '', second = ''] = ids
  assert.equal((await admin.listQuarantine({ event_type: 'q.made' })).quarantined.length, 3)
  assert.deepEqual((await admin.getQuarantined(first)).event['payload'], { n: 1 })
  assert.equal((await admin.fixQuarantined(first, { id: 1 })).status, 'accepted')
  assert.equal((await admin.releaseQuarantined({ quarantine_ids: [second] })).kept, 1)
  assert.deepEqual(await admin.discardQuarantined({ event_type: 'q.made' }), { count: 2, dry_run: false })
}

async function callIntegrations(admin: Admin): Promise<void> {
  assert.equal((await admin.listIntegrations()).integrations.at(0)?.name, 'echo')
  assert.equal((await admin.putOauthClient('mail', { client_id: 'app', client_secret: 's' })).client_id, 'app')
  assert.match((await admin.getOauthClient('mail')).redirect_uri ?? '', /connect\/callback$/)
  assert.match((await admin.createConnectLink('post', { integration: 'mail' })).url, /connect/)
  const tokens = { access_token: 'access-1', refresh_token: 'refresh-1', expires_in: 3600 }
  await admin.putConnection('post', { integration: 'mail', credentials: tokens })
  await assert.rejects(admin.refreshConnection('post'), ApiError)
  await admin.deleteConnection('post')
  await admin.deleteOauthClient('mail')
  assert.equal((await admin.getIntegration('echo')).polling_triggers.length, 1)
  const credentials = { api_key: 'key' }
  assert.equal((await admin.putConnection('mine', { integration: 'echo', credentials })).account?.username, 'echo')
  assert.equal((await admin.listConnections()).connections.length, 1)
  assert.equal((await admin.getConnection('mine')).integration, 'echo')
  assert.equal((await admin.patchConnection('mine', { grant: 'user' })).grant, 'user')
  assert.equal((await admin.testConnection('mine')).account?.username, 'echo')
  const inputs = { word: 'hi' }
  assert.equal((await admin.runAction('echo', 'say', { inputs, connection: 'mine' })).type, 'action')
  assert.equal((await admin.runPoll('echo', 'new_word', { connection: 'mine' })).type, 'polling_trigger')
  const trigger = { integration: 'echo', polling_trigger: 'new_word', connection: 'mine', first_poll: 'emit' } as const
  assert.equal((await admin.putTrigger('words', trigger)).interval_seconds, 300)
  assert.equal((await admin.putTrigger('words', { ...trigger, interval_seconds: 60 })).interval_seconds, 60)
  assert.equal((await admin.runTrigger('words')).published, 2)
  assert.equal((await admin.pauseTrigger('words')).status, 'paused')
  assert.equal((await admin.resumeTrigger('words')).status, 'active')
  assert.equal((await admin.getTrigger('words')).primed, true)
  assert.equal((await admin.listTriggers()).triggers.length, 1)
  assert.equal((await admin.listPolls('words')).polls[0]?.outcome, 'good')
  await admin.deleteTrigger('words')
  await admin.deleteConnection('mine')
}

async function callWorkspaces(admin: Admin): Promise<void> {
  assert.equal((await admin.putWorkspace('team')).key, 'team')
  assert.equal((await admin.getWorkspace('team')).events, 0)
  assert.equal((await admin.listWorkspaces()).workspaces.length, 2)
  await admin.deleteWorkspace('team')
}
