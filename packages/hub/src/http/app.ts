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
import { requirePermission, type Authenticator } from '../domain/authenticate.ts'
import type { Context } from '../domain/context.ts'
import { parseObject } from '../domain/json-text.ts'
import type { KeyContext } from '../domain/keys.ts'
import { createAuth, limitRate, type Auth, type Identified } from './auth.ts'
import { createBodyBudget, toBodyBytes, type BodyBudget } from './body-budget.ts'
import { readBytes, requireJson } from './body.ts'
import { createClientAddress } from './client-address.ts'
import { createCors } from './cors.ts'
import { deadLetterHandlers } from './dead-letters.ts'
import { briteEventsHandlers } from './dialects/briteevents.ts'
import { toErrorFor } from './dialects/dialect.ts'
import { erasureHandlers } from './erasures.ts'
import { eventHandlers } from './events.ts'
import type { HubRequest, HubResponse } from './exchange.ts'
import { rawBodies, type Call, type Handlers } from './call.ts'
import { inboxHandlers } from './inboxes.ts'
import { keyHandlers } from './keys.ts'
import { createMetrics } from './metrics.ts'
import { openHandlers } from './open.ts'
import { parseQuery } from './query.ts'
import { createRouter, type Match } from './router.ts'
import { streamHandlers } from './stream.ts'
import { workspaceHandlers } from './workspaces.ts'

/** Answers requests: the same for a socket, a `fetch`, and a test. It never throws. */
export type App = (request: HubRequest) => Promise<HubResponse>

/** What the hub writes to its log; pino fits. */
export type Logger = {
  readonly error: (details: object, message: string) => void
  readonly debug: (details: object, message: string) => void
}

export type AppOptions = {
  readonly context: Context & KeyContext
  readonly authenticator: Authenticator
  readonly logger: Logger
  readonly version: string
  readonly publicUrl?: string | undefined
  /** CIDR blocks of the proxies whose `X-Forwarded-For` is believed */
  readonly trustProxy: readonly string[]
  readonly corsOrigins: readonly string[]
}

/** What becomes known of a request on its way, for its answer and for the log. */
type Trace = {
  route: RouteName | undefined
  readonly fields: Record<string, string>
  workspaceId: number
  bodyBytes: number
}

type Parts = {
  readonly context: Context
  readonly auth: Auth
  readonly budget: BodyBudget
  readonly handlers: Handlers
  readonly find: (method: string, path: string) => Match
}

export function createApp(options: AppOptions): App {
  const { context, authenticator, logger, version, publicUrl, corsOrigins, trustProxy } = options
  const auth = createAuth(context, authenticator)
  const metrics = createMetrics(context)
  const clientAddress = createClientAddress(trustProxy)
  const cors = createCors(corsOrigins)
  const handlers: Handlers = {
    ...openHandlers({ context, auth, metrics, clientAddress, version, publicUrl }),
    ...eventHandlers(context),
    ...inboxHandlers(context),
    ...streamHandlers(context),
    ...deadLetterHandlers(context),
    ...keyHandlers(context),
    ...erasureHandlers(context),
    ...workspaceHandlers(context),
    ...briteEventsHandlers(context),
  }
  const parts: Parts = { context, auth, handlers, find: createRouter(), budget: createBodyBudget() }
  const logFailure = createFailureLog(logger)

  return async (request) => {
    const startedMs = performance.now()
    const correlationId = toRequestId(request.header('x-request-id'))
    const trace: Trace = { route: undefined, fields: { 'x-request-id': correlationId }, workspaceId: 0, bodyBytes: 0 }
    let response: HubResponse
    try {
      response = cors.preflight(request) ?? (await answer(parts, request, trace))
    } catch (error) {
      if (!(error instanceof HubError) || error.status >= 500) logFailure(error, { request, correlationId })
      response = toErrorFor(request.path)(error, { instance: request.path.slice(0, 1000), correlationId })
    }
    parts.budget.give(trace.workspaceId, trace.bodyBytes)
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
 * out of the log: it may hold a ticket.
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
    const path = request.path.slice(0, 1000)
    logger.error({ err: error, method: request.method, path, correlation_id: correlationId }, 'a request failed')
  }
}

async function answer(parts: Parts, request: HubRequest, trace: Trace): Promise<HubResponse> {
  const { context, auth, handlers, find } = parts
  if (context.notifier.isClosed()) throw new HubError('shutting-down', 'this node is stopping; send the request again')
  const { name, params } = find(request.method, request.path)
  trace.route = name
  const route: Route = routes[name]
  const identified =
    route.access === 'open' ? undefined : await letIn(context, auth, { route, name, params, request, trace })
  const query = route.access === 'open' && !route.query ? {} : parseQuery(request.queryText, route.query)
  const body = route.body ? await readBody(parts.budget, { name, route, request, trace }) : undefined
  const confirm = async (permission: Permission): Promise<void> => {
    if (identified) requirePermission(await identified.again(), permission)
  }
  const call = { request, params, query, body, principal: identified?.principal, confirm }
  // The table pairs each name with its handler, and the schemas of that very route have just made query and body.
  return (handlers[name] as (call: Call<RouteName>) => HubResponse | Promise<HubResponse>)(call as Call<RouteName>)
}

type Stage = { readonly name: RouteName; readonly route: Route; readonly request: HubRequest; readonly trace: Trace }

async function letIn(
  context: Context,
  auth: Auth,
  { route, name, params, request, trace }: Stage & Match,
): Promise<Identified> {
  const identified = await auth.identify(request, name === 'streamInbox' ? params['inbox'] : undefined)
  trace.workspaceId = identified.principal.workspace.id
  await limitRate(context, identified.principal, trace.fields)
  if (route.access !== 'open') requirePermission(identified.principal, route.access)
  return identified
}

async function readBody(budget: BodyBudget, { name, route, request, trace }: Stage): Promise<unknown> {
  const limit = route.maxBodyBytes ?? limits.bodyBytes
  const isPacked = request.header('content-encoding') !== undefined
  const held = toBodyBytes(request.header('content-length'), isPacked, limit)
  budget.take(trace.workspaceId, held)
  trace.bodyBytes = held
  const bytes = await readBytes(request, limit)
  budget.give(trace.workspaceId, held - bytes.length)
  trace.bodyBytes = bytes.length
  if (rawBodies.has(name)) return bytes
  const empty = bytes.length === 0 && route.bodyOptional === true
  if (!empty) requireJson(request)
  const parsed = route.body?.safeParse(empty ? {} : parseObject(bytes))
  if (parsed && !parsed.success) throw toValidationError(toFaults(parsed.error))
  return parsed?.data
}
