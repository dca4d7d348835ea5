import { decode, decodeLoosely, join, utf8, type Bytes } from './bytes.ts'
import type { Signing } from './scheme.ts'

/** Something to verify with: bytes of an HMAC key, or a public key of ed25519. */
export type VerifyingKey = { readonly kind: 'hmac' | 'ed25519'; readonly bytes: Bytes }

const publicPrefix = 'whpk_'
const privatePrefix = 'whsk_'
const secretPrefix = 'whsec_'
const keyBytes = 32

/**
 * A secret as its provider shows it.
 *
 * @returns undefined if the text is none of this scheme: no base64, an ed25519 key of the wrong length, or a private one
 */
export function toVerifyingKey({ secretFrom }: Pick<Signing, 'secretFrom'>, text: string): VerifyingKey | undefined {
  if (text === '') return undefined
  if (secretFrom === 'text') return { kind: 'hmac', bytes: utf8(text) }
  if (secretFrom !== 'whsec') return asHmac(decodeLoosely(text, secretFrom))
  if (text.startsWith(privatePrefix)) return undefined
  if (text.startsWith(publicPrefix)) {
    const bytes = decode(text.slice(publicPrefix.length), 'base64')
    return bytes?.length === keyBytes ? { kind: 'ed25519', bytes } : undefined
  }
  return asHmac(decode(text.startsWith(secretPrefix) ? text.slice(secretPrefix.length) : text, 'base64'))
}

const asHmac = (bytes: Bytes | undefined): VerifyingKey | undefined => bytes && { kind: 'hmac', bytes }

const hashOf = (algorithm: Signing['algorithm']): HmacImportParams => ({ name: 'HMAC', hash: algorithm })

/** Whether one of the signatures is this key's. An HMAC is made once, however many there are to compare with it. */
export async function isSignedWith(
  { kind, bytes }: VerifyingKey,
  { algorithm }: Pick<Signing, 'algorithm'>,
  { signatures, signed }: { readonly signatures: readonly Bytes[]; readonly signed: Bytes },
): Promise<boolean> {
  if (signatures.length === 0) return false
  if (kind === 'hmac') return isAmong(signatures, await signWithHmac(bytes, algorithm, signed))
  const { subtle } = crypto
  // A point that is none on the curve is no key.
  const key = await subtle.importKey('raw', bytes, 'Ed25519', false, ['verify']).catch(() => undefined)
  if (!key) return false
  let found = false
  // One after the other: each takes a copy of the message.
  for (const signature of signatures) if (await subtle.verify('Ed25519', key, signature, signed)) found = true
  return found
}

/** Compares in constant time: WebCrypto does it, under a key that nobody knows. */
export async function isAmong(several: readonly Bytes[], one: Bytes): Promise<boolean> {
  const { subtle } = crypto
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  const key = await subtle.importKey('raw', bytes, hashOf('SHA-256'), false, ['sign', 'verify'])
  const digest = await subtle.sign('HMAC', key, one)
  const same = await Promise.all(several.map((other) => subtle.verify('HMAC', key, digest, other)))
  return same.includes(true)
}

export async function signWithHmac(bytes: Bytes, algorithm: Signing['algorithm'], signed: Bytes): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', bytes, hashOf(algorithm), false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, signed))
}

/** PKCS #8 around the seed of an ed25519 key (RFC 8410). */
const pkcs8 = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20]

/** @param text `whsk_…`: the seed, with or without the public key behind it */
export async function signWithPrivateKey(text: string, signed: Bytes): Promise<Bytes> {
  const bytes = decode(text.slice(privatePrefix.length), 'base64')
  if (bytes?.length !== keyBytes && bytes?.length !== 2 * keyBytes)
    throw new TypeError('the private key must be whsk_ and 32 or 64 bytes in base64')
  const whole = join([Uint8Array.from(pkcs8), bytes.subarray(0, keyBytes)])
  const key = await crypto.subtle.importKey('pkcs8', whole, 'Ed25519', false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('Ed25519', key, signed))
}

export const isPrivateKey = (text: string): boolean => text.startsWith(privatePrefix)
