import { HubError } from '@sluice/protocol'
import type { KeyRow, Store } from '../store/store.ts'
import { openHmacSecrets } from './key-hmac.ts'
import type { Sealing } from './sealing.ts'
import { describeMismatch, findFormFault, isSignedBy, type Signature, type Signed } from './signature.ts'

/** A signed request whose body is still to come. */
export type Verification = {
  readonly keyId: string
  readonly workspaceId: number
  /** @throws HubError `signature-refused` to the owner of the key, `unauthorized` to anybody else */
  readonly prove: (signed: Signed) => void
}

/** Who signed: a key that was shown beside the signature, or one that is only named. */
export type Signer = { readonly keyId: string; readonly isOwner: boolean }

/**
 * Begins to verify, and refuses what cannot become right, before a byte of the body is read. Why is said to whoever has
 * shown the key as well: to a stranger a signature is right or not.
 *
 * @throws HubError `signature-refused`, `unauthorized`
 */
export async function beginVerification(
  { store, sealing }: { readonly store: Store; readonly sealing: Sealing },
  { keyId, isOwner }: Signer,
  signature: Signature,
): Promise<Verification> {
  const refuse = (why: string): HubError => (isOwner ? refuseSignature(why) : refuseStranger())
  const key = await store.findKey(keyId)
  if (!key) throw refuseStranger()
  if (key.hmac === null) throw refuse(`key ${keyId} has no HMAC secret; rotate it with hmac to make one`)
  const fault = findFormFault(signature, store.nowMs())
  if (fault !== undefined) throw refuse(fault)
  const secrets = openHmacSecrets(sealing, key, store.nowMs())
  return {
    keyId,
    workspaceId: key.workspaceId,
    prove: (signed) => {
      if (!isSignedBy(secrets, signature, signed)) throw refuse(describeMismatch(signed))
    },
  }
}

/** @throws HubError `signature-refused` for a key that must sign */
export function requireSignature({ keyId, hmac }: Pick<KeyRow, 'keyId' | 'hmac'>): void {
  if (hmac?.required === true)
    throw refuseSignature(`key ${keyId} must sign its requests: X-Sluice-Signature is missing`)
}

export const refuseSignature = (why: string): HubError => new HubError('signature-refused', why)
export const refuseStranger = (): HubError => new HubError('unauthorized', 'Invalid or missing API key')

/** Twice the 300 seconds that a clock may be off. */
const rememberedMs = 600_000

/**
 * What gives a new answer each time, as a new key, must not be had again by whoever has seen the request go by.
 *
 * @throws HubError `conflict` for the second request with a signature
 */
export async function useOnce(store: Store, signature: string, newId: () => string): Promise<void> {
  if (await store.claimTask(`signature/${signature}`, newId(), rememberedMs)) return
  throw new HubError('conflict', 'this very request was made before; to make it again, sign it anew, at another second')
}
