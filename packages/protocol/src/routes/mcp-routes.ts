import { z } from 'zod'
import { McpMessage } from '../mcp.ts'
import { Problem } from '../problem.ts'
import type { Route } from '../route.ts'

const McpError = Problem.extend({
  jsonrpc: z.literal('2.0'),
  id: z.null(),
  error: z.object({ code: z.int(), message: z.string() }),
}).meta({ id: 'McpError' })

/** The Model Context Protocol, for agents. Nothing is sent without being asked for, so there is no stream to GET. */
export const mcpRoutes = {
  callMcp: {
    method: 'POST',
    path: '/mcp',
    summary:
      'One message of the Model Context Protocol: actions of integrations as tools; calls are answered as a stream',
    access: 'act',
    dialect: 'mcp',
    body: McpMessage,
    answers: {
      200: { description: 'the answer; a stream of messages for tools/call', schema: McpMessage },
      202: { description: 'a notification was taken' },
    },
    error: McpError,
  },
} as const satisfies Record<string, Route>
