import { z } from 'zod'
import { shortText } from './event.ts'
import { Slug } from './inbox.ts'

export const Role = z.enum(['admin', 'creator', 'publisher', 'consumer', 'viewer'])
export type Role = z.infer<typeof Role>

/**
 * What a route asks of a key. `inbox` is consuming; `inbox-read` is looking at inboxes without changing them; `event-types` is
 * looking at definitions, which everybody may: publishers check by them, consumers read by them. `self` is asking about oneself.
 */
export type Permission =
  | 'self'
  | 'publish'
  | 'read'
  | 'inbox'
  | 'inbox-read'
  | 'event-types'
  | 'act'
  | 'admin'
  | 'instance'

/** `instance` (workspaces) belongs to administrators of the workspace `default` only; `http/auth.ts` checks that. */
export const permissionsOf: Record<Role, readonly Permission[]> = {
  admin: ['self', 'publish', 'read', 'inbox', 'inbox-read', 'event-types', 'act', 'admin', 'instance'],
  creator: ['self', 'publish', 'read', 'inbox', 'inbox-read', 'event-types', 'act'],
  publisher: ['self', 'publish', 'event-types'],
  consumer: ['self', 'inbox', 'inbox-read', 'event-types'],
  viewer: ['self', 'read', 'inbox-read', 'event-types'],
}

export const KeyStatus = z.enum(['active', 'inactive', 'revoked'])
export type KeyStatus = z.infer<typeof KeyStatus>

const settings = {
  user_id: shortText(),
  user_email: shortText(320).nullable(),
  role: Role,
  allowed_event_types: z.array(shortText()).max(100).nullable().describe('globs, enforced on publish; null allows all'),
  allowed_actions: z.array(shortText()).max(100).nullable().describe('globs; null allows all'),
  rate_limit: z
    .int()
    .min(1)
    .max(10_000_000)
    .nullable()
    .describe('requests a minute, a batch is one; null is unlimited'),
  expires_at: z.iso.datetime({ offset: true }).nullable(),
}

export const Key = z
  .object({
    key_id: z.string(),
    workspace: Slug,
    ...settings,
    status: KeyStatus,
    hmac: z.boolean().describe('it has a secret to sign requests with'),
    require_hmac: z.boolean().describe('requests without a signature are refused'),
    created_at: z.string(),
    last_used_at: z.string().nullable().describe('to the minute'),
  })
  .meta({ id: 'Key' })
export type Key = z.infer<typeof Key>

export const NewKey = z
  .strictObject({
    user_id: settings.user_id,
    user_email: settings.user_email.optional(),
    role: Role.optional().describe('default creator'),
    workspace: Slug.optional().describe("default the caller's own; another one only for instance administrators"),
    allowed_event_types: settings.allowed_event_types.optional(),
    allowed_actions: settings.allowed_actions.optional(),
    rate_limit: settings.rate_limit.optional(),
    expires_at: settings.expires_at.optional(),
    hmac: z.boolean().optional().describe('with a secret to sign requests with'),
    require_hmac: z.boolean().optional().describe('refuse requests without a signature; takes hmac'),
  })
  .refine(({ hmac, require_hmac: required }) => hmac === true || required !== true, {
    path: ['require_hmac'],
    message: 'takes "hmac": true',
  })
  .meta({ id: 'NewKey' })
export type NewKey = z.infer<typeof NewKey>

export const PatchKey = z
  .strictObject({
    ...settings,
    status: z.enum(['active', 'inactive']),
    require_hmac: z.boolean().describe('refuse requests without a signature'),
  })
  .partial()
  .meta({ id: 'PatchKey' })
export type PatchKey = z.infer<typeof PatchKey>

export const RotateKey = z
  .strictObject({
    overlap_seconds: z
      .int()
      .min(0)
      .max(30 * 86_400)
      .optional()
      .describe('how long the old secret still works; default 0'),
    hmac: z.boolean().optional().describe('the HMAC secret instead of the API key; makes the first one too'),
  })
  .meta({ id: 'RotateKey' })
export type RotateKey = z.infer<typeof RotateKey>

const shownOnce = z.string().describe('shown once')

export const KeyWithSecret = Key.extend({ api_key: shownOnce, hmac_secret: shownOnce.optional() }).meta({
  id: 'KeyWithSecret',
})
export type KeyWithSecret = z.infer<typeof KeyWithSecret>

export const RotatedKey = Key.extend({ api_key: shownOnce.optional(), hmac_secret: shownOnce.optional() }).meta({
  id: 'RotatedKey',
  description: 'a key with its new secret: the API key or, where asked for, the HMAC secret',
})
export type RotatedKey = z.infer<typeof RotatedKey>

/** `slk_<key id>_<secret>`: the id is 16 hex digits, the secret 256 random bits in base64url. */
export function parseApiKey(text: string): { keyId: string; secret: string } | undefined {
  const match = /^slk_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/.exec(text)
  return match?.[1] && match[2] ? { keyId: match[1], secret: match[2] } : undefined
}

export const AuditEntry = z
  .object({
    at: z.string(),
    actor: z.string().describe('key id, or `cli`'),
    verb: z.string(),
    target: z.string(),
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'AuditEntry' })
export type AuditEntry = z.infer<typeof AuditEntry>
