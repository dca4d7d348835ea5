import { createHash, randomBytes } from 'node:crypto'
import {
  HubError,
  permissionsOf,
  toValidationError,
  type ConnectLink,
  type ConnectionGrant,
  type CreateConnectLink,
} from '@sluice/protocol'
import type { Installed } from '../../runner/installed.ts'
import type { ConnectionRow } from '../../store/connections.ts'
import { noteDeed } from '../audit.ts'
import type { Principal } from '../authenticate.ts'
import type { Context } from '../context.ts'
import { requireIntegration } from '../integrations.ts'
import { toIso } from '../to-wire.ts'
import { checkGrant, requireOwner, requireSameIntegration, type Owner } from './authority.ts'
import type { AuthMethod } from '@sluice/sdk/integration'
import { isBrowserMethod, methodsOf } from './methods.ts'
import { openOAuthClient } from './oauth-clients.ts'
import type { Secret } from './credentials.ts'
import { storeConnection } from './store-connection.ts'

/** What a link is for. */
type Settings = {
  readonly key: string
  readonly integration: string
  readonly grant: ConnectionGrant | null
  readonly return_url: string | null
  readonly user_id: string
  readonly key_id: string
}

/** A link that somebody has opened. */
export type Session = {
  readonly token: string
  readonly key: string
  readonly installed: Installed
  readonly methods: readonly AuthMethod[]
  readonly owner: Owner
  readonly isNew: boolean
  readonly grant: ConnectionGrant | undefined
  readonly returnUrl: string | undefined
}

const defaultSeconds = 900
/** Links of a workspace that have not run out yet. */
const maxOpen = 1000
/** Of these, those that nobody has asked for: an agent that tries again and again must not use up the others. */
const maxOffered = 100

/** Of a token, a state or a browser: the store learns none of them. */
export const toDigest = (secret: string): string => createHash('sha256').update(secret).digest('hex')

export type LinkOrder = {
  readonly key: string
  readonly wanted: CreateConnectLink
  /** where browsers may be sent at the end, beside the hub itself */
  readonly origins: readonly string[]
  readonly limit?: number
}

/**
 * An address at which a person connects an account, on behalf of the key that asks.
 *
 * @throws HubError `validation-error`, `not-found`; `forbidden` for a connection of another user; `conflict` where nobody knows the
 * hub's address, or nothing can be connected; `overloaded`
 */
export async function createConnectLink(
  context: Context,
  principal: Principal,
  { key, wanted, origins, limit = maxOpen }: LinkOrder,
): Promise<ConnectLink> {
  const { store } = context
  const { workspace, userId, keyId } = principal
  const before = await store.connections.find(workspace.id, key)
  if (before) requireOwner(principal, before)
  const integration = chooseIntegration(before, wanted.integration)
  const url = requirePublicUrl(context)
  const returnUrl = checkReturnUrl(wanted.return_url, [...origins, new URL(url).origin])
  await checkGrant(context, principal, wanted.grant)
  await requireConnectable(context, workspace.id, requireIntegration(context, integration))
  const token = randomBytes(32).toString('base64url')
  const expiresMs = store.nowMs() + (wanted.expires_in_seconds ?? defaultSeconds) * 1000
  const settings: Settings = {
    key,
    integration,
    grant: wanted.grant ?? null,
    return_url: returnUrl ?? null,
    user_id: userId,
    key_id: keyId,
  }
  const session = { token: toDigest(token), workspaceId: workspace.id, settings: JSON.stringify(settings), expiresMs }
  if (!(await store.connectSessions.add(session, limit)))
    throw new HubError(
      'overloaded',
      `the workspace has ${limit} links to connect already; wait until some have run out`,
    )
  await noteDeed(context, principal, { verb: 'connection.link', target: key, details: { integration } })
  return { url: `${url}/connect/${token}`, expires_at: toIso(expiresMs) }
}

type Missing = { readonly integration: string; readonly key?: string | undefined }

/** A link that nobody has asked for; undefined where there can be none. A connection without a name is called as its integration. */
export function offerLink(
  context: Context,
  principal: Principal,
  { integration, key = integration }: Missing,
): Promise<ConnectLink | undefined> {
  const order = { key, wanted: { integration }, origins: [], limit: maxOffered }
  return createConnectLink(context, principal, order).catch(() => undefined)
}

