import { createPrivateKey, createPublicKey, hkdfSync } from 'node:crypto'

/** Key pairs that a workspace signs with, so that receivers need no secret: ed25519, `v1a` of Standard Webhooks. */
export type SigningKeys = {
  /** `whsk_…`, of the secret key that signs now */
  readonly privateKeyOf: (workspace: string) => string
  /** `whpk_…` */
  readonly publicKeyOf: (workspace: string) => string
  /** a JWK for each secret key that this hub has, the one that signs first */
  readonly publicJwksOf: (workspace: string) => Record<string, unknown>[]
}

/** PKCS #8 around the seed of an ed25519 key (RFC 8410). */
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex')

/**
 * Made of the hub's secret keys, so that all nodes have the same and none is kept. Each workspace has its own: whoever may push
 * from one workspace cannot sign for another.
 */
export function createSigningKeys(secretKeys: readonly Uint8Array[]): SigningKeys {
  const seedOf = (secretKey: Uint8Array, workspace: string): Buffer =>
    Buffer.from(hkdfSync('sha256', secretKey, '', `sluice webhook signing ${workspace}`, 32))
  const first = secretKeys[0]
  if (!first) throw new Error('at least one secret key is needed')
  return {
    privateKeyOf: (workspace) => `whsk_${seedOf(first, workspace).toString('base64')}`,
    publicKeyOf: (workspace) => `whpk_${toPublic(seedOf(first, workspace)).toString('base64')}`,
    publicJwksOf: (workspace) =>
      secretKeys.map((secretKey) => {
        const x = toPublic(seedOf(secretKey, workspace)).toString('base64url')
        return { kty: 'OKP', crv: 'Ed25519', x, kid: x.slice(0, 16), use: 'sig', alg: 'EdDSA' }
      }),
  }
}

function toPublic(seed: Buffer): Buffer {
  const key = createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' })
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' })
  return Buffer.from(x, 'base64url')
}
