import { HubError, type Connection, type PatchConnection, type PutConnection } from '@sluice/protocol'
import type { ConnectionRow } from '../store/connections.ts'
import { noteDeed } from './audit.ts'
import type { Principal } from './authenticate.ts'
import { checkGrant, mayUse, requireOwner } from './connecting/authority.ts'
import { toSecret } from './connecting/credentials.ts'
import { findTokenMethod, refreshConnection } from './connecting/open-auth.ts'
import { tellConnection } from './connecting/tell-connection.ts'
import { learnAccount, storeConnection } from './connecting/store-connection.ts'
import type { Context } from './context.ts'
import { openKey } from './cursors.ts'
import { requireIntegration } from './integrations.ts'
import { toPage, type Page, type PageRequest } from './page.ts'
import { toIso } from './to-wire.ts'
import { requireSlug } from './require-slug.ts'

export { openAuth, type OpenedAuth } from './connecting/open-auth.ts'

/**
 * Makes a connection, or replaces its credentials, and asks whose account it is.
 *
 * @throws HubError `validation-error` naming what is wrong with the credentials, never their values; `not-found`; `forbidden` for
 * a connection of another user
 */
export async function putConnection(
  context: Context,
  principal: Principal,
  { key, wanted }: { readonly key: string; readonly wanted: PutConnection },
): Promise<{ connection: Connection; created: boolean }> {
  requireSlug(key, 'connection')
  const installed = requireIntegration(context, wanted.integration)
  const before = await context.store.connections.find(principal.workspace.id, key)
  if (before) requireOwner(principal, before)
  const secret = await toSecret(context, installed, wanted)
  const { row, created } = await storeConnection(context, principal, { key, installed, secret, grant: wanted.grant })
  return { connection: toWire(row), created }
}

/** By key, those that the caller may use. */
export async function listConnections(
  context: Context,
  principal: Principal,
  { limit, cursor }: PageRequest,
): Promise<Page> {
  const { cursors } = context
  const { id } = principal.workspace
  const scope = `${id}/connections`
  const rows = await listUsable(context, principal, { after: openKey(cursors, scope, cursor), limit: limit + 1 })
  return toPage({ cursors, scope, limit, rows, placeOf: ({ key }) => key, print: (row) => JSON.stringify(toWire(row)) })
}

/** Rows that the caller may use, by key. */
export function listUsable(
  { store }: Pick<Context, 'store'>,
  { role, userId, keyId, workspace }: Principal,
  page: { readonly after: string; readonly limit: number },
): Promise<ConnectionRow[]> {
  return store.connections.list(workspace.id, role === 'admin' ? page : { ...page, holder: { userId, keyId } })
}

export async function showConnection(context: Context, principal: Principal, key: string): Promise<Connection> {
  return toWire(await requireConnection(context, principal, key))
}

/** @throws HubError `not-found`, also for a connection that only another user may use */
export async function requireConnection({ store }: Context, principal: Principal, key: string): Promise<ConnectionRow> {
  const found = await store.connections.find(principal.workspace.id, key)
  if (!found || !mayUse(principal, found))
    throw new HubError('not-found', `connection "${key.slice(0, 100)}" does not exist`, {
      details: { connection: key },
    })
  return found
}

/** Changes who may use it. @throws HubError `not-found`, `forbidden` */
export async function patchConnection(
  context: Context,
  principal: Principal,
  { key, change }: { readonly key: string; readonly change: PatchConnection },
): Promise<Connection> {
  requireOwner(principal, await requireConnection(context, principal, key))
  await checkGrant(context, principal, change.grant)
  await context.store.connections.setGrant(principal.workspace.id, key, change.grant)
  await noteDeed(context, principal, { verb: 'connection.grant', target: key, details: { grant: change.grant } })
  return showConnection(context, principal, key)
}

/** Asks the service whose account it is. */
export async function testConnection(context: Context, principal: Principal, key: string): Promise<Connection> {
  const { workspaceId, id, integration } = await requireConnection(context, principal, key)
  const installed = requireIntegration(context, integration)
  if (!installed.config.supports_connected_account)
    throw new HubError(
      'conflict',
      `integration "${integration}" cannot tell whose account it is; run an action instead`,
    )
  return toWire(await learnAccount(context, { installed, workspaceId, key, id }))
}

/**
 * Asks the provider for new tokens now, also where it has refused before.
 *
 * @throws HubError `conflict` for a connection without tokens; `needs-reconnect` where the provider refuses; `provider-unavailable`
 */
export async function refreshNow(context: Context, principal: Principal, key: string): Promise<Connection> {
  const row = await requireConnection(context, principal, key)
  requireOwner(principal, row)
  const installed = requireIntegration(context, row.integration)
  const method = findTokenMethod(installed, row)
  if (!method) throw new HubError('conflict', `connection "${key}" has no tokens that could be refreshed`)
  const refreshed = await refreshConnection(context, { installed, method, row, force: true })
  await noteDeed(context, principal, { verb: 'connection.refresh', target: key, details: { state: refreshed.state } })
  if (refreshed.state === 'late')
    throw new HubError('provider-unavailable', `connection "${key}" was not refreshed: ${refreshed.reason}`)
  return showConnection(context, principal, key)
}

export async function removeConnection(context: Context, principal: Principal, key: string): Promise<void> {
  const row = await requireConnection(context, principal, key)
  requireOwner(principal, row)
  await context.store.connections.remove(principal.workspace.id, key)
  await noteDeed(context, principal, { verb: 'connection.remove', target: key })
  await tellConnection(context.store, 'removed', row)
}

function toWire(row: ConnectionRow): Connection {
  const { key, integration, userId, grant, method, broken, expiresMs, account, accountError } = row
  return {
    key,
    integration,
    user_id: userId,
    grant,
    method,
    status: broken === null ? 'active' : 'needs_reconnect',
    status_reason: broken,
    expires_at: expiresMs === null ? null : toIso(expiresMs),
    account,
    account_error: accountError,
    created_at: toIso(row.createdMs),
    updated_at: toIso(row.updatedMs),
  }
}