export const describeLink = ({ url, expires_at: end }: ConnectLink): string =>
  `a person connects it at ${url} before ${end}`

/** An error about a connection that is missing or broken, with the address at which a person mends that. */
export async function withAddress(
  context: Context,
  principal: Principal,
  error: unknown,
  missing: Missing,
): Promise<unknown> {
  if (!(error instanceof HubError)) return error
  const { code, message, details, errors } = error
  const isMissing = 'connection' in details || errors?.[0]?.pointer === '/connection'
  const link = isMissing ? await offerLink(context, principal, missing) : undefined
  if (!link) return error
  return new HubError(code, `${message}; ${describeLink(link)}`, {
    details: { ...details, connect_url: link.url, expires_at: link.expires_at },
    ...(errors && { errors }),
  })
}

function chooseIntegration(before: ConnectionRow | undefined, wanted: string | undefined): string {
  if (!before) {
    if (wanted !== undefined) return wanted
    throw toValidationError([{ pointer: '/integration', detail: 'is missing: there is no such connection yet' }])
  }
  if (wanted !== undefined) requireSameIntegration(before, wanted)
  return before.integration
}

function requirePublicUrl({ publicUrl }: Context): string {
  const url = publicUrl()
  if (url !== undefined) return url
  throw new HubError('conflict', 'the hub does not know where browsers reach it; start it with --public-url')
}

/** Whoever makes links must not be able to send people just anywhere. */
function checkReturnUrl(text: string | undefined, origins: readonly string[]): string | undefined {
  if (text === undefined) return undefined
  const url = URL.parse(text)
  if (url && /^https?:$/.test(url.protocol) && origins.includes(url.origin)) return url.href
  const detail = 'must be at the public address of the hub, or at an origin that it was started with (--cors-origin)'
  throw toValidationError([{ pointer: '/return_url', detail }])
}

/** What nobody could finish should not begin. */
async function requireConnectable(context: Context, workspaceId: number, installed: Installed): Promise<void> {
  const methods = methodsOf(installed)
  if (methods.length === 0)
    throw new HubError(
      'conflict',
      `integration "${installed.name}" needs no credentials; run its actions without a connection`,
    )
  if (methods.every(isBrowserMethod)) await openOAuthClient(context, workspaceId, installed.name)
}

/** @throws HubError `not-found` for a link that is none, has run out or was used, or whose key may not do this any more */
export async function openSession(context: Context, token: string): Promise<Session> {
  const found = await context.store.connectSessions.find(toDigest(token))
  if (!found) throw noLink()
  return toSession(context, { ...found, token })
}

export const noLink = (): HubError =>
  new HubError('not-found', 'this link to connect an account was used already, or has run out; ask for a new one')

type Found = { readonly token: string; readonly workspaceId: number; readonly settings: string }

export async function toSession(context: Context, { token, workspaceId, settings: text }: Found): Promise<Session> {
  const { store } = context
  const settings = JSON.parse(text) as Settings // as createConnectLink has written it
  const [workspace, key, before] = await Promise.all([
    store.findWorkspaceById(workspaceId),
    store.findKey(settings.key_id),
    store.connections.find(workspaceId, settings.key),
  ])
  const isGood =
    key?.status === 'active' &&
    (key.expiresMs === null || key.expiresMs > store.nowMs()) &&
    permissionsOf[key.role].includes('act')
  if (!workspace || !key || !isGood) throw noLink()
  const installed = requireIntegration(context, settings.integration)
  // It may have become another one since the link was made.
  if (before) requireSameIntegration(before, installed.name)
  return {
    token,
    key: settings.key,
    installed,
    methods: methodsOf(installed),
    isNew: !before,
    owner: { workspace, actor: key.keyId, userId: settings.user_id, role: key.role },
    grant: settings.grant ?? undefined,
    returnUrl: settings.return_url ?? undefined,
  }
}

/** Stores what came of it. The link is used up, unless the service does not know whose account it is: then it may be tried again. */
export async function finishSession(context: Context, session: Session, secret: Secret): Promise<ConnectionRow> {
  const { token, owner, key, installed, grant } = session
  const { row } = await storeConnection(context, owner, { key, installed, secret, grant, keepsIntegration: true })
  if (row.accountError === null) await context.store.connectSessions.end(toDigest(token))
  return row
}
