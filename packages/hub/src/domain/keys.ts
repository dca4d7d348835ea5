import { hash, randomBytes } from 'node:crypto'
import {
  HubError,
  defaultWorkspace,
  toValidationError,
  type Key,
  type KeyStatus,
  type KeyWithSecret,
  type NewKey,
  type PatchKey,
  type RotateKey,
  type RotatedKey,
} from '@sluice/protocol'
import type { KeyChange } from '../store/change-key.ts'
import type { KeyRow, Store, WorkspaceRow } from '../store/store.ts'
import { noteDeed, type Caller } from './audit.ts'
import type { Context } from './context.ts'
import { openKey } from './cursors.ts'
import { createHmacSecret, sealHmacSecret } from './key-hmac.ts'
import { toPage, type Page, type PageRequest } from './page.ts'
import { toWireKey } from './to-wire.ts'
import { requireWorkspace } from './workspaces.ts'

/** Administrators of the workspace `default` are the instance's: they may act on keys of every workspace. */
export type KeyAdmin = Caller & { readonly isInstanceAdmin: boolean }

/** What verbs on keys need; the command line has no more than this. */
export type KeyContext = Pick<Context, 'store' | 'sealing'>

type Secret = { readonly text: string; readonly hash: string }

/** 256 random bits. The store keeps their SHA-256, which is enough for a secret that nobody can guess. */
function createSecret(): Secret {
  const text = randomBytes(32).toString('base64url')
  return { text, hash: hashSecret(text) }
}

export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'base64url')
}

const toApiKey = (keyId: string, secret: Secret): string => `slk_${keyId}_${secret.text}`

/**
 * Makes a key. Its secrets are in the answer and nowhere else.
 *
 * @param wanted with an id, if the hub itself has chosen one
 * @throws HubError `forbidden` for another workspace unless the caller administers the instance
 */
export async function createKey(
  context: KeyContext,
  admin: KeyAdmin,
  { key_id: keyId = randomBytes(8).toString('hex'), ...wanted }: NewKey & { readonly key_id?: string },
): Promise<KeyWithSecret> {
  const { store, sealing } = context
  const workspace = await workspaceFor(context, admin, wanted.workspace)
  refusePast(store, wanted.expires_at)
  const secret = createSecret()
  const hmacSecret = wanted.hmac === true ? createHmacSecret() : undefined
  const key: KeyRow = {
    keyId,
    workspaceId: workspace.id,
    secretHash: secret.hash,
    previousHash: null,
    previousUntilMs: null,
    userId: wanted.user_id,
    userEmail: wanted.user_email ?? null,
    role: wanted.role ?? 'creator',
    allowedEventTypes: wanted.allowed_event_types ?? null,
    allowedActions: wanted.allowed_actions ?? null,
    rateLimit: wanted.rate_limit ?? null,
    expiresMs: toMs(wanted.expires_at),
    status: 'active',
    createdMs: store.nowMs(),
    lastUsedMs: null,
    hmac:
      hmacSecret === undefined
        ? null
        : {
            required: wanted.require_hmac ?? false,
            secrets: [{ sealed: sealHmacSecret(sealing, keyId, hmacSecret), untilMs: null }],
          },
  }
  await store.insertKey(key)
  const details = { user_id: key.userId, role: key.role }
  await noteDeed(context, { workspace, actor: admin.actor }, { verb: 'key.create', target: key.keyId, details })
  return {
    ...toWireKey(key, workspace.key),
    api_key: toApiKey(keyId, secret),
    ...(hmacSecret !== undefined && { hmac_secret: hmacSecret }),
  }
}

async function workspaceFor(context: KeyContext, admin: KeyAdmin, key: string | undefined): Promise<WorkspaceRow> {
  if (key === undefined || key === admin.workspace.key) return admin.workspace
  if (admin.isInstanceAdmin) return requireWorkspace(context, key)
  throw new HubError(
    'forbidden',
    `only administrators of the workspace "${defaultWorkspace}" may make keys for another workspace`,
  )
}

function refusePast(store: Store, expiresAt: string | null | undefined): void {
  const expiresMs = toMs(expiresAt)
  if (expiresMs !== null && expiresMs <= store.nowMs())
    throw toValidationError([{ pointer: '/expires_at', detail: 'must be in the future' }])
}

const toMs = (time: string | null | undefined): number | null => (time ? Date.parse(time) : null)

type Found = { readonly key: KeyRow; readonly workspace: WorkspaceRow }

/** A key of the caller's workspace; administrators of the instance reach those of the others too. */
async function requireKey({ store }: KeyContext, admin: KeyAdmin, keyId: string): Promise<Found> {
  const key = /^[0-9a-f]{16}$/.test(keyId) ? await store.findKey(keyId) : undefined
  const workspace = key && (await store.findWorkspaceById(key.workspaceId))
  if (!workspace || (workspace.id !== admin.workspace.id && !admin.isInstanceAdmin)) {
    throw new HubError('not-found', `key "${keyId.slice(0, 64)}" does not exist`)
  }
  return { key, workspace }
}

