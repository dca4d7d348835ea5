import type { Key, KeyStatus, Role } from '@sluice/protocol'

export type KeyRow = {
  readonly keyId: string
  readonly workspaceId: number
  readonly secretHash: string
  /** the secret before the last rotation, while it still works */
  readonly previousHash: string | null
  readonly previousUntilMs: number | null
  readonly userId: string
  readonly userEmail: string | null
  readonly role: Role
  readonly allowedEventTypes: Key['allowed_event_types']
  readonly allowedActions: Key['allowed_actions']
  readonly rateLimit: number | null
  readonly expiresMs: number | null
  readonly status: KeyStatus
  readonly createdMs: number
  readonly lastUsedMs: number | null
  /** what it signs requests with; null for a key that never did */
  readonly hmac: KeyHmac | null
}

type KeyHmac = {
  /** requests without a signature are refused */
  readonly required: boolean
  /** the newest first; not empty */
  readonly secrets: readonly SealedSecret[]
}

export type SealedSecret = {
  readonly sealed: string
  /** of a secret that was rotated away; null for that of now */
  readonly untilMs: number | null
}

export type AuditRow = {
  readonly id: number
  readonly workspaceId: number
  readonly atMs: number
  readonly actor: string
  readonly verb: string
  readonly target: string
  readonly details: Record<string, unknown>
}

export type RateState = { readonly allowed: boolean; readonly remaining: number; readonly resetSeconds: number }
