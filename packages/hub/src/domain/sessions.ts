import { HubError, defaultWorkspace, permissionsOf, type Session } from '@sluice/protocol'
import type { KeyRow } from '../store/store.ts'
import { noteDeed } from './audit.ts'
import type { Principal } from './authenticate.ts'
import type { Context } from './context.ts'
import { createKey, hashSecret, type KeyAdmin } from './keys.ts'
import { toIso } from './to-wire.ts'
import { requireWorkspace } from './workspaces.ts'

/** A browser stays signed in for a working day. */
const sessionMs = 12 * 3_600_000
const linkMs = 600_000
const linkPrefix = 'sll_'

const sessionScope = 'console/session'
const linkScope = 'console/link'

/** What a session rests on: a key, and the secret that it had then. */
export type SessionClaim = { readonly keyId: string; readonly secretMark: string }

/** Tells the secrets of a key apart without giving away the digest that stands for one. */
export const toSecretMark = (secretHash: string): string => hashSecret(secretHash).slice(0, 22)

export type NewSession = { readonly session: Session; readonly token: string; readonly lifeMs: number }

/** Signs somebody in who has just shown a key. The token is good for 12 hours, or as long as the key. */
export async function createSession(context: Context, principal: Principal): Promise<NewSession> {
  const { store, cursors } = context
  const key = await requireKeyOf(context, principal)
  const expiresMs = Math.min(store.nowMs() + sessionMs, key.expiresMs ?? Infinity)
  const token = cursors.seal(sessionScope, `${key.keyId}/${expiresMs}/${toSecretMark(key.secretHash)}`)
  await noteDeed(context, principal, { verb: 'session.create', target: key.keyId })
  return { session: toSession(principal, key, expiresMs), token, lifeMs: expiresMs - store.nowMs() }
}

/** @param token of the cookie, if that is how the caller was let in */
export async function showSession(context: Context, principal: Principal, token: string | undefined): Promise<Session> {
  const key = await requireKeyOf(context, principal)
  return toSession(principal, key, token === undefined ? key.expiresMs : readSession(context, token).expiresMs)
}

async function requireKeyOf({ store }: Context, { keyId }: Principal): Promise<KeyRow> {
  const key = await store.findKey(keyId)
  if (!key) throw new HubError('unauthorized', `key ${keyId} is gone`)
  return key
}

function toSession({ role, isInstanceAdmin, workspace }: Principal, key: KeyRow, expiresMs: number | null): Session {
  return {
    key_id: key.keyId,
    user_id: key.userId,
    user_email: key.userEmail,
    role,
    permissions: permissionsOf[role].filter((permission) => permission !== 'instance' || isInstanceAdmin),
    workspace: workspace.key,
    expires_at: expiresMs === null ? null : toIso(expiresMs),
  }
}

/** @throws HubError `unauthorized` for a token that is not ours or has run out */
export function readSession(
  { cursors, store }: Pick<Context, 'cursors' | 'store'>,
  token: string,
): SessionClaim & { readonly expiresMs: number } {
  const [keyId, expiresMs, secretMark] = cursors.open(sessionScope, token)?.split('/') ?? []
  if (keyId === undefined || secretMark === undefined || Number(expiresMs) <= store.nowMs())
    throw new HubError('unauthorized', 'the session is over; sign in again')
  return { keyId, secretMark, expiresMs: Number(expiresMs) }
}

export const isLinkToken = (text: string): boolean => text.startsWith(linkPrefix)

/** For an administrator of the instance: good once, within 10 minutes, on every node that has the secret key. */
export function createLinkToken({ cursors, store, newId }: Pick<Context, 'cursors' | 'store' | 'newId'>): string {
  const id = newId().replaceAll('-', '').slice(-16)
  return linkPrefix + cursors.seal(linkScope, `${id}/${store.nowMs() + linkMs}`)
}

/**
 * Makes the key that a link stands for. It has the link's id, so that the link is used up for as long as there are keys.
 *
 * @throws HubError `unauthorized` for a link that was used, has run out, or is none
 */
export async function redeemLinkToken(context: Context, text: string): Promise<string> {
  const { store, cursors, newId } = context
  const [id, expiresMs] = cursors.open(linkScope, text.slice(linkPrefix.length))?.split('/') ?? []
  if (id === undefined || Number(expiresMs) <= store.nowMs()) throw refuseLink()
  // Of two who come at the same time one has it.
  if (!(await store.claimTask(`sign-in/${id}`, newId(), linkMs)) || (await store.findKey(id))) throw refuseLink()
  const workspace = await requireWorkspace(context, defaultWorkspace)
  const hub: KeyAdmin = { workspace, actor: 'hub', isInstanceAdmin: true }
  const expires_at = toIso(store.nowMs() + sessionMs)
  await createKey(context, hub, { key_id: id, user_id: 'sign-in link', role: 'admin', expires_at })
  return id
}

function refuseLink(): HubError {
  return new HubError(
    'unauthorized',
    'the sign-in link was used before, or is older than 10 minutes; start the hub again for a new one, or sign in with a key',
  )
}