export async function showKey(context: KeyContext, admin: KeyAdmin, keyId: string): Promise<Key> {
  const { key, workspace } = await requireKey(context, admin, keyId)
  return toWireKey(key, workspace.key)
}

export type KeyPageRequest = PageRequest & { readonly status?: KeyStatus | undefined }

/** Keys of one workspace in the order of their ids. */
export async function listKeys(
  context: Pick<Context, 'store' | 'cursors'>,
  workspace: WorkspaceRow,
  request: KeyPageRequest,
): Promise<Page> {
  const { store, cursors } = context
  const { limit, cursor, status } = request
  const scope = `${workspace.id}/keys`
  const after = openKey(cursors, scope, cursor)
  const rows = await store.listKeys(workspace.id, { after, limit: limit + 1, ...(status && { status }) })
  return toPage({
    cursors,
    scope,
    limit,
    rows,
    placeOf: ({ keyId }) => keyId,
    print: (key) => JSON.stringify(toWireKey(key, workspace.key)),
  })
}

type Change = { readonly change: KeyChange; readonly verb: string; readonly details?: Record<string, unknown> }

async function changeKey(
  context: KeyContext,
  admin: KeyAdmin,
  { key, workspace }: Found,
  { change, verb, details = {} }: Change,
): Promise<KeyRow> {
  const changed = await context.store.updateKey(key.keyId, change)
  if (!changed) throw new HubError('not-found', `key "${key.keyId}" does not exist`)
  await noteDeed(context, { workspace, actor: admin.actor }, { verb, target: key.keyId, details })
  return changed
}

function refuseRevoked({ keyId, status }: KeyRow): void {
  if (status === 'revoked') throw new HubError('conflict', `key ${keyId} is revoked for good; make a new one`)
}

/** @throws HubError `conflict` for a revoked key */
export async function patchKey(context: KeyContext, admin: KeyAdmin, keyId: string, patch: PatchKey): Promise<Key> {
  const found = await requireKey(context, admin, keyId)
  refuseRevoked(found.key)
  const key = await changeKey(context, admin, found, { change: toChange(patch), verb: 'key.update', details: patch })
  return toWireKey(key, found.workspace.key)
}

function toChange(patch: PatchKey): KeyChange {
  return {
    ...(patch.user_id !== undefined && { userId: patch.user_id }),
    ...(patch.user_email !== undefined && { userEmail: patch.user_email }),
    ...(patch.role !== undefined && { role: patch.role }),
    ...(patch.allowed_event_types !== undefined && { allowedEventTypes: patch.allowed_event_types }),
    ...(patch.allowed_actions !== undefined && { allowedActions: patch.allowed_actions }),
    ...(patch.rate_limit !== undefined && { rateLimit: patch.rate_limit }),
    ...(patch.expires_at !== undefined && { expiresMs: toMs(patch.expires_at) }),
    ...(patch.status !== undefined && { status: patch.status }),
    ...(patch.require_hmac !== undefined && { requireHmac: patch.require_hmac }),
  }
}

/**
 * A new secret under the same id, API key or HMAC secret; the old one stops at once, or after `overlap_seconds`.
 *
 * @throws HubError `conflict` for a revoked key
 */
export async function rotateKey(
  context: KeyContext,
  admin: KeyAdmin,
  keyId: string,
  { overlap_seconds: overlapSeconds = 0, hmac = false }: RotateKey,
): Promise<RotatedKey> {
  const found = await requireKey(context, admin, keyId)
  refuseRevoked(found.key)
  const previousUntilMs = overlapSeconds > 0 ? context.store.nowMs() + overlapSeconds * 1000 : null
  const details = { overlap_seconds: overlapSeconds, ...(hmac && { hmac }) }
  if (hmac) {
    const secret = createHmacSecret()
    const sealed = sealHmacSecret(context.sealing, keyId, secret)
    const change = { newHmacSecret: { sealed, previousUntilMs } }
    const key = await changeKey(context, admin, found, { change, verb: 'key.rotate', details })
    return { ...toWireKey(key, found.workspace.key), hmac_secret: secret }
  }
  const secret = createSecret()
  const previousHash = previousUntilMs === null ? null : found.key.secretHash
  const change = { secretHash: secret.hash, previousHash, previousUntilMs }
  const key = await changeKey(context, admin, found, { change, verb: 'key.rotate', details })
  return { ...toWireKey(key, found.workspace.key), api_key: toApiKey(keyId, secret) }
}

/** For good. Repeatable. */
export async function revokeKey(context: KeyContext, admin: KeyAdmin, keyId: string): Promise<void> {
  const found = await requireKey(context, admin, keyId)
  if (found.key.status !== 'revoked')
    await changeKey(context, admin, found, { change: { status: 'revoked' }, verb: 'key.revoke' })
}
