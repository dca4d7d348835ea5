import { HubError, Slug, toValidationError, type Connection, type PutConnection } from '@sluice/protocol'
import { findCredentialFaults, needsCredentials, toAuthType } from '@sluice/sdk/integration'
import type { Installed } from '../runner/installed.ts'
import type { ConnectionRow } from '../store/connections.ts'
import { noteDeed } from './audit.ts'
import type { Principal } from './authenticate.ts'
import type { Context } from './context.ts'
import { openKey } from './cursors.ts'
import { requireIntegration } from './integrations.ts'
import { toPage, type Page, type PageRequest } from './page.ts'
import { toIso } from './to-wire.ts'
import { withoutSecrets } from './without-secrets.ts'

/** `{ auth_type, credentials }`, as handlers get it. */
export type OpenedAuth = { readonly auth_type: string; readonly credentials: Record<string, unknown> }

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
  const { store, sealing, newId } = context
  requireSlug(key)
  const integration = requireIntegration(context, wanted.integration)
  const credentials = checkCredentials(integration, wanted.credentials)
  const before = await store.connections.find(principal.workspace.id, key)
  if (before) requireOwner(principal, before)
  const id = newId()
  const sealed = credentials && sealing.seal(placeOf(id), JSON.stringify(credentials))
  const { grant = before?.grant ?? 'workspace', integration: name } = wanted
  const userId = before?.userId ?? principal.userId
  const row = { key, id, integration: name, userId, grant, sealed: sealed ?? null }
  const created = await store.connections.put(principal.workspace.id, row)
  await noteDeed(context, principal, {
    verb: created ? 'connection.create' : 'connection.replace',
    target: key,
    details: { integration: name },
  })
  await learnAccount(context, principal, integration, { ...row, credentials })
  return { connection: toWire(await requireConnection(context, principal, key)), created }
}

function requireSlug(key: string): void {
  const checked = Slug.safeParse(key)
  if (!checked.success)
    throw toValidationError(
      checked.error.issues.map(({ message }) => ({ pointer: 'path.connection', detail: message })),
    )
}

type Credentials = Record<string, unknown> | undefined

function checkCredentials({ config, name }: Installed, credentials: Credentials): Credentials {
  if (!needsCredentials(config)) {
    if (credentials === undefined) return undefined
    throw toValidationError([{ pointer: '/credentials', detail: `integration "${name}" takes none` }])
  }
  if (credentials === undefined) throw toValidationError([{ pointer: '/credentials', detail: 'is missing' }])
  const fault = findCredentialFaults(config, credentials)
  if (fault !== undefined) throw toValidationError([{ pointer: '/credentials', detail: fault }])
  return credentials
}

/** The handler may take its time or fail: the connection is there all the same, and says why. */
async function learnAccount(
  { store, runner }: Context,
  { workspace }: Principal,
  { config, folder }: Installed,
  { key, id, credentials }: { readonly key: string; readonly id: string; readonly credentials: Credentials },
): Promise<void> {
  if (!config.supports_connected_account) return
  const auth = { auth_type: toAuthType(config), credentials: credentials ?? {} }
  const order = { folder, workspaceId: workspace.id, auth, metadata: {}, deadlineMs: accountMs }
  const { result } = withoutSecrets(await runner.run({ ...order, call: { kind: 'account' } }), auth, config)
  const isKnown = 'type' in result && result.type === 'connected_account'
  const change = isKnown ? { account: result.result, error: null } : { account: null, error: toReason(result) }
  await store.connections.setAccount(workspace.id, key, { id, ...change })
}

const accountMs = 20_000

function toReason(result: object): string {
  const { message } = 'result' in result ? (result.result as { message?: string }) : (result as { message?: string }) // each failure has one
  return (message ?? 'it is not known why').slice(0, 1000)
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
  { role, userId, workspace }: Principal,
  page: { readonly after: string; readonly limit: number },
): Promise<ConnectionRow[]> {
  return store.connections.list(workspace.id, role === 'admin' ? page : { ...page, userId })
}

export async function showConnection(context: Context, principal: Principal, key: string): Promise<Connection> {
  return toWire(await requireConnection(context, principal, key))
}

/** @throws HubError `not-found`, also for a connection that only another user may use */
export async function requireConnection({ store }: Context, principal: Principal, key: string): Promise<ConnectionRow> {
  const found = await store.connections.find(principal.workspace.id, key)
  if (!found || !mayUse(principal, found))
    throw new HubError('not-found', `connection "${key.slice(0, 100)}" does not exist`)
  return found
}

export async function removeConnection(context: Context, principal: Principal, key: string): Promise<void> {
  requireOwner(principal, await requireConnection(context, principal, key))
  await context.store.connections.remove(principal.workspace.id, key)
  await noteDeed(context, principal, { verb: 'connection.remove', target: key })
}

/** Using it and taking it over are two things. @throws HubError `forbidden` */
function requireOwner({ role, userId }: Principal, connection: ConnectionRow): void {
  if (role === 'admin' || connection.userId === userId) return
  throw new HubError(
    'forbidden',
    `connection "${connection.key}" belongs to another user; its keys and administrators may change it`,
  )
}

function mayUse({ role, userId }: Principal, connection: ConnectionRow): boolean {
  return role === 'admin' || connection.grant === 'workspace' || connection.userId === userId
}

/**
 * The credentials of a connection.
 *
 * @throws Error if they were sealed with a secret key that this hub does not have; its message is for the log
 */
export function openAuth(
  { sealing }: Pick<Context, 'sealing'>,
  { config }: Installed,
  { id, key, sealed }: ConnectionRow,
): OpenedAuth {
  const text = sealed === null ? '{}' : sealing.open(placeOf(id), sealed)
  if (text === undefined)
    throw new Error(
      `connection "${key}" was sealed with another secret key; add that one to SLUICE_SECRET_KEY, or connect again`,
    )
  return { auth_type: toAuthType(config), credentials: JSON.parse(text) }
}

const placeOf = (id: string): string => `connection/${id}`

function toWire({
  key,
  integration,
  userId,
  grant,
  account,
  accountError,
  createdMs,
  updatedMs,
}: ConnectionRow): Connection {
  return {
    key,
    integration,
    user_id: userId,
    grant,
    account,
    account_error: accountError,
    created_at: toIso(createdMs),
    updated_at: toIso(updatedMs),
  }
}
