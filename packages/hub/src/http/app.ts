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
import { createAuth, isAllowed, limitRate, type Auth, type Identified } from './auth.ts'
import { readBytes, requireJson } from './body.ts'
import { createClientAddress } from './client-address.ts'
import { createCors } from './cors.ts'
import { deadLetterHandlers } from './dead-letters.ts'
import { eventHandlers } from './events.ts'
import type { HubRequest, HubResponse } from './exchange.ts'
import { rawBodies, type Call, type Handlers } from './handlers.ts'
import { inboxHandlers } from './inboxes.ts'
import { keyHandlers } from './keys.ts'
import { createMetrics } from './metrics.ts'
import { openHandlers } from './open.ts'
import { toProblem } from './problem.ts'
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
type Trace = { route: RouteName | undefined; readonly fields: Record<string, string> }

type Parts = {
  readonly context: Context
  readonly auth: Auth
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
    ...workspaceHandlers(context),
  }
  const parts: Parts = { context, auth, handlers, find: createRouter() }

  return async (request) => {
    const startedMs = performance.now()
    const correlationId = toRequestId(request.header('x-request-id'))
    const trace: Trace = { route: undefined, fields: { 'x-request-id': correlationId } }
    let response: HubResponse
    try {
      response = cors.preflight(request) ?? (await answer(parts, request, trace))
    } catch (error) {
      if (!(error instanceof HubError) || error.status >= 500) logFailure(logger, error, { request, correlationId })
      response = toProblem(error, { instance: request.path.slice(0, 1000), correlationId })
    }
    Object.assign(response.headers, trace.fields)
    cors.allow(request, response.headers)
    const seconds = (performance.now() - startedMs) / 1000
    metrics.note({ route: trace.route, method: request.method, status: response.status, seconds })
    return response
  }
}

/** The caller's own, if it is fit to stand in logs and fields; else a new one. */
function toRequestId(given: string | undefined): string {
  return given !== undefined && /^[\w.:/+=@-]{1,128}$/.test(given) ? given : randomUUID()
}

/** The query stays out of the log: it may hold a ticket. */
function logFailure(
  logger: Logger,
  error: unknown,
  { request, correlationId }: { request: HubRequest; correlationId: string },
): void {
  const details = {
    err: error,
    method: request.method,
    path: request.path.slice(0, 1000),
    correlation_id: correlationId,
  }
  if (error instanceof HubError && error.cause === undefined) logger.debug(details, error.message)
  else logger.error(details, 'a request failed')
}

async function answer(
  { context, auth, handlers, find }: Parts,
  request: HubRequest,
  trace: Trace,
): Promise<HubResponse> {
  if (context.notifier.isClosed()) throw new HubError('shutting-down', 'this node is stopping; send the request again')
  const { name, params } = find(request.method, request.path)
  trace.route = name
  const route: Route = routes[name]
  const identified =
    route.access === 'open' ? undefined : await letIn(context, auth, { route, name, params, request, trace })
  const query = route.access === 'open' && !route.query ? {} : parseQuery(request.queryText, route.query)
  const body = route.body ? await readBody(request, name, route) : undefined
  const call = {
    request,
    params,
    query,
    body,
    principal: identified?.principal,
    isStillAllowed: async (permission: Permission) =>
      identified !== undefined && isAllowed(identified.again, permission),
  }
  // The table pairs each name with its handler, and the schemas of that very route have just made query and body.
  return (handlers[name] as (call: Call<RouteName>) => HubResponse | Promise<HubResponse>)(call as Call<RouteName>)
}

type Entrance = Match & { readonly route: Route; readonly request: HubRequest; readonly trace: Trace }

async function letIn(
  context: Context,
  auth: Auth,
  { route, name, params, request, trace }: Entrance,
): Promise<Identified> {
  const identified = await auth.identify(request, name === 'streamInbox' ? params['inbox'] : undefined)
  await limitRate(context, identified.principal, trace.fields)
  if (route.access !== 'open') requirePermission(identified.principal, route.access)
  return identified
}

async function readBody(request: HubRequest, name: RouteName, route: Route): Promise<unknown> {
  if (rawBodies.has(name)) return readBytes(request, name === 'publishBatch' ? limits.batchBytes : limits.bodyBytes)
  const bytes = await readBytes(request, limits.bodyBytes)
  const empty = bytes.length === 0 && route.bodyOptional === true
  if (!empty) requireJson(request)
  const parsed = route.body?.safeParse(empty ? {} : parseObject(bytes))
  if (parsed && !parsed.success) throw toValidationError(toFaults(parsed.error))
  return parsed?.data
}
