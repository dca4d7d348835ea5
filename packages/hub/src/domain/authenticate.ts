import { timingSafeEqual } from 'node:crypto'
import { HubError, defaultWorkspace, parseApiKey, permissionsOf, type Permission, type Role } from '@sluice/protocol'
import type { KeyRow, RateState, Store } from '../store/store.ts'
import type { KeyAdmin } from './keys.ts'
import { hashSecret } from './keys.ts'
import { toSecretMark, type SessionClaim } from './sessions.ts'
import { refuseStranger, requireSignature } from './verify-request.ts'

/** Whoever has shown a valid key. */
export type Principal = KeyAdmin & {
  readonly keyId: string
  readonly role: Role
  readonly userId: string
  readonly allowedEventTypes: readonly string[] | null
  /** globs over `integration.action`; null allows all */
  readonly allowedActions: readonly string[] | null
  /** requests a minute; null is unlimited */
  readonly rateLimit: number | null
  /** of this request, once it is proven: it stands in for an idempotency key that was not given */
  readonly signature?: string
}

export type Authenticator = {
  /**
   * @param isSigned a signature stands beside the key, and is proven elsewhere
   * @throws HubError `unauthorized`, `key-inactive`, `key-revoked`, `key-expired`; `signature-refused` for a key that must sign
   */
  readonly authenticate: (apiKey: string, isSigned: boolean) => Promise<Principal>
  /** For what was signed on behalf of a key: the same checks without its secret. */
  readonly authenticateById: (keyId: string) => Promise<Principal>
  /** For a browser that showed the key when it signed in: the secret that it showed must still be the key's. */
  readonly authenticateSession: (session: SessionClaim) => Promise<Principal>
}

type Deps = {
  readonly store: Store
  readonly onError: (error: unknown) => void
}

/** Digests of keys that were good once: paying for SHA-256 on every request would cost more than routing it. */
const rememberedKeys = 10_000
const lastUsedEveryMs = 60_000

export function createAuthenticator({ store, onError }: Deps): Authenticator {
  const digests = new Map<string, { readonly keyId: string; readonly hash: string }>()
  const touched = new Map<string, number>()

  const touch = ({ keyId, lastUsedMs }: KeyRow, now: number): void => {
    if (now - (touched.get(keyId) ?? lastUsedMs ?? 0) < lastUsedEveryMs) return
    if (touched.size >= rememberedKeys) touched.clear()
    touched.set(keyId, now)
    store.updateKey(keyId, { lastUsedMs: now }).catch(onError)
  }

  const toPrincipal = async (key: KeyRow): Promise<Principal> => {
    const now = store.nowMs()
    refuseUnusable(key, now)
    const workspace = await store.findWorkspaceById(key.workspaceId)
    if (!workspace) throw refuseStranger()
    touch(key, now)
    const isInstanceAdmin = key.role === 'admin' && workspace.key === defaultWorkspace
    const { keyId, userId, role, allowedEventTypes, allowedActions, rateLimit } = key
    return {
      keyId,
      actor: keyId,
      userId,
      workspace,
      role,
      allowedEventTypes,
      allowedActions,
      rateLimit,
      isInstanceAdmin,
    }
  }

  return {
    authenticate: async (apiKey, isSigned) => {
      const known = digests.get(apiKey)
      const digest = known ?? toDigest(apiKey)
      const key = digest && (await store.findKey(digest.keyId))
      // A remembered digest was compared in constant time when it was new.
      const same = known ? isEqual : isSame
      if (!key || !isSecretOf(key, store.nowMs(), (hash) => same(hash, digest.hash))) throw refuseStranger()
      if (!known) {
        if (digests.size >= rememberedKeys) digests.clear()
        digests.set(apiKey, digest)
      }
      if (!isSigned) requireSignature(key)
      return toPrincipal(key)
    },
    authenticateById: async (keyId) => {
      const key = await store.findKey(keyId)
      if (!key) throw refuseStranger()
      return toPrincipal(key)
    },
    authenticateSession: async ({ keyId, secretMark }) => {
      const key = await store.findKey(keyId)
      if (!key || !isSecretOf(key, store.nowMs(), (hash) => toSecretMark(hash) === secretMark))
        throw new HubError('unauthorized', 'the session has ended with its key; sign in again')
      requireSignature(key)
      return toPrincipal(key).catch((error: unknown) => {
        // For a browser there is one thing to do about all of them.
        if (!(error instanceof HubError) || error.status !== 403) throw error
        throw new HubError('unauthorized', `the session is over: ${error.message}; sign in again`, { cause: error })
      })
    },
  }
}

function toDigest(apiKey: string): { keyId: string; hash: string } | undefined {
  const parsed = parseApiKey(apiKey)
  return parsed && { keyId: parsed.keyId, hash: hashSecret(parsed.secret) }
}

/** The secret of now, or the one before its rotation while that overlaps. */
function isSecretOf(key: KeyRow, now: number, matches: (hash: string) => boolean): boolean {
  if (matches(key.secretHash)) return true
  return (
    key.previousHash !== null && key.previousUntilMs !== null && key.previousUntilMs > now && matches(key.previousHash)
  )
}

const isEqual = (known: string, given: string): boolean => known === given

function isSame(known: string, given: string): boolean {
  return known.length === given.length && timingSafeEqual(Buffer.from(known), Buffer.from(given))
}

function refuseUnusable({ keyId, status, expiresMs }: KeyRow, now: number): void {
  if (status === 'revoked') throw new HubError('key-revoked', `key ${keyId} is revoked`)
  if (status === 'inactive') throw new HubError('key-inactive', `key ${keyId} is inactive`)
  if (expiresMs !== null && expiresMs <= now) throw new HubError('key-expired', `key ${keyId} has expired`)
}

/** @throws HubError `forbidden`, saying which roles may */
export function requirePermission(principal: Principal, permission: Permission): void {
  const { role, isInstanceAdmin } = principal
  if (permission === 'instance' && role === 'admin' && !isInstanceAdmin) {
    throw new HubError('forbidden', `this takes an administrator of the workspace "${defaultWorkspace}"`)
  }
  if (permissionsOf[role].includes(permission)) return
  const able = Object.entries(permissionsOf).filter(([, permissions]) => permissions.includes(permission))
  throw new HubError(
    'forbidden',
    `the role ${role} may not do this; it takes ${able.map(([name]) => name).join(' or ')}`,
  )
}

/** Counts a request against the key's limit; undefined for a key without one. */
export async function takeRequest(
  store: Store,
  { keyId, rateLimit }: Principal,
): Promise<(RateState & { readonly limit: number }) | undefined> {
  return rateLimit === null ? undefined : { ...(await store.takeRequest(keyId, rateLimit)), limit: rateLimit }
}
