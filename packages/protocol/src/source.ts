import { z } from 'zod'
import { limits, shortText } from './event.ts'
import { reservedPrefix } from './glob.ts'
import { Slug } from './inbox.ts'
import {
  findHmacFaults,
  hmacAlgorithms,
  secretEncodings,
  signatureEncodings,
  webhookSchemes,
} from './webhooks/scheme.ts'

export const SourceScheme = z.enum(webhookSchemes).describe('who sends, and how it is signed; `hmac`: as `hmac` says')

/** The name of a field of HTTP. */
const fieldName = z.string().regex(/^[A-Za-z0-9_-]{1,100}$/, 'must be the name of a field: letters, digits, - and _')

export type SourceScheme = z.infer<typeof SourceScheme>

export const SourceHmac = z
  .strictObject({
    header: fieldName.describe('field with the signature, or several with blanks or commas between'),
    prefix: z.string().max(20).optional().describe('in front of each signature, as `sha256=`'),
    algorithm: z.enum(hmacAlgorithms).optional().describe('default sha256'),
    encoding: z.enum(signatureEncodings).optional().describe('of the signature; default hex, in lower case'),
    template: z
      .string()
      .max(500)
      .optional()
      .describe('what is signed: {body}, and {timestamp} {id} {method} {path} {url} where they are; default {body}'),
    timestamp_header: fieldName.optional().describe('seconds or milliseconds since 1970, or ISO 8601'),
    id_header: fieldName.optional(),
    tolerance_seconds: z.int().min(1).max(86_400).optional().describe('default 300'),
    secret_encoding: z
      .enum(secretEncodings)
      .optional()
      .describe('what the text of the secret stands for; default text'),
  })
  .superRefine((hmac, context) => {
    for (const { member, detail } of findHmacFaults(hmac))
      context.addIssue({ code: 'custom', path: [member], message: detail })
  })
  .meta({ id: 'SourceHmac', description: 'a signature that no named scheme describes' })
export type SourceHmac = z.infer<typeof SourceHmac>

/** Where something stands in a webhook. */
export const SourceRule = z
  .union([
    z.strictObject({ header: fieldName }),
    z.strictObject({
      pointer: z
        .string()
        .max(500)
        .regex(/^(?:\/(?:[^~]|~[01])*)$/, 'must be a JSON Pointer into the body, as /data/id'),
    }),
    z.strictObject({ constant: shortText() }),
  ])
  .meta({ id: 'SourceRule', description: 'a field of the request, a JSON Pointer into its body, or a constant' })
export type SourceRule = z.infer<typeof SourceRule>

export const SourceHandshake = z
  .enum(['none', 'slack', 'cloudevents', 'challenge'])
  .describe(
    'how the sender asks whether it may send: `slack` posts url_verification, signed; `cloudevents` sends OPTIONS with WebHook-Request-Origin; `challenge` sends GET with `challenge`, `hub.challenge` or `validationToken` and wants it back',
  )

export type SourceHandshake = z.infer<typeof SourceHandshake>

/** What is larger would not fit into a lease beside anything else. */
const sourceBytesMax = 10 * 1024 * 1024

const settings = {
  scheme: SourceScheme,
  hmac: SourceHmac.nullable().describe('for scheme `hmac`, and only for it'),
  event_type: SourceRule.nullable().describe('what the type is made of; null, or what is not there: `received`'),
  id: SourceRule.nullable().describe(
    "the sender's id of the message, by which repetitions are known; null: it has none",
  ),
  event_type_prefix: z
    .string()
    .max(100)
    .refine((text) => text === '' || shortText(100).safeParse(text).success, 'must not hold control characters')
    .refine((text) => !text.startsWith(reservedPrefix), 'event types beginning with "sluice." are reserved for the hub')
    .describe("in front of the type; default the source's key and a dot"),
  max_bytes: z.int().min(1).max(sourceBytesMax).describe('of a body, unpacked; default 5 MiB'),
  handshake: SourceHandshake,
}

