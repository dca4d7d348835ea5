import type { ConnectedAccount, ConnectionGrant } from '@sluice/protocol'

/** Credentials at outside services. The store holds them sealed. */
export type Connections = {
  find(workspaceId: number, key: string): Promise<ConnectionRow | undefined>
  /** By key; with `holder` those that this key may use. */
  list(
    workspaceId: number,
    page: { after: string; limit: number; holder?: { readonly userId: string; readonly keyId: string } },
  ): Promise<ConnectionRow[]>
  /** Makes or replaces; `createdMs` stays that of the first time. What was under way with the credentials before counts no more. Answers whether it is new. */
  put(workspaceId: number, connection: NewConnection): Promise<boolean>
  setGrant(workspaceId: number, key: string, grant: ConnectionGrant): Promise<boolean>
  /** Changes what is known of the account, unless the credentials have been replaced since. */
  setAccount(workspaceId: number, key: string, account: AccountChange): Promise<void>
  remove(workspaceId: number, key: string): Promise<boolean>

  /** Those whose tokens are to be refreshed, and which nobody refreshes just now; the longest due first. */
  listDue(limit: number): Promise<{ readonly workspaceId: number; readonly key: string }[]>
  /**
   * Takes the lock of a refresh, with a fence above all before. Undefined while somebody holds it, and if these are not the
   * tokens any more that the caller has seen. A lock that is not renewed within `forMs` is free again, where a request has left and
   * nothing is known of its answer after twice that: its holder may only be cut off from the store.
   */
  claimRefresh(workspaceId: number, key: string, seen: SeenTokens, forMs: number): Promise<RefreshClaim | undefined>
  /** Answers false to a holder that has lost its lock, or whose tokens were replaced. */
  renewRefresh(claim: RefreshClaim, forMs: number): Promise<boolean>
  /** Keeps in mind that a request with these tokens leaves, before it does. Answers false as `renewRefresh`: then it must not. */
  noteSending(claim: RefreshClaim, forMs: number): Promise<boolean>
  /**
   * Ends a refresh and gives back the lock. New tokens are kept as long as those that they were got with are the present ones,
   * also from a holder that has lost its lock: nobody else has them. All else takes the lock. Answers whether it was kept.
   */
  finishRefresh(claim: RefreshClaim, end: RefreshEnd): Promise<boolean>
}

export type NewConnection = {
  readonly key: string
  /** of these credentials: new each time that they are replaced, and part of what they are sealed for */
  readonly id: string
  readonly integration: string
  readonly userId: string
  readonly grant: ConnectionGrant
  /** the credentials, sealed; null without any */
  readonly sealed: string | null
  /** by which of its methods; null where the integration has a single form */
  readonly method: string | null
  /** when its access token runs out; null: that is not known, or never */
  readonly expiresMs: number | null
  /** when its tokens are to be refreshed; null: never by the time alone */
  readonly refreshMs: number | null
}

export type AccountChange = {
  readonly id: string
  readonly account: ConnectedAccount | null
  readonly error: string | null
}

export type ConnectionRow = NewConnection & {
  readonly workspaceId: number
  readonly account: ConnectedAccount | null
  readonly accountError: string | null
  /** why it must be connected again; null: it need not */
  readonly broken: string | null
  /** counts the tokens that these credentials have had */
  readonly generation: number
  readonly createdMs: number
  readonly updatedMs: number
}

export type SeenTokens = Pick<ConnectionRow, 'id' | 'generation'>

export type RefreshClaim = ConnectionRow & {
  readonly fence: number
  /** requests with these tokens that left, and whose answer nobody has */
  readonly unanswered: number
}

export type RefreshEnd =
  | {
      readonly kind: 'tokens'
      readonly sealed: string
      readonly expiresMs: number | null
      readonly refreshMs: number | null
    }
  /** nothing has come of it, and it is to be tried again at that time */
  | { readonly kind: 'later'; readonly refreshMs: number; readonly unanswered: number }
  | { readonly kind: 'broken'; readonly reason: string }

/** The client of a workspace at the OAuth2 provider of an integration. */
export type OAuthClients = {
  find(workspaceId: number, integration: string): Promise<OAuthClientRow | undefined>
  /** Makes or replaces. Answers whether it is new. */
  put(workspaceId: number, client: NewOAuthClient): Promise<boolean>
  remove(workspaceId: number, integration: string): Promise<boolean>
}

export type NewOAuthClient = {
  readonly integration: string
  /** new each time; part of what it is sealed for */
  readonly id: string
  readonly clientId: string
  /** all of it, with its secret */
  readonly sealed: string
}

export type OAuthClientRow = NewOAuthClient & { readonly createdMs: number; readonly updatedMs: number }

/** Links with which somebody may connect an account, for a short time. One that has run out is not there any more. */
export type ConnectSessions = {
  /** Answers false, and adds none, where the workspace has `maxOpen` of them already. */
  add(session: NewConnectSession, maxOpen: number): Promise<boolean>
  find(token: string): Promise<ConnectSessionRow | undefined>
  /** Its owner leaves for the provider: what this replaces counts no more. */
  leave(token: string, leaving: Leaving): Promise<boolean>
  /** That somebody has come back with this state, once. */
  takeState(state: string): Promise<(ConnectSessionRow & Leaving) | undefined>
  /** Answers whether it was there: of two that end it, one has done so. */
  end(token: string): Promise<boolean>
}

export type NewConnectSession = {
  /** digest of the token in the link */
  readonly token: string
  readonly workspaceId: number
  /** JSON text: what the link is for */
  readonly settings: string
  readonly expiresMs: number
}

export type ConnectSessionRow = NewConnectSession

export type Leaving = {
  /** digests */
  readonly state: string
  readonly browser: string
  /** what is needed when it comes back */
  readonly sealed: string
}

type Granted = Pick<ConnectionRow, 'grant'>

/** A grant as two columns. */
export function toAccess({ grant }: Granted): { readonly access: string; readonly grantedKeys: string | null } {
  if (typeof grant === 'string') return { access: grant, grantedKeys: null }
  return { access: 'keys', grantedKeys: JSON.stringify(grant.keys) }
}

/** As `toAccess` has made them. */
export function toGrant(access: string, grantedKeys: string | null): ConnectionGrant {
  if (access === 'keys') return { keys: JSON.parse(grantedKeys ?? '[]') }
  return access === 'user' ? 'user' : 'workspace'
}
