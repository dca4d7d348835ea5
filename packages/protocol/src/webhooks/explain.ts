import { toBodyVariants } from './body-variants.ts'
import { decode, decodeLoosely, encode, utf8, type Bytes, type Encoding } from './bytes.ts'
import { fieldOf, type WebhookMessage } from './message.ts'
import { signingOf, webhookSchemes, type Signing, type WebhookScheme } from './scheme.ts'
import { toVerifyingKey, type VerifyingKey } from './secret.ts'
import {
  beginVerification,
  findSigner,
  isRefusal,
  readHead,
  toSigning,
  type SignatureHead,
  type WebhookRefusal,
  type WebhookRules,
} from './verify.ts'

/** What is at the bottom of a refusal, as far as it can be found out. */
export type WebhookCause =
  | 'wrong-header'
  | 'clock'
  | 'old-secret'
  | 'secret-encoding'
  | 'signature-encoding'
  | 'signed-otherwise'
  | 'body-empty'
  | 'body-truncated'
  | 'body-reserialised'
  | 'body-recoded'
  | 'secret-or-body'

export type Explanation = WebhookRefusal & {
  readonly cause: WebhookCause
  /** for the owner of the secret, and nobody else: what was found, and what to do */
  readonly advice: string
}

export type ExplainOptions = WebhookRules & {
  /** secrets that count no more */
  readonly oldSecrets?: readonly string[] | undefined
  /** other ways of printing are tried for bodies up to here; default 1 MiB */
  readonly variedBytes?: number | undefined
}

type Finding = Pick<Explanation, 'cause' | 'advice'>

const defaultVariedBytes = 1024 * 1024

/**
 * Why a message is refused: tries what commonly goes wrong until the signature fits. It takes up to a few hundred HMACs, so it is
 * for the owner who looks for a fault, not for every request of a stranger.
 *
 * @returns undefined if nothing is wrong
 * @throws TypeError for scheme `hmac` without its description
 * @example (await explainMessage({ scheme: 'github', secrets: [secret] }, message, Date.now()))?.advice
 */
export async function explainMessage(
  options: ExplainOptions,
  message: WebhookMessage,
  nowMs: number,
): Promise<Explanation | undefined> {
  const begun = await beginVerification(options, message, nowMs)
  const ended = isRefusal(begun) ? begun : await begun.prove(message)
  if (!isRefusal(ended)) return undefined
  const signing = toSigning(options)
  const finding = signing ? await explain({ signing, options, message, refusal: ended, nowMs }) : explainBasic(ended)
  return { ...ended, ...finding }
}

type Case = {
  readonly signing: Signing
  readonly options: ExplainOptions
  readonly message: WebhookMessage
  readonly refusal: WebhookRefusal
  readonly nowMs: number
}

const explainBasic = ({ reason }: WebhookRefusal): Finding =>
  reason === 'mismatch'
    ? {
        cause: 'secret-or-body',
        advice: 'the sender uses another user name or password; compare them with user:password of the secret',
      }
    : {
        cause: 'wrong-header',
        advice: 'the sender sends no user name and password; set them in its address or its settings',
      }

async function explain(of: Case): Promise<Finding> {
  const { signing, message, refusal, nowMs } = of
  const head = readHead(
    { ...signing, toleranceSeconds: signing.toleranceSeconds === null ? null : Infinity },
    message,
    nowMs,
  )
  if (isRefusal(head)) return explainHead(of)
  const tried: Tried = { ...of, head, keys: of.options.secrets.map((text) => toVerifyingKey(signing, text)) }
  if (refusal.reason === 'stale' && (await fits(tried))) return explainClock(tried)
  const found =
    (await explainSecret(tried)) ??
    (message.body.length === 0 ? emptyBody : undefined) ??
    (await explainSigned(tried)) ??
    explainTruncated(message) ??
    (await explainBody(tried))
  return found ?? (await describeBody(message))
}

