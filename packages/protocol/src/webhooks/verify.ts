import { decode, encode, utf8, type Bytes } from './bytes.ts'
import {
  fieldOf,
  readSignatureField,
  toSigned,
  type SignatureField,
  type WebhookHead,
  type WebhookMessage,
} from './message.ts'
import { signingOf, type HmacSigning, type Signing, type WebhookScheme } from './scheme.ts'
import { isAmong, isSignedWith, toVerifyingKey, type VerifyingKey } from './secret.ts'

/** Why a webhook is refused. */
export type WebhookFault =
  | 'signature-missing'
  | 'signature-malformed'
  | 'timestamp-missing'
  | 'timestamp-malformed'
  | 'id-missing'
  | 'id-malformed'
  | 'stale'
  | 'mismatch'

export type WebhookRefusal = { readonly reason: WebhookFault; readonly message: string }

/** What the head of a webhook says of its signature. */
export type SignatureHead = {
  readonly field: SignatureField
  readonly timestamp: string | undefined
  readonly timestampMs: number | null
  readonly id: string | undefined
}

/** Tells a refusal from what was asked for. */
export const isRefusal = (value: object): value is WebhookRefusal => 'reason' in value

const refuse = (reason: WebhookFault, message: string): WebhookRefusal => ({ reason, message })

/** What can be said before the body is there. */
export function readHead(signing: Signing, head: WebhookHead, nowMs: number): SignatureHead | WebhookRefusal {
  const text = fieldOf(head, signing.headers)
  if (text === undefined) return refuse('signature-missing', `the field ${signing.headers[0]} is missing`)
  const field = readSignatureField(signing, text)
  if (![...field.signatures, ...field.publicSignatures].some((signature) => isWellFormed(signing, signature)))
    return refuse('signature-malformed', `the field ${signing.headers[0]} holds no ${describeSignature(signing)}`)
  const id = fieldOf(head, signing.idHeaders)
  const idFault = findIdFault(signing, id)
  if (idFault) return idFault
  const timestamp = field.timestamp ?? fieldOf(head, signing.timestampHeaders)
  if (signing.toleranceSeconds === null) return { field, timestamp, timestampMs: null, id }
  const timestampMs = toMs(signing, timestamp)
  if (timestampMs === undefined) return refuseTime(signing, timestamp)
  // Times are whole seconds, our clock is not.
  const aheadSeconds = Math.floor(timestampMs / 1000) - Math.floor(nowMs / 1000)
  if (Math.abs(aheadSeconds) > signing.toleranceSeconds) return refuseStale(signing, aheadSeconds)
  return { field, timestamp, timestampMs, id }
}

const isWellFormed = ({ encoding }: Signing, signature: string): boolean => decode(signature, encoding) !== undefined

export function describeSignature({ form, prefix, encoding }: Signing): string {
  if (form === 'versions') return 'signature like v1,BASE64 or v1a,BASE64'
  if (form === 'pairs') return 'time and signature like t=SECONDS,v1=HEX'
  return `signature like ${prefix}${encoding.toUpperCase()}${encoding === 'hex' ? ' in lower case' : ''}`
}

/** A dot in the id would let the rest of it pass for a time, and the time for a part of the body. */
function findIdFault({ idHeaders, form }: Signing, id: string | undefined): WebhookRefusal | undefined {
  if (idHeaders.length === 0) return undefined
  if (id === undefined) return refuse('id-missing', `the field ${idHeaders[0]} is missing`)
  if (form !== 'versions' || !id.includes('.')) return undefined
  return refuse('id-malformed', `the field ${idHeaders[0]} must not hold a dot`)
}

function toMs({ looseTime }: Signing, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,11}$/.test(text)) return Number(text) * 1000
  if (!looseTime) return undefined
  if (/^\d{12,14}$/.test(text)) return Number(text)
  const ms = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(ms) ? undefined : ms
}

function refuseTime({ timestampHeaders, headers, looseTime }: Signing, text: string | undefined): WebhookRefusal {
  const where = timestampHeaders[0] === undefined ? `t= in ${headers[0]}` : `the field ${timestampHeaders[0]}`
  if (text === undefined) return refuse('timestamp-missing', `${where} is missing`)
  const wanted = looseTime ? 'seconds or milliseconds since 1970, or ISO 8601' : 'whole seconds since 1970'
  return refuse('timestamp-malformed', `${where} must be ${wanted}`)
}

