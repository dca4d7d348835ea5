import { randomUUID } from 'node:crypto'
import {
  HubError,
  limits,
  routes,
  toFaults,
  toValidationError,
  type Permission,
  type Route,
  type RouteName,
} from '@sluice/protocol'
import { requirePermission, type Authenticator, type Principal } from '../domain/authenticate.ts'
import type { Context } from '../domain/context.ts'
import { parseObject } from '../domain/json-text.ts'
import { activityHandlers } from './activity.ts'
import { createAuth, limitRate, type Auth, type Identified } from './auth.ts'
import { createBodyBudget, createHolding, toBodyBytes, type BodyBudget, type Holding } from './body-budget.ts'
import { isPacked, requireJson, unpack } from './body.ts'
import { createClientAddress } from './client-address.ts'
import { createCors } from './cors.ts'
import { connectPages } from './connect.ts'
import { deadLetterHandlers } from './dead-letters.ts'
import { briteEventsHandlers } from './dialects/briteevents.ts'
import { toErrorFor } from './dialects/dialect.ts'
import { esautiHandlers } from './dialects/esauti.ts'
import { erasureHandlers } from './erasures.ts'
import { eventTypeHandlers, quarantineHandlers } from './event-types.ts'
import { eventHandlers } from './events.ts'
import type { HubRequest, HubResponse } from './exchange.ts'
import { rawBodies, type Call, type Handlers } from './call.ts'
import { webhookHandlers } from './webhooks-in.ts'
import { connectionHandlers, integrationHandlers } from './integrations.ts'
import { inboxHandlers } from './inboxes.ts'
import { keyHandlers } from './keys.ts'
import { mcpHandlers } from './mcp/mcp.ts'
import { createMetrics } from './metrics.ts'
import { openHandlers } from './open.ts'
import { consoleHandlers } from './console.ts'
import { parseQuery } from './query.ts'
import { createRouter, type Match } from './router.ts'
import { createSessionCookie } from './session-cookie.ts'
import { sessionHandlers } from './sessions.ts'
import { refuseReplay } from './replays.ts'
import { scheduleHandlers } from './schedules.ts'
import { sourceHandlers } from './sources.ts'
import { spendingHandlers } from './spending.ts'
import { streamHandlers } from './stream.ts'
import { createStrangers, type Strangers } from './strangers.ts'
import { triggerHandlers } from './triggers.ts'
import { workspaceHandlers } from './workspaces.ts'

/** Answers requests: the same for a socket, a `fetch`, and a test. It never throws. */
export type App = (request: HubRequest) => Promise<HubResponse>

/** What the hub writes to its log; pino fits. */
export type Logger = {
  readonly error: (details: object, message: string) => void
  readonly debug: (details: object, message: string) => void
}

export type AppOptions = {
  readonly context: Context
  readonly authenticator: Authenticator
  readonly logger: Logger
  readonly version: string
  readonly publicUrl?: string | undefined
  /** CIDR blocks of the proxies whose `X-Forwarded-For` is believed */
  readonly trustProxy: readonly string[]
  readonly corsOrigins: readonly string[]
  /** the folder that the console was built into */
  readonly console: string
}

/** What becomes known of a request on its way, for its answer and for the log. */
type Trace = {
  route: RouteName | undefined
  readonly fields: Record<string, string>
  readonly holding: Holding
}

type Parts = {
  readonly context: Context
  readonly auth: Auth
  readonly budget: BodyBudget
  /** for what is signed alone, until that is proven */
  readonly strangers: Strangers
  readonly handlers: Handlers
  readonly find: (method: string, path: string) => Match
}

