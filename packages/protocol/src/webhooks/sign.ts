import { encode } from './bytes.ts'
import { toSigned } from './message.ts'
import { signingOf, type HmacSigning, type Signing, type WebhookScheme } from './scheme.ts'
import { isPrivateKey, signWithHmac, signWithPrivateKey, toVerifyingKey } from './secret.ts'
import { toBasic } from './verify.ts'

export type ToSign = {
  readonly scheme: WebhookScheme
  readonly hmac?: HmacSigning | null | undefined
  /** as the provider shows it; of `basic`, `user:password`; of Standard Webhooks `whsk_…`, too. Several: one signature each */
  readonly secrets: readonly string[]
  readonly body: Uint8Array
  /** of this attempt, in ms since 1970 */
  readonly nowMs: number
  /** of the message, for schemes that sign one */
  readonly id?: string | undefined
  /** default `POST` */
  readonly method?: string | undefined
  /** path and query of the address, and the whole of it, for schemes that sign them */
  readonly target?: string | undefined
  readonly url?: string | undefined
}

/**
 * Signs a message as a provider does.
 *
 * @returns the fields to send it with, names in lower case
 * @throws TypeError for a secret that is none of the scheme
 * @example await signMessage({ scheme: 'github', secrets: [secret], body, nowMs: Date.now() })
 */
export async function signMessage(given: ToSign): Promise<Record<string, string>> {
  const { scheme, hmac, secrets, body, nowMs, target, method, url } = given
  const signing = signingOf(scheme, hmac)
  if (!signing) return scheme === 'basic' ? { authorization: toBasic(secrets[0] ?? '') } : {}
  const timestamp = String(Math.floor(nowMs / 1000))
  const id = signing.idHeaders.length > 0 ? (given.id ?? crypto.randomUUID()) : undefined
  const [signed] = toSigned(
    signing,
    { header: () => undefined, body, method, urls: [url ?? ''], targets: [target ?? '/'] },
    { timestamp, id },
  )
  if (!signed) throw new TypeError('there is nothing to sign')
  const signatures: string[] = []
  for (const secret of secrets) signatures.push(await signOne(signing, secret, signed))
  const [header = '', timestampHeader, idHeader] = [signing.headers, signing.timestampHeaders, signing.idHeaders].map(
    ([name]) => name,
  )
  return {
    ...(idHeader !== undefined && id !== undefined && { [idHeader]: id }),
    ...(timestampHeader !== undefined && { [timestampHeader]: timestamp }),
    [header]: signing.form === 'pairs' ? [`t=${timestamp}`, ...signatures].join(',') : signatures.join(' '),
  }
}

async function signOne(
  signing: Signing,
  secret: string,
  signed: Parameters<typeof signWithPrivateKey>[1],
): Promise<string> {
  const { form, prefix, encoding, algorithm } = signing
  if (form === 'versions' && isPrivateKey(secret))
    return `v1a,${encode(await signWithPrivateKey(secret, signed), encoding)}`
  const key = toVerifyingKey(signing, secret)
  if (key?.kind !== 'hmac') throw new TypeError('the secret cannot sign: it is malformed, or a public key')
  const text = encode(await signWithHmac(key.bytes, algorithm, signed), encoding)
  return `${prefixes[form] ?? prefix}${text}`
}

const prefixes: Partial<Record<Signing['form'], string>> = { versions: 'v1,', pairs: 'v1=' }
