import { z } from 'zod'
import { JsonObject } from './event.ts'
import { Slug } from './inbox.ts'

const day = 86_400

const settings = {
  integration: Slug,
  polling_trigger: z.string().min(1).max(100).describe('its name in the integration'),
  connection: Slug.nullable(),
  inputs: JsonObject,
  interval_seconds: z
    .int()
    .min(5)
    .max(30 * day)
    .describe('default that of the integration'),
  first_poll: z
    .enum(['prime', 'emit'])
    .describe('what is there at the first poll: `prime` (default) takes note of it, `emit` publishes it'),
  look_back_seconds: z
    .int()
    .min(0)
    .max(30 * day)
    .describe('how far before the last poll a poll asks again, for records that a service shows late; default 300'),
}

/** The body of PUT. */
export const PutTrigger = z
  .strictObject({
    integration: settings.integration,
    polling_trigger: settings.polling_trigger,
    connection: Slug.optional(),
    inputs: settings.inputs.optional(),
    interval_seconds: settings.interval_seconds.optional(),
    first_poll: settings.first_poll.optional(),
    look_back_seconds: settings.look_back_seconds.optional(),
  })
  .meta({ id: 'PutTrigger' })
export type PutTrigger = z.infer<typeof PutTrigger>

export const Trigger = z
  .object({
    key: Slug,
    ...settings,
    status: z.enum(['active', 'paused']),
    primed: z.boolean().describe('the first poll is done'),
    failures: z.int().describe('polls that failed in a row; each doubles the wait, up to an hour'),
    last_error: z.string().nullable(),
    last_poll_at: z.string().nullable().describe('when the last good poll began'),
    next_poll_at: z.string(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({
    id: 'Trigger',
    description: 'a polling trigger at work: its new records become events `<integration>.<polling_trigger>`',
  })
export type Trigger = z.infer<typeof Trigger>

export const Poll = z
  .object({
    at: z.string(),
    ms: z.int(),
    outcome: z
      .enum(['good', 'failed', 'superseded'])
      .describe('`superseded`: the trigger was changed meanwhile; nothing of it counts'),
    found: z.int().describe('records that the service gave'),
    published: z.int().describe('of those, new ones that became events'),
    error: z.string().nullable(),
  })
  .meta({ id: 'Poll' })
export type Poll = z.infer<typeof Poll>
