import { IdempotencyKey, permissionsOf, toFaults, toValidationError } from '@sluice/protocol'
import type { Principal } from '../authenticate.ts'
import type { Context } from '../context.ts'
import { publishEvent } from '../publish.ts'
import { ownNames } from './tool-names.ts'
import type { Tool, ToolCall, ToolResult } from './tool.ts'

const text = (description: string): object => ({ type: 'string', minLength: 1, maxLength: 255, description })

export const publishTool: Tool = {
  name: ownNames.publish,
  title: 'Publish an event',
  description: 'Publishes one event on this hub, for every inbox that it concerns.',
  inputSchema: {
    type: 'object',
    properties: {
      event_type: text('as order.created'),
      payload: { type: 'object', description: 'what happened; at most 256 KB' },
      source: text('where it happened'),
      subject: text('what it happened to'),
      correlation_id: text('what it belongs to'),
      occurred_at: { type: 'string', format: 'date-time' },
      idempotency_key: text('the same key for the same event: it is stored once'),
    },
    required: ['event_type', 'payload'],
    additionalProperties: false,
  },
}

export const mayPublish = ({ role }: Principal): boolean => permissionsOf[role].includes('publish')

/** @throws HubError as `publishEvent` */
export async function callPublish(
  context: Context,
  principal: Principal,
  inputs: ToolCall['inputs'],
): Promise<ToolResult> {
  const { idempotency_key: key, ...event } = inputs
  const parsed = IdempotencyKey.optional().safeParse(key)
  if (!parsed.success) throw toValidationError(toFaults(parsed.error, '/idempotency_key'))
  const published = await publishEvent(context, principal, {
    bytes: Buffer.from(JSON.stringify(event)),
    ...(parsed.data !== undefined && { idempotencyKey: parsed.data }),
  })
  const { eventId, timestamp, status } = published
  return { text: JSON.stringify({ event_id: eventId, timestamp, status }) }
}
