import { z } from 'zod'
import { JsonObject } from './event.ts'

/** One message of the Model Context Protocol: JSON-RPC 2.0. A request has `id` and `method`, a notification no `id`. */
export const McpMessage = z
  .object({
    jsonrpc: z.literal('2.0'),
    id: z.union([z.string().max(200), z.int()]).optional(),
    method: z.string().min(1).max(200).optional(),
    params: JsonObject.optional(),
    result: JsonObject.optional(),
    error: JsonObject.optional(),
  })
  .meta({ id: 'McpMessage' })
export type McpMessage = z.infer<typeof McpMessage>
