import { z } from 'zod'

/** What can stand in a field of HTTP. */
const fieldValue = z
  .string()
  .max(4096)
  .regex(/^[\x20-\x7e]*$/, 'must be printable ASCII')
const ownFields = /^(host|content-length|content-type|connection|transfer-encoding|user-agent|traceparent|webhook-.*)$/i

export const WebhookSecret = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'must be whsec_ and 24 to 64 bytes as base64')

/** Where the hub sends each event of an inbox. */
export const InboxPush = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/, error: 'must be an address that begins with https:// or http://' })
      .max(2000)
      .refine(
        (url) => !new URL(url).username && !new URL(url).password,
        'must not hold a user name or password; use headers',
      ),
    secret: WebhookSecret.optional().describe('signs each request; made by the hub if left out. Never shown again'),
    headers: z
      .record(
        z
          .string()
          .max(100)
          .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be the name of a field')
          .refine((name) => !ownFields.test(name), 'is the hub’s own'),
        fieldValue,
      )
      .refine((headers) => Object.keys(headers).length <= 20, 'must have at most 20 fields')
      .optional()
      .describe('sent with each request; never shown again'),
    format: z.enum(['standard-webhooks', 'cloudevents']).optional().describe('default `standard-webhooks`'),
    concurrency: z.int().min(1).max(100).optional().describe('requests at a time, on all nodes together; default 8'),
    rate: z.number().min(0.01).max(1000).optional().describe('requests a second at most; default as many as there are'),
    timeout_seconds: z.int().min(1).max(60).optional().describe('for a whole answer; default 15'),
  })
  .meta({ id: 'InboxPush' })
export type InboxPush = z.infer<typeof InboxPush>

export const RotateSecret = z
  .strictObject({
    secret: WebhookSecret.optional().describe('made by the hub if left out'),
    overlap_seconds: z
      .int()
      .min(0)
      .max(30 * 86_400)
      .optional()
      .describe('how long requests are signed with the old secret, too; default 86,400'),
  })
  .meta({ id: 'RotateSecret' })
export type RotateSecret = z.infer<typeof RotateSecret>

export const PushSecret = z.object({ secret: z.string().describe('shown once') }).meta({ id: 'PushSecret' })

export const PushTested = z
  .object({
    ok: z.boolean(),
    result: z.string().describe('`http-200` and its like, or what went wrong on the way'),
    detail: z.string().nullable().describe('the beginning of the answer, or the error'),
    ms: z.int(),
  })
  .meta({ id: 'PushTested' })
export type PushTested = z.infer<typeof PushTested>