export function createApp(options: AppOptions): App {
  const { context, authenticator, logger, version, publicUrl, corsOrigins, trustProxy } = options
  const cookie = createSessionCookie(context.sealing, publicUrl)
  const auth = createAuth({ context, authenticator, cookie, publicUrl })
  const metrics = createMetrics(context)
  const clientAddress = createClientAddress(trustProxy)
  const cors = createCors(corsOrigins)
  const budgets = { budget: createBodyBudget(), strangers: createStrangers() }
  const handlers: Handlers = {
    ...openHandlers({ context, auth, metrics, clientAddress, version, publicUrl }),
    ...consoleHandlers(options.console, publicUrl),
    ...sessionHandlers(context, cookie),
    ...activityHandlers(context),
    ...eventHandlers(context),
    ...inboxHandlers(context),
    ...streamHandlers(context),
    ...deadLetterHandlers(context),
    ...eventTypeHandlers(context),
    ...quarantineHandlers(context),
    ...integrationHandlers(context),
    ...connectionHandlers(context, corsOrigins),
    ...connectPages(context),
    ...triggerHandlers({ context, authenticator }),
    ...scheduleHandlers(context),
    ...sourceHandlers(context, publicUrl),
    ...webhookHandlers({ context, publicUrl, ...budgets }),
    ...spendingHandlers(context),
    ...keyHandlers(context),
    ...erasureHandlers(context),
    ...workspaceHandlers(context),
    ...briteEventsHandlers(context),
    ...esautiHandlers(context),
    ...mcpHandlers({ context, version, logger, publicUrl, corsOrigins }),
  }
  const parts: Parts = { context, auth, handlers, find: createRouter(), ...budgets }
  const logFailure = createFailureLog(logger)

  return async (request) => {
    const startedMs = performance.now()
    const correlationId = toRequestId(request.header('x-request-id'))
    const fields = { 'x-request-id': correlationId }
    const trace: Trace = { route: undefined, fields, holding: createHolding() }
    let response: HubResponse
    try {
      response = cors.preflight(request) ?? (await answer(parts, request, trace))
    } catch (error) {
      if (!(error instanceof HubError) || error.status >= 500) logFailure(error, { request, correlationId })
      response = toErrorFor(request.path)(error, { instance: request.path.slice(0, 1000), correlationId })
    }
    trace.holding.release()
    Object.assign(response.headers, trace.fields)
    cors.allow(request, response.headers)
    const seconds = (performance.now() - startedMs) / 1000
    metrics.note({ route: trace.route, method: request.method, status: response.status, seconds })
    logger.debug({ route: trace.route, status: response.status, seconds, correlation_id: correlationId }, 'answered')
    return response
  }
}

/** The caller's own, if it is fit to stand in logs and fields; else a new one. */
function toRequestId(given: string | undefined): string {
  return given !== undefined && /^[\w.:/+=@-]{1,128}$/.test(given) ? given : randomUUID()
}

type Failure = { readonly request: HubRequest; readonly correlationId: string }

/** What callers are told to expect, and what an operator sees in the metrics. */
const expected: ReadonlySet<string> = new Set(['overloaded', 'shutting-down'])
const repeatedAfterMs = 1000

/**
 * Writes down why requests failed; the same reason once a second, for a full disk fails every one of them. The query stays
 * out of the log: it may hold a ticket. So does the token of a link to connect.
 */
function createFailureLog(logger: Logger): (error: unknown, failure: Failure) => void {
  let lastMessage = ''
  let lastMs = 0
  return (error, { request, correlationId }) => {
    if (error instanceof HubError && expected.has(error.code)) return
    const message = error instanceof Error ? error.message : String(error)
    const now = performance.now()
    if (message === lastMessage && now - lastMs < repeatedAfterMs) return
    lastMessage = message
    lastMs = now
    const path = withoutToken(request.path).slice(0, 1000)
    logger.error({ err: error, method: request.method, path, correlation_id: correlationId }, 'a request failed')
  }
}

const withoutToken = (path: string): string => path.replace(/^\/connect\/[^/]+/, '/connect/…')

