import { HubError } from '@sluice/protocol'
import type { Principal } from '../../domain/authenticate.ts'
import type { Context } from '../../domain/context.ts'

/**
 * A session is no more than a name: signed, so that every node knows it again, and good for the key that opened it. It tells
 * apart the clients of one key, who number their requests alike.
 */
export const createSession = ({ cursors, newId }: Context, { keyId }: Principal): string =>
  cursors.seal(scopeOf(keyId), newId())

/** @throws HubError `not-found`, upon which clients open a new one */
export function requireSession({ cursors }: Context, { keyId }: Principal, session: string | undefined): void {
  if (session === undefined || cursors.open(scopeOf(keyId), session) !== undefined) return
  throw new HubError('not-found', 'this key has opened no such MCP session; send initialize to open one')
}

const scopeOf = (keyId: string): string => `mcp/${keyId}`
