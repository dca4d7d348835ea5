import type { JSONRPCRequest } from '@modelcontextprotocol/sdk/types.js'
import { toValidationError, type McpMessage } from '@sluice/protocol'
import type { Context } from '../../domain/context.ts'
import type { Dialect } from '../dialects/dialect.ts'
import type { Call, Handlers } from '../call.ts'
import { json, type HubRequest, type HubResponse } from '../exchange.ts'
import { toProblemParts } from '../problem.ts'
import { createConversation, type Conversation } from './conversation.ts'
import { createOriginCheck, type OriginOptions } from './origin.ts'
import { createServer, loadSdk, type Sdk } from './server.ts'
import { createSession, requireSession } from './sessions.ts'

/** Failures of HTTP are problems too, with what JSON-RPC wants beside. */
export const mcpDialect: Dialect = {
  speaks: (path) => path === '/mcp',
  toError: (error, context) => {
    const { problem, fields } = toProblemParts(error, context)
    const { status, message } = problem
    const answer = json(status, { jsonrpc: '2.0', id: null, error: { code: toCode(status), message }, ...problem })
    return { ...answer, headers: { ...fields, ...answer.headers } }
  },
}

/** As JSON-RPC numbers them: invalid request, internal error, and the first that is free for servers. */
const toCode = (status: number): number => (status === 400 ? -32_600 : status === 500 ? -32_603 : -32_000)

export type McpOptions = OriginOptions & {
  readonly context: Context
  readonly version: string
  readonly logger: { readonly error: (details: object, message: string) => void }
}

/** Ends of the calls under way on this node, by session and id of the request. */
type Running = Map<string, () => Promise<void>>

export function mcpHandlers(options: McpOptions): Pick<Handlers, 'callMcp'> {
  const { context } = options
  const requireOrigin = createOriginCheck(options)
  const running: Running = new Map()
  return {
    callMcp: async (call) => {
      const { request, principal, body } = call
      requireOrigin(request)
      const session = request.header('mcp-session-id')
      requireSession(context, principal, session)
      if (body.id === undefined || body.method === undefined) {
        await takeNotification(running, session, body)
        return { status: 202, headers: {}, body: null }
      }
      const sdk = await loadSdk()
      const wanted = toRequest(sdk, request, body)
      const fault = findParamsFault(sdk, wanted)
      if (fault === undefined) return converse(options, { call, sdk, running, request: wanted })
      return json(200, { jsonrpc: '2.0', id: wanted.id, error: { code: sdk.ErrorCode.InvalidParams, message: fault } })
    },
  }
}

function toRequest(sdk: Sdk, { header }: HubRequest, { jsonrpc, id, method, params }: McpMessage): JSONRPCRequest {
  const version = header('mcp-protocol-version')
  if (version !== undefined && method !== 'initialize' && !sdk.SUPPORTED_PROTOCOL_VERSIONS.includes(version))
    throw toValidationError([
      {
        pointer: 'header.MCP-Protocol-Version',
        detail: `must be one of ${sdk.SUPPORTED_PROTOCOL_VERSIONS.join(', ')}`,
      },
    ])
  const request: unknown = { jsonrpc, id, method, ...(params && { params }) }
  // The server passes over what it does not know without an answer.
  if (sdk.isJSONRPCRequest(request)) return request
  throw toValidationError([{ pointer: '/params/_meta', detail: 'is not as the protocol has it' }])
}

/** The SDK's server would take them for a failure of its own. */
function findParamsFault(sdk: Sdk, request: JSONRPCRequest): string | undefined {
  const schemas = [sdk.InitializeRequestSchema, sdk.ListToolsRequestSchema, sdk.CallToolRequestSchema]
  const parsed = schemas.find((schema) => schema.shape.method.value === request.method)?.safeParse(request)
  if (!parsed || parsed.success) return undefined
  return parsed.error.issues.map(({ path, message }) => `/${path.join('/')}: ${message}`).join('; ')
}

/** To be cancelled is all that clients have to say. */
async function takeNotification(running: Running, session: string | undefined, message: McpMessage): Promise<void> {
  if (message.method !== 'notifications/cancelled' || session === undefined) return
  await running.get(toPlace(session, message.params?.['requestId']))?.()
}

const toPlace = (session: string, id: unknown): string => `${session} ${JSON.stringify(id)}`

type Request = {
  readonly call: Call<'callMcp'>
  readonly sdk: Sdk
  readonly running: Running
  readonly request: JSONRPCRequest
}

async function converse(options: McpOptions, { call, sdk, running, request }: Request): Promise<HubResponse> {
  const { context, version, logger } = options
  const { principal } = call
  const logFailure = (error: unknown): string => {
    const id = context.newId()
    logger.error({ err: error, correlation_id: id }, 'a tool failed')
    return id
  }
  const server = createServer({ sdk, context, principal, version, logFailure })
  const session = call.request.header('mcp-session-id')
  const place = session === undefined ? '' : toPlace(session, request.id)
  const conversation = createConversation(request, () => running.delete(place))
  await server.connect(conversation.transport)
  if (place !== '') running.set(place, () => server.close())
  conversation.transport.onmessage?.(request)
  const opened = request.method === 'initialize' ? { 'mcp-session-id': createSession(context, principal) } : {}
  if (wantsStream(call.request, request.method))
    return { status: 200, headers: { ...streamFields, ...opened }, body: toFrames(conversation) }
  return toWhole(conversation, opened)
}

const streamFields: HubResponse['headers'] = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  // Proxies of the nginx family hold back what they think is a page.
  'x-accel-buffering': 'no',
}

/** Only calls take long, and say something on the way. */
function wantsStream({ header }: HubRequest, method: string): boolean {
  const accept = header('accept') ?? ''
  if (!accept.includes('text/event-stream')) return false
  return method === 'tools/call' || !accept.includes('application/json')
}

/** Proxies cut connections on which nothing has moved for a while. */
const keepAliveMs = 15_000

/** Whoever leaves does not cancel: the protocol says so, and half of an action may be worse than all of it. */
async function* toFrames({ next }: Conversation): AsyncGenerator<string> {
  // The head of an answer leaves with the first piece of its body.
  yield ': the answer follows\n\n'
  for (;;) {
    const message = await next(keepAliveMs)
    if (message === undefined) return
    yield message === 'idle' ? ': still here\n\n' : `event: message\ndata: ${JSON.stringify(message)}\n\n`
  }
}

/** The answer alone; nothing for what was cancelled. */
async function toWhole({ next }: Conversation, headers: Record<string, string>): Promise<HubResponse> {
  for (;;) {
    const message = await next(keepAliveMs)
    if (message === undefined) return { status: 202, headers, body: null }
    if (message === 'idle' || 'method' in message) continue
    const answer = json(200, message)
    return { ...answer, headers: { ...answer.headers, ...headers } }
  }
}