async function answer(parts: Parts, request: HubRequest, trace: Trace): Promise<HubResponse> {
  const { context, handlers, find } = parts
  if (context.notifier.isClosed()) throw new HubError('shutting-down', 'this node is stopping; send the request again')
  const { name, params } = find(request.method, request.path)
  trace.route = name
  const route: Route = routes[name]
  const stage: Stage = { name, params, route, request, trace }
  const entry = route.access === 'open' ? undefined : await letIn(parts, stage)
  const query = route.access === 'open' && !route.query ? {} : parseQuery(request.queryText, route.query)
  const body = route.body && entry ? await parseBody(stage, await entry.readBody()) : undefined
  if (entry) await refuseReplay(context, entry.identified.principal, { route, body })
  const confirm = async (permission: Permission): Promise<void> => {
    if (entry) requirePermission(await entry.identified.again(), permission)
  }
  const call = { request, params, query, body, principal: entry?.identified.principal, confirm }
  // The table pairs each name with its handler, and the schemas of that very route have just made query and body.
  return (handlers[name] as (call: Call<RouteName>) => HubResponse | Promise<HubResponse>)(call as Call<RouteName>)
}

type Stage = Match & { readonly route: Route; readonly request: HubRequest; readonly trace: Trace }

/** A caller who may do this. Bodies are read when they are asked for, or before if they are signed. */
type Entry = { readonly identified: Identified; readonly readBody: () => Promise<Buffer> }

async function letIn(parts: Parts, stage: Stage): Promise<Entry> {
  const { auth, budget, context } = parts
  const { name, params, request } = stage
  const ticketFor = name === 'streamInbox' ? params['inbox'] : undefined
  const claim = await auth.claim(request, { ticketFor, link: name === 'createSession' })
  if (claim.kind === 'shown') {
    const { identified } = claim
    await admit(context, identified.principal, stage)
    return { identified, readBody: () => holdBody(stage, budget, identified.principal.workspace.id) }
  }
  const { shown, keyId, workspaceId } = claim
  if (shown) await admit(context, shown, stage)
  const limit = limitOf(stage.route)
  const body = shown
    ? await holdBody(stage, budget, workspaceId)
    : await parts.strangers.read(request, { keyId, limit })
  const identified = await claim.prove(body)
  if (!shown) {
    await admit(context, identified.principal, stage)
    stage.trace.holding.hold(budget, workspaceId, toHeldBytes(stage, body.length))
  }
  return { identified, readBody: async () => body }
}

async function admit(context: Context, principal: Principal, { route, trace }: Stage): Promise<void> {
  await limitRate(context, principal, trace.fields)
  if (route.access !== 'open') requirePermission(principal, route.access)
}

/** What an unpacked body takes is known once it is read. */
function toHeldBytes({ request, route }: Stage, readBytes: number): number {
  return isPacked(request) ? toBodyBytes(String(readBytes), true, limitOf(route)) : readBytes
}

const limitOf = (route: Route): number => route.maxBodyBytes ?? limits.bodyBytes

/** As received: packed, if it is. */
async function holdBody(stage: Stage, budget: BodyBudget, workspaceId: number): Promise<Buffer> {
  const { route, request, trace } = stage
  const limit = limitOf(route)
  trace.holding.hold(budget, workspaceId, toBodyBytes(request.header('content-length'), isPacked(request), limit))
  const bytes = await request.readBody(limit)
  trace.holding.hold(budget, workspaceId, toHeldBytes(stage, bytes.length))
  return bytes
}

async function parseBody({ name, route, request }: Stage, received: Buffer): Promise<unknown> {
  const bytes = isPacked(request) ? await unpack(received, limitOf(route)) : received
  if (rawBodies.has(name)) return bytes
  const empty = bytes.length === 0 && route.bodyOptional === true
  if (!empty) requireJson(request)
  const parsed = route.body?.safeParse(empty ? {} : parseObject(bytes))
  if (parsed && !parsed.success) throw toValidationError(toFaults(parsed.error))
  return parsed?.data
}
