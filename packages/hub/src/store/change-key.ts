import { HubError } from '@sluice/protocol/error'
import type { KeyRow } from './store.ts'

export type KeyChange = Partial<Omit<KeyRow, 'keyId' | 'workspaceId' | 'createdMs'>>

/**
 * Decides on the row of now, not on what its caller may have seen before: revocation is final, and the secret that a rotation
 * keeps for a while is the one that it replaces.
 *
 * @throws HubError `conflict` for a new status or secret of a revoked key
 */
export function changeKey(known: KeyRow, change: KeyChange): KeyRow {
  const revives = change.secretHash !== undefined || (change.status !== undefined && change.status !== 'revoked')
  if (known.status === 'revoked' && revives)
    throw new HubError('conflict', `key ${known.keyId} is revoked for good; make a new one`)
  const replaces = change.secretHash !== undefined && change.previousUntilMs != null
  return { ...known, ...change, ...(replaces && { previousHash: known.secretHash }) }
}
