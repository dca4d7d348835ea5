import type { Server } from '@modelcontextprotocol/sdk/server/index.js'
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import type { Principal } from '../../domain/authenticate.ts'
import type { Context } from '../../domain/context.ts'
import type { ToolResult } from '../../domain/mcp/tool.ts'
import { callTool, listTools } from '../../domain/mcp/tools.ts'
import { reportProgress } from './progress.ts'

/** The SDK takes a third of a second to load: it is loaded with the first message. */
export async function loadSdk() {
  const [{ Server: McpServer }, types] = await Promise.all([
    import('@modelcontextprotocol/sdk/server/index.js'),
    import('@modelcontextprotocol/sdk/types.js'),
  ])
  return { McpServer, ...types }
}

export type Sdk = Awaited<ReturnType<typeof loadSdk>>

export type ServerOptions = {
  readonly sdk: Sdk
  readonly context: Context
  readonly principal: Principal
  readonly version: string
  /** @returns the id under which the log holds it */
  readonly logFailure: (error: unknown) => string
}

const instructions =
  'Tools run actions in outside services, each with the credentials of a connection that a person has made. A failure says what to do.'

/** The SDK's server for one request of one key. It remembers nothing from one request to the next. */
export function createServer({ sdk, context, principal, version, logFailure }: ServerOptions): Server {
  const { McpServer, ListToolsRequestSchema, CallToolRequestSchema, McpError, ErrorCode } = sdk
  const server = new McpServer(
    { name: 'sluice', title: 'Sluice', version },
    { capabilities: { tools: {} }, instructions, jsonSchemaValidator: noValidator },
  )
  const guarded = async <Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work()
    } catch (error) {
      if (error instanceof McpError || signal.aborted) throw error
      // The SDK would send the text of any error, and this one may tell of what is inside.
      throw new McpError(ErrorCode.InternalError, `the hub failed; its log holds the cause under ${logFailure(error)}`)
    }
  }
  server.setRequestHandler(ListToolsRequestSchema, (_, { signal }) =>
    guarded(signal, async () => ({ tools: (await listTools(context, principal)).map((tool) => ({ ...tool })) })),
  )
  server.setRequestHandler(CallToolRequestSchema, ({ params }, { signal, sendNotification, _meta: meta }) =>
    guarded(signal, async () => {
      using progress = reportProgress(meta?.progressToken, sendNotification)
      const call = {
        name: params.name,
        inputs: params.arguments ?? {},
        signal,
        onProgress: progress.onProgress,
        dryRun: meta?.['sluice/dry_run'] === true,
      }
      const result = await callTool(context, principal, call)
      if (result) return toCallToolResult(result)
      throw new McpError(ErrorCode.InvalidParams, `there is no tool "${params.name.slice(0, 200)}" for this key`)
    }),
  )
  return server
}

/** The one of the SDK is made anew for each server, and checks only what this server never asks of a client. */
const noValidator = {
  getValidator: () => {
    throw new Error('nothing is elicited here')
  },
}

function toCallToolResult({ text, data, isError, costUsd }: ToolResult): CallToolResult {
  return {
    content: [{ type: 'text', text }],
    ...(data && { structuredContent: { ...data } }),
    ...(isError === true && { isError }),
    ...(costUsd !== undefined && { _meta: { 'sluice/cost_usd': costUsd } }),
  }
}
