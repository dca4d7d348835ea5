import { HubError } from '@sluice/protocol/error'
import type { KeyRow, SealedSecret } from './store.ts'

export type KeyChange = Partial<Omit<KeyRow, 'keyId' | 'workspaceId' | 'createdMs' | 'hmac'>> & {
  readonly requireHmac?: boolean
  /** `previousUntilMs`: how long the secrets of before still sign; null ends them at once */
  readonly newHmacSecret?: { readonly sealed: string; readonly previousUntilMs: number | null }
}

/** Those of before that still sign, and the new one: whoever rotates more often than that means to. */
const maxSecrets = 5

/**
 * Decides on the row of now, not on what its caller may have seen before: revocation is final, and the secret that a rotation
 * keeps for a while is the one that it replaces.
 *
 * @throws HubError `conflict` for a new status or secret of a revoked key, or if it must sign and has nothing to sign with
 */
export function changeKey(known: KeyRow, change: KeyChange): KeyRow {
  const { requireHmac: _required, newHmacSecret, ...columns } = change
  const revives =
    change.secretHash !== undefined ||
    newHmacSecret !== undefined ||
    (change.status !== undefined && change.status !== 'revoked')
  if (known.status === 'revoked' && revives)
    throw new HubError('conflict', `key ${known.keyId} is revoked for good; make a new one`)
  const replaces = change.secretHash !== undefined && change.previousUntilMs != null
  const hmac = toHmac(known, change)
  return { ...known, ...columns, ...(replaces && { previousHash: known.secretHash }), hmac }
}

function toHmac({ keyId, hmac }: KeyRow, { requireHmac, newHmacSecret }: KeyChange): KeyRow['hmac'] {
  const required = requireHmac ?? hmac?.required ?? false
  const before = hmac?.secrets ?? []
  const secrets = newHmacSecret
    ? [{ sealed: newHmacSecret.sealed, untilMs: null }, ...endAt(before, newHmacSecret)]
    : before
  if (required && secrets.length === 0) {
    throw new HubError('conflict', `key ${keyId} has no HMAC secret to sign with; rotate it with hmac first`)
  }
  return secrets.length === 0 ? null : { required, secrets: secrets.slice(0, maxSecrets) }
}

type End = { readonly previousUntilMs: number | null }

function endAt(secrets: readonly SealedSecret[], { previousUntilMs }: End): SealedSecret[] {
  if (previousUntilMs === null) return []
  return secrets.map(({ sealed, untilMs }) => ({ sealed, untilMs: Math.min(untilMs ?? Infinity, previousUntilMs) }))
}