type Tried = Case & { readonly head: SignatureHead; readonly keys: readonly (VerifyingKey | undefined)[] }

const fits = async (tried: Tried): Promise<boolean> => (await findSigner(tried.signing, tried)) !== undefined

/** The field is missing, or holds something else than it should. */
function explainHead({ signing, options, message, refusal }: Case): Finding {
  const [name = ''] = signing.headers
  if (refusal.reason === 'timestamp-malformed')
    return { cause: 'clock', advice: `${refusal.message}; milliseconds are a common mistake` }
  if (refusal.reason !== 'signature-missing' && refusal.reason !== 'signature-malformed')
    return { cause: 'wrong-header', advice: `${refusal.message}; does a proxy or framework drop it?` }
  const other = webhookSchemes.find((scheme) => scheme !== options.scheme && hasFieldOf(scheme, message))
  if (other !== undefined && refusal.reason === 'signature-missing')
    return {
      cause: 'wrong-header',
      advice: `there is a signature of the scheme ${other}: is the scheme the right one?`,
    }
  if (message.header('x-hub-signature') !== undefined)
    return {
      cause: 'wrong-header',
      advice: 'there is only x-hub-signature, with SHA-1; have the sender send x-hub-signature-256',
    }
  const text = fieldOf(message, signing.headers)
  if (text === undefined)
    return {
      cause: 'wrong-header',
      advice: `${name} is missing: is a secret set at the sender, and does every proxy let the field through?`,
    }
  return { cause: 'signature-encoding', advice: describeSpelling(signing, text) }
}

function hasFieldOf(scheme: WebhookScheme, message: WebhookMessage): boolean {
  const signing = scheme === 'hmac' ? undefined : signingOf(scheme)
  return signing !== undefined && fieldOf(message, signing.headers) !== undefined
}

const encodings: readonly Encoding[] = ['hex', 'base64', 'base64url']

function describeSpelling({ prefix, encoding }: Signing, text: string): string {
  const bare = text.startsWith(prefix) ? text.slice(prefix.length) : text
  const wanted = `it must be ${prefix}${encoding.toUpperCase()}`
  if (prefix !== '' && !text.startsWith(prefix)) return `the signature does not begin with ${prefix}; ${wanted}`
  const other = encodings.find((one) => one !== encoding && decode(bare, one) !== undefined)
  if (other !== undefined) return `the signature looks like ${other}; ${wanted}`
  if (encoding === 'hex' && decodeLoosely(bare, 'hex')) return 'the signature is in capitals; it must be in lower case'
  return `the signature cannot be read, or is cut off; ${wanted}`
}

function explainClock({ head, nowMs, refusal }: Tried): Finding {
  const minutes = Math.round(Math.abs((head.timestampMs ?? 0) - nowMs) / 60_000)
  const what = `the signature is right, but ${refusal.message} (about ${minutes} minutes)`
  return {
    cause: 'clock',
    advice: `${what}: set the clocks, or look whether something has kept the message back; each attempt must be signed anew`,
  }
}

async function explainSecret(tried: Tried): Promise<Finding | undefined> {
  const { signing, options } = tried
  const { oldSecrets = [], secrets } = options
  const old = await findSigner(signing, { ...tried, keys: oldSecrets.map((text) => toVerifyingKey(signing, text)) })
  if (old !== undefined)
    return {
      cause: 'old-secret',
      advice: 'it is signed with an earlier secret, which counts no more: the sender must take the new one',
    }
  const readings = secrets.flatMap((text) => toReadings(text))
  const found = await findSigner(signing, { ...tried, keys: readings.map(({ bytes }) => ({ kind: 'hmac', bytes })) })
  if (found === undefined) return undefined
  return {
    cause: 'secret-encoding',
    advice: `the secret is the right one, read otherwise: the sender takes ${readings[found.secret]?.how}`,
  }
}

