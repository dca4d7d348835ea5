import { setTimeout as pause } from 'node:timers/promises'
import { HubError } from '@sluice/protocol'
import { toOAuth2Auth, type TokenOutcome } from '@sluice/sdk/auth'
import { toAuthType } from '@sluice/sdk/integration'
import type { Installed } from '../../runner/installed.ts'
import type { ConnectionRow } from '../../store/connections.ts'
import type { Context } from '../context.ts'
import { askForTokens, findClient } from './credentials.ts'
import { findMethod, isBrowserMethod, isTokenMethod, type TokenMethod } from './methods.ts'
import { refuseBroken, type Refreshed } from './refresh-connection.ts'
import { openGranted, openSealed, type Granted } from './tokens.ts'

/** `{ auth_type, credentials }`, as handlers get it. */
export type OpenedAuth = {
  readonly auth_type: string
  /** which of the integration's methods */
  readonly method?: string
  readonly credentials: Record<string, unknown>
  /** How a run of what is so called has ended: a service that knows these no more has others asked for. Answers whether there are. */
  readonly noteUse?: (name: string, isRefused: boolean) => Promise<boolean>
}

/** What is needed to open and refresh credentials. */
type AuthContext = Pick<Context, 'store' | 'sealing' | 'refresher' | 'outbound'>

/** A token that ends within this may end on its way. */
const onItsWayMs = 10_000

/**
 * The credentials of a connection, with a token that is good: where its time has come it is refreshed first.
 *
 * @throws HubError `needs-reconnect`; `provider-unavailable` if the token has ended and could not be refreshed; Error if they were
 * sealed with a secret key that this hub does not have; its message is for the log
 */
export async function openAuth(context: AuthContext, installed: Installed, row: ConnectionRow): Promise<OpenedAuth> {
  if (row.broken !== null) throw refuseBroken(row, row.broken)
  const method = findMethod(installed, row)
  const named = method && method.id !== 'default' ? { method: method.id } : {}
  if (!isTokenMethod(method))
    return {
      auth_type: toAuthType(installed.config, method?.id),
      ...named,
      credentials: openSealed(context.sealing, row),
    }
  const { row: now, granted } = await findGranted(context, { installed, method, row })
  const noteUse = async (name: string, isRefused: boolean): Promise<boolean> =>
    context.refresher.renewals.note(`${now.id}/${name}`, isRefused) &&
    (await refreshConnection(context, { installed, method, row: now })).state === 'fresh'
  return { ...toOAuth2Auth(granted.tokens, granted.fields), ...named, noteUse }
}

type Job = { readonly installed: Installed; readonly method: TokenMethod; readonly row: ConnectionRow }

async function findGranted(
  context: AuthContext,
  { installed, method, row }: Job,
): Promise<{ row: ConnectionRow; granted: Granted }> {
  const { store, sealing, refresher } = context
  const present = openGranted(sealing, row)
  const unsaved = refresher.findUnsaved(row)
  if (unsaved) return { row, granted: { ...present, tokens: unsaved } }
  const nowMs = store.nowMs()
  const hasEnded = row.expiresMs !== null && row.expiresMs <= nowMs + Math.min(onItsWayMs, lifeOf(present) / 2)
  if (row.refreshMs === null || row.refreshMs > nowMs) {
    if (!hasEnded || row.refreshMs === null) return { row, granted: present }
    throw refuseLate(row, 'the last attempt failed', row.refreshMs - nowMs)
  }
  const refreshing = refreshConnection(context, { installed, method, row })
  const refreshed = await (hasEnded ? refreshing : orSoon(refreshing))
  if (refreshed === 'slow') return { row, granted: present }
  if (refreshed.state === 'fresh') {
    const { row: now, tokens } = refreshed
    return { row: now, granted: tokens ? { ...present, tokens } : openGranted(sealing, now) }
  }
  if (refreshed.state === 'broken') throw refuseBroken(row, refreshed.reason)
  if (refreshed.state === 'gone') throw new HubError('not-found', `connection "${row.key}" does not exist any more`)
  if (!hasEnded) return { row, granted: present }
  throw refuseLate(row, refreshed.reason, refreshed.retryMs)
}

/** A token that is still good is used rather than waiting for a slow provider. */
const patienceMs = 2000

function orSoon(refreshing: Promise<Refreshed>): Promise<Refreshed | 'slow'> {
  // Nobody may be left to hear of it.
  refreshing.catch(() => {})
  return Promise.race([refreshing, pause(patienceMs, 'slow' as const, { ref: false })])
}

const lifeOf = ({ tokens: { expires_at: end = Infinity, obtained_at: start } }: Granted): number => end - start

function refuseLate({ key }: ConnectionRow, reason: string, retryMs: number): HubError {
  return new HubError(
    'provider-unavailable',
    `the access token of connection "${key}" has ended and could not be refreshed: ${reason}; it is tried again`,
    { retryAfterSeconds: Math.max(1, Math.ceil(retryMs / 1000)) },
  )
}

/** Undefined for a connection whose tokens nobody refreshes. */
export function findTokenMethod(installed: Installed, row: ConnectionRow): TokenMethod | undefined {
  const method = findMethod(installed, row)
  return isTokenMethod(method) ? method : undefined
}

/** Asks the provider for new tokens, unless others have them already. */
export async function refreshConnection(
  context: AuthContext,
  { installed, method, row, force = false }: Job & { readonly force?: boolean },
): Promise<Refreshed> {
  const ask = async (held: ConnectionRow): Promise<TokenOutcome> => {
    const granted = openGranted(context.sealing, held)
    const place = { workspaceId: held.workspaceId, integration: installed.name }
    const client = await findClient(context, place, { method, fields: granted.fields })
    return askForTokens(context, { method, client, granted })
  }
  return context.refresher.refresh({ row, ask, usesUp: isBrowserMethod(method), force })
}