function refuseStale({ toleranceSeconds }: Signing, aheadSeconds: number): WebhookRefusal {
  const place = `${Math.abs(aheadSeconds)} seconds ${aheadSeconds > 0 ? 'ahead of' : 'behind'} this clock; ${toleranceSeconds} are allowed`
  return refuse('stale', `its time is ${place}`)
}

/** How to verify: whose signature it is, and the secrets that count. */
export type WebhookRules = {
  readonly scheme: WebhookScheme
  readonly hmac?: HmacSigning | null | undefined
  /** as their provider shows them; of `basic`, `user:password` */
  readonly secrets: readonly string[]
  /** in place of what the scheme has, where it looks at the time at all */
  readonly toleranceSeconds?: number | undefined
}

export type Verified = {
  readonly verified: true
  /** place of the secret that signed; null where nothing is signed */
  readonly secret: number | null
  /** the id that was signed, of schemes that have one */
  readonly id: string | null
  /** the time that was signed, in ms since 1970 */
  readonly timestampMs: number | null
  /** what was signed, as the sender put it together: the same of one message, whichever of its signatures counted */
  readonly signed: Uint8Array | null
}

/** A message whose head is in order; its body is still to be looked at. */
export type Pending = { readonly prove: (message: WebhookMessage) => Promise<Verified | WebhookRefusal> }

/**
 * Looks at the head of a message, so that a body which cannot be right need not be read.
 *
 * @throws TypeError for scheme `hmac` without its description
 */
export async function beginVerification(
  rules: WebhookRules,
  head: WebhookHead,
  nowMs: number,
): Promise<Pending | WebhookRefusal> {
  const signing = toSigning(rules)
  if (!signing) {
    const known = rules.scheme === 'none' ? unsigned : await checkPassword(rules.secrets, head)
    return isRefusal(known) ? known : { prove: async () => known }
  }
  const found = readHead(signing, head, nowMs)
  if (isRefusal(found)) return found
  return {
    prove: async (message) => {
      const keys = rules.secrets.map((text) => toVerifyingKey(signing, text))
      const signer = await findSigner(signing, { message, head: found, keys })
      return signer ? { verified: true, id: found.id ?? null, timestampMs: found.timestampMs, ...signer } : mismatch
    },
  }
}

export function toSigning({ scheme, hmac, toleranceSeconds }: WebhookRules): Signing | undefined {
  const signing = signingOf(scheme, hmac)
  if (!signing || signing.toleranceSeconds === null || toleranceSeconds === undefined) return signing
  return { ...signing, toleranceSeconds }
}

const unsigned: Verified = { verified: true, secret: null, id: null, timestampMs: null, signed: null }

async function checkPassword(secrets: readonly string[], { header }: WebhookHead): Promise<Verified | WebhookRefusal> {
  const given = header('authorization')
  if (given === undefined) return refuse('signature-missing', 'the field authorization is missing')
  if (!/^basic /i.test(given))
    return refuse('signature-malformed', 'the field authorization holds something other than Basic')
  const same = await Promise.all(
    secrets.map((secret) => isAmong([utf8(toBasic(secret).slice(6))], utf8(given.slice(6).trim()))),
  )
  const secret = same.indexOf(true)
  if (secret < 0) return refuse('mismatch', 'user name or password is another one')
  return { ...unsigned, secret }
}

export type Signed = {
  readonly message: WebhookMessage
  readonly head: Pick<SignatureHead, 'field' | 'timestamp' | 'id'>
  /** undefined: a secret that is none */
  readonly keys: readonly (VerifyingKey | undefined)[]
}

/**
 * Which of the keys signed, by its place among them, and what. All are tried: how long it takes tells nothing.
 */
export async function findSigner(
  signing: Signing,
  { message, head, keys }: Signed,
): Promise<{ secret: number; signed: Bytes } | undefined> {
  const ways = toSigned(signing, message, head)
  const decoded = (texts: readonly string[]): Bytes[] => texts.flatMap((text) => decode(text, signing.encoding) ?? [])
  const signatures = { hmac: decoded(head.field.signatures), ed25519: decoded(head.field.publicSignatures) }
  let found: { secret: number; signed: Bytes } | undefined
  for (const [index, key] of keys.entries())
    for (const signed of key ? ways : [])
      if (key && (await isSignedWith(key, signing, { signatures: signatures[key.kind], signed })))
        found ??= { secret: index, signed }
  return found
}

const mismatch = refuse('mismatch', 'none of the secrets makes this signature over this message')

/** `Authorization` for `user:password` in UTF-8. */
export const toBasic = (secret: string): string => `Basic ${encode(utf8(secret), 'base64')}`
