import { HubError, type ConnectionGrant } from '@sluice/protocol'
import type { Principal } from '../authenticate.ts'
import type { Context } from '../context.ts'
import type { ConnectionRow } from '../../store/connections.ts'

/** On whose behalf a connection is made or changed. */
export type Owner = Pick<Principal, 'workspace' | 'actor' | 'userId' | 'role'>

/** Who wants to use a connection: a key, or what a key has put to work. */
export type Holder = { readonly userId: string; readonly keyId: string | undefined; readonly role?: Principal['role'] }

export function mayUse({ role, userId, keyId }: Holder, { grant, userId: owner }: ConnectionRow): boolean {
  if (role === 'admin' || grant === 'workspace' || owner === userId) return true
  return typeof grant === 'object' && keyId !== undefined && grant.keys.includes(keyId)
}

/** Using it and taking it over are two things. @throws HubError `forbidden` */
export function requireOwner({ role, userId }: Pick<Owner, 'role' | 'userId'>, connection: ConnectionRow): void {
  if (role === 'admin' || connection.userId === userId) return
  throw new HubError(
    'forbidden',
    `connection "${connection.key}" belongs to another user; its keys and administrators may change it`,
  )
}

/** What uses a connection counts on what it is for. @throws HubError `conflict` */
export function requireSameIntegration({ key, integration }: ConnectionRow, wanted: string): void {
  if (integration === wanted) return
  throw new HubError('conflict', `connection "${key}" is one of "${integration}", not of "${wanted}"; remove it first`)
}

/** @throws HubError `validation-error` for keys that the workspace has not */
export async function checkGrant(
  { store }: Pick<Context, 'store'>,
  { workspace }: Pick<Owner, 'workspace'>,
  grant: ConnectionGrant | undefined,
): Promise<void> {
  if (typeof grant !== 'object') return
  for (const [index, keyId] of grant.keys.entries()) {
    if ((await store.findKey(keyId))?.workspaceId === workspace.id) continue
    const errors = [{ pointer: `/grant/keys/${index}`, detail: 'is no key of this workspace' }]
    throw new HubError('validation-error', `there is no key ${keyId} in this workspace`, { errors })
  }
}
