import { wallTime, type Clock } from './clock.ts'
import type { Transport } from './transport.ts'

export type Signing = {
  /** text as it was shown (`sls_…`); its UTF-8 bytes are the key */
  readonly secret: string
  /** names the secret to the hub; left out, the hub takes the one of the bearer's key */
  readonly keyId: string | undefined
  readonly clock: Clock
  /** what the fields are called; default `x-sluice-timestamp` and `x-sluice-signature` */
  readonly fields?: SigningFields | undefined
}

export type SigningFields = { readonly timestamp: string; readonly signature: string }

const ownFields: SigningFields = { timestamp: 'x-sluice-timestamp', signature: 'x-sluice-signature' }

const encoder = new TextEncoder()

/**
 * Signs each request as it leaves, over the bytes that are sent, so that each attempt has a time of its own. WebCrypto does
 * it, which browsers and edge runtimes have, too.
 *
 * @throws TypeError where there is no WebCrypto: on web pages that came over plain HTTP from another machine
 */
export function createSigningTransport(transport: Transport, signing: Signing): Transport {
  const { secret, keyId, clock, fields = ownFields } = signing
  // Types say that it is always there; pages without a secure context are without it.
  const subtle = crypto.subtle as SubtleCrypto | undefined
  if (!subtle) throw new TypeError('hmacSecret needs WebCrypto, which this page lacks: serve it over HTTPS')
  let key: Promise<CryptoKey> | undefined
  return async (request) => {
    key ??= subtle.importKey('raw', encoder.encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
    const timestamp = String(Math.floor(wallTime(clock) / 1000))
    const path = request.url.slice(request.url.indexOf('/', 'https://'.length))
    const head = encoder.encode(`${request.method}\n${path}\n${timestamp}\n`)
    const signed = join(head, request.bytes ?? encoder.encode(request.body ?? ''))
    const digest = new Uint8Array(await subtle.sign('HMAC', await key, signed))
    const headers = {
      ...request.headers,
      ...(keyId && { 'x-sluice-key-id': keyId }),
      [fields.timestamp]: timestamp,
      [fields.signature]: `sha256=${Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')}`,
    }
    return transport({ ...request, headers })
  }
}

function join(head: Uint8Array, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(head.length + body.length)
  whole.set(head)
  whole.set(body, head.length)
  return whole
}
