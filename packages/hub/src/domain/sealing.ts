import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { HubError } from '@sluice/protocol'

/**
 * Keeps secrets that the hub must read again: those that it signs or verifies with. The store holds the sealed text alone,
 * which is nothing without the hub's secret key.
 */
export type Sealing = {
  /** @param place what the secret belongs to, as `key/ID/hmac`: sealed text that is moved elsewhere does not open there */
  readonly seal: (place: string, secret: string) => string
  /** Undefined if it was sealed with a secret key that this hub does not have, or for another place, or was changed. */
  readonly open: (place: string, sealed: string) => string | undefined
  /** What sealed texts of the present secret key begin with. */
  readonly current: string
  /** Tells texts apart for good, and gives none of them away: who has not the secret key cannot try texts. 32 hex digits. */
  readonly digest: (text: string) => string
}

type SealingKey = { readonly id: string; readonly key: Buffer; readonly digestKey: Buffer }

const nonceBytes = 12
const tagBytes = 16

/**
 * AES-256-GCM under a key that HKDF-SHA256 derives from the hub's secret key, with 96 random bits as nonce: good for four
 * thousand million secrets. The text is `v1.KEY.BYTES`, where KEY tells which secret key it was.
 *
 * @param secretKeys the first seals, all open: so the hub's secret key can be rotated (`new,old`)
 * @example createSealing(secretKeys).seal('key/0123456789abcdef/hmac', 'sls_…') // 'v1.9f86d081.…'
 */
export function createSealing(secretKeys: readonly Uint8Array[]): Sealing {
  const keys = secretKeys.map(toSealingKey)
  const [first] = keys
  if (!first) throw new Error('at least one secret key is needed')
  return {
    seal: (place, secret) => {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', first.key, nonce).setAAD(Buffer.from(place))
      const bytes = Buffer.concat([nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `v1.${first.id}.${bytes.toString('base64url')}`
    },
    open: (place, sealed) => {
      const [version, id, text = ''] = sealed.split('.')
      const known = version === 'v1' ? keys.find((key) => key.id === id) : undefined
      return known && unseal(known.key, place, Buffer.from(text, 'base64url'))
    },
    current: `v1.${first.id}.`,
    digest: (text) => createHmac('sha256', first.digestKey).update(text).digest('hex').slice(0, 32),
  }
}

function toSealingKey(secretKey: Uint8Array): SealingKey {
  const derive = (info: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', secretKey, new Uint8Array(0), info, bytes))
  return {
    id: derive('sluice sealing id', 4).toString('hex'),
    key: derive('sluice sealing', 32),
    digestKey: derive('sluice digest', 32),
  }
}

function unseal(key: Buffer, place: string, bytes: Buffer): string | undefined {
  if (bytes.length < nonceBytes + tagBytes) return undefined
  const end = bytes.length - tagBytes
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(end))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, end)), decipher.final()]).toString()
  } catch {
    return undefined
  }
}

/** For a command beside a hub whose secret key it was not given. */
export const noSealing: Sealing = {
  seal: () => {
    throw new HubError(
      'conflict',
      'the secret would be sealed with a key that no hub has; set SLUICE_SECRET_KEY to that of the hubs',
    )
  },
  open: () => undefined,
  current: '',
  digest: () => {
    throw new HubError(
      'conflict',
      'there is no secret key to tell texts apart by; set SLUICE_SECRET_KEY to that of the hubs',
    )
  },
}