/** Bytes that a sender may have made of the text of a secret. */
function toReadings(secret: string): { readonly how: string; readonly bytes: Bytes }[] {
  const trimmed = secret.trim().replaceAll(/^["']|["']$/g, '')
  const bare = trimmed.replace(/^[a-z]+_/, '')
  const readings: [how: string, bytes: Bytes | undefined][] = [
    ['its text as it is, prefix included', utf8(secret)],
    ['its text without blanks or quotes around it', utf8(trimmed)],
    ['its text with a line break behind', utf8(`${secret}\n`)],
    ['the text behind its prefix', utf8(bare)],
    ['the bytes that the whole of it stands for in base64', decodeLoosely(trimmed, 'base64')],
    ['the bytes that it stands for in base64, without its prefix', decodeLoosely(bare, 'base64')],
    ['the bytes that it stands for in hex', decodeLoosely(bare, 'hex')],
  ]
  return readings.flatMap(([how, bytes]) => (bytes && bytes.length > 0 ? [{ how, bytes }] : []))
}

const templates = [
  '{body}',
  '{timestamp}.{body}',
  '{timestamp}{body}',
  '{timestamp}:{body}',
  '{id}.{timestamp}.{body}',
  'v0:{timestamp}:{body}',
]
const algorithms = ['SHA-1', 'SHA-256', 'SHA-512'] as const

/** Another template, or another hash. */
async function explainSigned(tried: Tried): Promise<Finding | undefined> {
  const { signing } = tried
  for (const algorithm of algorithms) {
    for (const template of [signing.template, ...templates]) {
      if (algorithm === signing.algorithm && template === signing.template) continue
      if (!(await fits({ ...tried, signing: { ...signing, algorithm, template } }))) continue
      const expected = `${signing.algorithm} over ${signing.template}`
      return {
        cause: 'signed-otherwise',
        advice: `the secret is right, but the sender signs with ${algorithm} over ${template}, not ${expected}`,
      }
    }
  }
  return undefined
}

const emptyBody: Finding = {
  cause: 'body-empty',
  advice: 'the body is empty: something has read it before. Take the raw bytes before any middleware that parses them',
}

function explainTruncated({ header, body }: WebhookMessage): Finding | undefined {
  const announced = Number(header('content-length'))
  if (Number.isSafeInteger(announced) && announced > body.length)
    return {
      cause: 'body-truncated',
      advice: `the body has ${body.length} bytes, but ${announced} were announced: it was cut off on its way`,
    }
  const isJson = header('content-type')?.includes('json') === true
  if (!isJson || !endsEarly(body)) return undefined
  return {
    cause: 'body-truncated',
    advice: `the body of ${body.length} bytes ends within its JSON: it was cut off on its way`,
  }
}

/** JSON that stops: it parses up to its end, and would go on. */
function endsEarly(body: Uint8Array): boolean {
  const text = new TextDecoder().decode(body)
  try {
    JSON.parse(text)
    return false
  } catch {
    return /^\s*[{[]/.test(text) && !/[}\]]\s*$/.test(text)
  }
}

async function explainBody(tried: Tried): Promise<Finding | undefined> {
  const { message, options } = tried
  if (message.body.length > (options.variedBytes ?? defaultVariedBytes)) return undefined
  for (const { cause, how, body } of toBodyVariants(message.body)) {
    if (!(await fits({ ...tried, message: { ...message, body } }))) continue
    const advice = `the signature fits the body ${cause === 'body-reserialised' ? 'printed ' : ''}${how}: it was parsed and printed anew, or changed, on its way. Verify the raw bytes, before anything parses them`
    return { cause, advice }
  }
  return undefined
}

async function describeBody({ body }: WebhookMessage): Promise<Finding> {
  const digest = encode(new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(body))), 'hex')
  return {
    cause: 'secret-or-body',
    advice: `the secret is another one, or the body was changed: here it has ${body.length} bytes with the SHA-256 ${digest}. Compare that with what the sender signs, then the secrets`,
  }
}
