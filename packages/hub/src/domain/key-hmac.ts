import { randomBytes } from 'node:crypto'
import type { KeyRow } from '../store/store.ts'
import type { Sealing } from './sealing.ts'

const placeOf = (keyId: string): string => `key/${keyId}/hmac`

/** 256 random bits. Whoever signs uses the text as it is shown: its bytes in UTF-8 are the key of the HMAC. */
export function createHmacSecret(): string {
  return `sls_${randomBytes(32).toString('base64url')}`
}

export function sealHmacSecret(sealing: Sealing, keyId: string, secret: string): string {
  return sealing.seal(placeOf(keyId), secret)
}

/**
 * The secrets that sign for a key now, the newest first.
 *
 * @throws Error if none can be opened; its message is for the log
 */
export function openHmacSecrets(sealing: Sealing, { keyId, hmac }: KeyRow, nowMs: number): string[] {
  const current = (hmac?.secrets ?? []).filter(({ untilMs }) => untilMs === null || untilMs > nowMs)
  const opened = current
    .map(({ sealed }) => sealing.open(placeOf(keyId), sealed))
    .filter((secret) => secret !== undefined)
  if (opened.length === 0 && current.length > 0) {
    throw new Error(
      `the HMAC secrets of key ${keyId} were sealed with another secret key; add that one to SLUICE_SECRET_KEY, or rotate them`,
    )
  }
  return opened
}
