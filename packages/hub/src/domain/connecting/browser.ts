import { HubError } from '@sluice/protocol'
import { beginAuthorization, finishAuthorization } from '@sluice/sdk/auth'
import type { ConnectionRow } from '../../store/connections.ts'
import type { Context } from '../context.ts'
import { checkForm, formOf, isBrowserMethod, type Fields, type TokenMethod } from './methods.ts'
import { openOAuthClient, toRedirectUri } from './oauth-clients.ts'
import { finishSession, noLink, toDigest, toSession, type Session } from './sessions.ts'

/** What must be known again when the browser comes back; sealed meanwhile. */
type Kept = {
  readonly token: string
  readonly method: string
  readonly fields: Fields
  readonly state: string
  readonly codeVerifier?: string | undefined
  readonly nonce?: string | undefined
}

const keptPlace = (digest: string): string => `connect/${digest}`

export type LeaveOrder = {
  /** undefined: the first of its kind */
  readonly method: string | undefined
  /** what the person has filled in */
  readonly fields: Fields
  /** a secret that this browser alone has */
  readonly browser: string
}

/**
 * Sends a browser to the provider, and keeps in mind which one.
 *
 * @returns the provider's address
 * @throws HubError `not-found`, `validation-error`; `conflict` where the provider cannot work
 */
export async function leaveForProvider(
  context: Context,
  session: Session,
  { method: id, fields, browser }: LeaveOrder,
): Promise<string> {
  const { store, sealing, outbound } = context
  const method = requireBrowserMethod(session, id)
  checkForm(formOf(method), fields)
  const { provider } = method.oauth2
  const redirectUri = toRedirectUri(context) ?? ''
  const client = await openOAuthClient(context, session.owner.workspace.id, session.installed.name)
  const way = { dispatcher: outbound.dispatcher, nowMs: () => store.nowMs() }
  const begun = await beginAuthorization({ provider, client, redirectUri, ...way }).catch((cause: unknown) => {
    throw new HubError('conflict', `the provider cannot be used: ${toReason(cause)}`, { cause })
  })
  const { url, state, codeVerifier, nonce } = begun
  const kept: Kept = { token: session.token, method: method.id, fields, state, codeVerifier, nonce }
  const digest = toDigest(session.token)
  const sealed = sealing.seal(keptPlace(digest), JSON.stringify(kept))
  const left = await store.connectSessions.leave(digest, {
    state: toDigest(state),
    browser: toDigest(browser),
    sealed,
  })
  if (!left) throw noLink()
  return url
}

const toReason = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function requireBrowserMethod({ methods, installed }: Session, id: string | undefined): TokenMethod {
  const found = methods.filter(isBrowserMethod).find((method) => id === undefined || method.id === id)
  if (found) return found
  throw new HubError('not-found', `integration "${installed.name}" has no such way to connect`)
}

/** `failed`: it may be tried again with the same link. */
export type CameBack = { readonly session: Session } & (
  | { readonly outcome: 'connected'; readonly row: ConnectionRow }
  | { readonly outcome: 'failed'; readonly reason: string }
)

export type Return = {
  /** what the provider has added to the address */
  readonly queryText: string
  /** the secret of this browser, if it has one */
  readonly browser: string | undefined
}

/**
 * Takes a browser back that comes from the provider, once, and trades what it brings for tokens.
 *
 * @throws HubError `not-found` where nobody was expected with this state; `forbidden` for another browser than the one that left
 */
export async function comeBack(context: Context, { queryText, browser }: Return): Promise<CameBack> {
  const { store, sealing, outbound } = context
  const state = new URLSearchParams(queryText).get('state')
  const found = state === null ? undefined : await store.connectSessions.takeState(toDigest(state))
  if (!found) throw noLink()
  if (browser === undefined || toDigest(browser) !== found.browser)
    throw new HubError('forbidden', 'this was begun in another browser; open the link to connect in this one')
  const text = sealing.open(keptPlace(found.token), found.sealed)
  if (text === undefined) throw noLink()
  const kept = JSON.parse(text) as Kept // as leaveForProvider has written it
  const session = await toSession(context, { ...found, token: kept.token })
  const method = requireBrowserMethod(session, kept.method)
  const redirectUri = toRedirectUri(context) ?? ''
  const ended = await finishAuthorization({
    provider: method.oauth2.provider,
    client: await openOAuthClient(context, session.owner.workspace.id, session.installed.name),
    redirectUri,
    callbackUrl: `${redirectUri}?${queryText}`,
    state: kept.state,
    codeVerifier: kept.codeVerifier,
    nonce: kept.nonce,
    dispatcher: outbound.dispatcher,
    nowMs: () => store.nowMs(),
  })
  if (ended.outcome !== 'granted') return { session, outcome: 'failed', reason: ended.reason }
  const row = await finishSession(context, session, {
    kind: 'granted',
    method: method.id,
    granted: { tokens: ended.tokens, fields: kept.fields },
    usesUp: true,
  })
  return { session, outcome: 'connected', row }
}
