import {
  beginVerification,
  explainMessage,
  isRefusal,
  type Verified,
  type HmacSigning,
  type WebhookCause,
  type WebhookFault,
  type WebhookMessage,
  type WebhookRules,
  type WebhookScheme,
} from '@sluice/protocol/webhooks'
import { toSecrets, type JsonWebKeySet, type LoadSecrets } from './key-set.ts'

type Fields = Headers | Readonly<Record<string, string | readonly string[] | undefined>>

/** A request whose body nobody has read, or what was received: the body as it came, never parsed. */
export type WebhookInput =
  | Request
  | {
      readonly headers: Fields
      readonly body: Uint8Array | ArrayBuffer | string
      /** default `POST` */
      readonly method?: string | undefined
      /** whole or from the path on; only for schemes that sign it */
      readonly url?: string | undefined
    }

/** Secrets as their sender shows them, public keys as `whpk_…` or a JWK set, or what loads them (`createKeySet`). */
export type WebhookSecrets = string | readonly string[] | JsonWebKeySet | LoadSecrets

export type WebhookOptions = {
  /** who signs; default `standard-webhooks` */
  readonly scheme?: WebhookScheme | undefined
  /** for scheme `hmac` */
  readonly hmac?: HmacSigning | undefined
  /** how far the signed time may be off; default 300 */
  readonly toleranceSeconds?: number | undefined
  /** says in `cause` and `advice` why: up to a few hundred HMACs, so not for every request of a stranger */
  readonly explain?: boolean | undefined
  /** secrets that count no more, for `explain` */
  readonly oldSecrets?: readonly string[] | undefined
  /** ms since 1970; default `Date.now` */
  readonly now?: (() => number) | undefined
}

export type VerifiedWebhook = {
  readonly verified: true
  /** the sender's id, where the scheme signs one: the same when the message is sent again */
  readonly id: string | null
  /** when this attempt was signed, where the scheme says so */
  readonly signedAt: Date | null
  /** as received */
  readonly body: Uint8Array
  /** @throws SyntaxError for what is no JSON */
  readonly json: () => unknown
}

export type RefusedWebhook = {
  readonly verified: false
  readonly reason: WebhookFault
  /** for the log, and not for the sender */
  readonly message: string
  readonly cause?: WebhookCause
  readonly advice?: string
}

/**
 * Verifies a webhook over the bytes that were received, in constant time. Whoever gets `verified: false` answers 401 and no more.
 *
 * @throws TypeError for a body that was parsed or read before, and for options that can never work
 * @example const webhook = await verifyWebhook(request, secret)
 */
export async function verifyWebhook(
  input: WebhookInput,
  secrets: WebhookSecrets,
  options: WebhookOptions = {},
): Promise<VerifiedWebhook | RefusedWebhook> {
  const message = await toMessage(input)
  const nowMs = (options.now ?? Date.now)()
  const check = async (again: boolean): Promise<VerifiedWebhook | RefusedWebhook> => {
    const rules = await toRules(secrets, options, again)
    const begun = await beginVerification(rules, message, nowMs)
    const ended = isRefusal(begun) ? begun : await begun.prove(message)
    if (!isRefusal(ended)) return toVerified(message.body, ended)
    return { verified: false, ...ended, ...(options.explain && (await explain(rules, message, { options, nowMs }))) }
  }
  const first = await check(false)
  const mayBeNewer = typeof secrets === 'function' && !first.verified && first.reason === 'mismatch'
  return mayBeNewer ? check(true) : first
}

async function toRules(
  secrets: WebhookSecrets,
  { scheme = 'standard-webhooks', hmac, toleranceSeconds }: WebhookOptions,
  again: boolean,
): Promise<WebhookRules> {
  const texts = await toSecrets(secrets, again)
  if (scheme !== 'none' && texts.length === 0)
    throw new TypeError('there is no secret to verify with; is the variable set that holds it?')
  return { scheme, hmac, toleranceSeconds, secrets: texts }
}

type Explaining = { readonly options: WebhookOptions; readonly nowMs: number }

async function explain(
  rules: WebhookRules,
  message: WebhookMessage,
  { options, nowMs }: Explaining,
): Promise<Partial<Pick<RefusedWebhook, 'cause' | 'advice'>>> {
  const found = await explainMessage({ ...rules, oldSecrets: options.oldSecrets }, message, nowMs)
  return found ? { cause: found.cause, advice: found.advice } : {}
}

function toVerified(body: Uint8Array, { id, timestampMs }: Verified): VerifiedWebhook {
  return {
    verified: true,
    id,
    signedAt: timestampMs === null ? null : new Date(timestampMs),
    body,
    json: () => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)),
  }
}

async function toMessage(input: WebhookInput): Promise<WebhookMessage> {
  if (input instanceof Request && input.bodyUsed)
    throw new TypeError(
      'the body of the request was read before; verify first, then use `body` or `json()` of the result',
    )
  const body = input instanceof Request ? new Uint8Array(await input.arrayBuffer()) : toBytes(input.body)
  const { headers, method = 'POST', url = '' } = input
  const path = url.replace(/^https?:\/\/[^/?#]*/, '') || '/'
  return { header: (name) => fieldOf(headers, name), body, method, targets: [path], urls: [url] }
}

/** @throws TypeError */
function toBytes(body: unknown): Uint8Array {
  if (typeof body === 'string') return new TextEncoder().encode(body)
  if (body instanceof ArrayBuffer) return new Uint8Array(body)
  if (body instanceof Uint8Array) return body
  throw new TypeError(
    'the body must be the bytes that were received, not what was parsed from them: printing that anew gives other bytes than were signed',
  )
}

function fieldOf(fields: Fields, name: string): string | undefined {
  if (fields instanceof Headers) return fields.get(name) ?? undefined
  const found = Object.keys(fields).find((key) => key.toLowerCase() === name)
  const value = found === undefined ? undefined : fields[found]
  return typeof value === 'string' ? value : value?.join(', ')
}
