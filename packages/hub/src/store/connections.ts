import type { ConnectedAccount, ConnectionGrant } from '@sluice/protocol'

/** Credentials at outside services. The store holds them sealed. */
export type Connections = {
  find(workspaceId: number, key: string): Promise<ConnectionRow | undefined>
  /** By key; with `userId` those that its keys may use. */
  list(workspaceId: number, page: { after: string; limit: number; userId?: string }): Promise<ConnectionRow[]>
  /** Makes or replaces; `createdMs` stays that of the first time. Answers whether it is new. */
  put(workspaceId: number, connection: NewConnection): Promise<boolean>
  /** Changes what is known of the account, unless the credentials have been replaced since. */
  setAccount(workspaceId: number, key: string, account: AccountChange): Promise<void>
  remove(workspaceId: number, key: string): Promise<boolean>
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
}

export type AccountChange = {
  readonly id: string
  readonly account: ConnectedAccount | null
  readonly error: string | null
}

export type ConnectionRow = NewConnection & {
  readonly account: ConnectedAccount | null
  readonly accountError: string | null
  readonly createdMs: number
  readonly updatedMs: number
}