export const SourceSettings = z.strictObject(settings)
export type SourceSettings = z.infer<typeof SourceSettings>

const secret = z.string().min(1).max(1000)
const secrets = {
  secret: secret
    .optional()
    .describe('as the sender shows it; of `basic`, user:password; of Standard Webhooks `whpk_…`, too'),
  secrets: z.array(secret).min(1).max(10).optional().describe('several count at once'),
}

const oneOf = 'takes `secret` or `secrets`, not both'

/** The body of PUT: what is left out takes the default of its scheme; only what is sent is compared with a source that exists. */
export const PutSource = SourceSettings.partial()
  .extend({ scheme: SourceScheme, ...secrets })
  .refine((wanted) => wanted.secret === undefined || wanted.secrets === undefined, {
    path: ['secrets'],
    message: oneOf,
  })
  .meta({ id: 'PutSource' })
export type PutSource = z.infer<typeof PutSource>

export const PatchSource = SourceSettings.partial()
  .extend({
    ...secrets,
    overlap_seconds: z
      .int()
      .min(0)
      .max(30 * 86_400)
      .optional()
      .describe('with new secrets: those of before count for so long; default 0'),
  })
  .refine((wanted) => wanted.secret === undefined || wanted.secrets === undefined, {
    path: ['secrets'],
    message: oneOf,
  })
  .meta({ id: 'PatchSource' })
export type PatchSource = z.infer<typeof PatchSource>

export const Source = z
  .object({
    key: Slug,
    address: z.string().describe('where the sender posts to, on this hub'),
    ...settings,
    secrets: z
      .array(z.object({ created_at: z.string(), until: z.string().nullable() }))
      .describe('those that count; what they are is not shown'),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Source', description: 'an address that takes webhooks from outside' })
export type Source = z.infer<typeof Source>

/**
 * What became of a request: stored, stored before, kept back by its schema, answered as a handshake; not signed, signed in a form
 * that cannot be read, too old or too new, signed by nobody known; too large, unreadable, refused by its schema, not stored.
 */
export const SourceOutcome = z.enum([
  'accepted',
  'duplicate',
  'quarantined',
  'handshake',
  'unsigned',
  'malformed',
  'stale',
  'mismatch',
  'too-large',
  'unreadable',
  'refused',
  'failed',
])
export type SourceOutcome = z.infer<typeof SourceOutcome>

export const SourceFailure = z
  .object({
    at: z.string(),
    outcome: SourceOutcome,
    cause: z.string().nullable().describe('what is at the bottom of it, as far as it was found out'),
    reason: z.string().describe('what is wrong, and what to do'),
  })
  .meta({ id: 'SourceFailure' })
export type SourceFailure = z.infer<typeof SourceFailure>

const outcomeCounts = z.partialRecord(SourceOutcome, z.int())

export const SourceReport = z
  .object({
    key: Slug,
    since: z.string(),
    total: outcomeCounts,
    hours: z
      .array(z.object({ hour: z.string(), outcomes: outcomeCounts }))
      .describe('those with requests, newest first'),
    failures: z.array(SourceFailure).describe('the last ones, newest first; at most 50'),
  })
  .meta({ id: 'SourceReport' })
export type SourceReport = z.infer<typeof SourceReport>

export const SourceExample = z
  .object({
    address: z.string(),
    headers: z.record(z.string(), z.string()),
    body: z.string(),
  })
  .meta({ id: 'SourceExample', description: 'a request as its sender would make it, signed just now' })
export type SourceExample = z.infer<typeof SourceExample>

/** Answer to a webhook that was taken. */
export const WebhookAccepted = z
  .object({ event_id: z.string(), timestamp: z.string(), status: z.enum(['accepted', 'duplicate', 'quarantined']) })
  .meta({ id: 'WebhookAccepted' })
export type WebhookAccepted = z.infer<typeof WebhookAccepted>

export const sourceDefaults = { maxBytes: limits.batchBytes } as const
