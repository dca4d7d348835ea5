/** Bytes as WebCrypto takes them. */
export type Bytes = Uint8Array<ArrayBuffer>

export type Encoding = 'hex' | 'base64' | 'base64url'

const encoder = new TextEncoder()

/** In UTF-8. */
export const utf8 = (text: string): Bytes => encoder.encode(text)

/** One byte a character, as HTTP libraries give the bytes of a field. */
export const latin1 = (text: string): Bytes => Uint8Array.from(text, (character) => character.charCodeAt(0))

export function join(parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

export function encode(bytes: Uint8Array, encoding: Encoding): string {
  if (encoding === 'hex') return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
  return encoding === 'base64' ? text : text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/**
 * The bytes, if this text and no other is how they are written: one signature must not have several spellings.
 *
 * @returns undefined for capitals in hex, missing or needless padding, stray bits and characters of another alphabet
 */
export function decode(text: string, encoding: Encoding): Bytes | undefined {
  const bytes = encoding === 'hex' ? decodeHex(text) : decodeBase64(text)
  return bytes !== undefined && encode(bytes, encoding) === text ? bytes : undefined
}

/** Secrets come from people: padding may be missing, and either alphabet will do. */
export function decodeLoosely(text: string, encoding: Encoding): Bytes | undefined {
  return encoding === 'hex' ? decodeHex(text.toLowerCase()) : decodeBase64(text)
}

function decodeHex(text: string): Bytes | undefined {
  if (!/^(?:[0-9a-f]{2})+$/.test(text)) return undefined
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

function decodeBase64(text: string): Bytes | undefined {
  const plain = text.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '')
  if (plain === '' || !/^[A-Za-z0-9+/]+$/.test(plain) || plain.length % 4 === 1) return undefined
  return latin1(atob(plain))
}
