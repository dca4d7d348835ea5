import {
  verifyWebhook,
  type RefusedWebhook,
  type VerifiedWebhook,
  type WebhookInput,
  type WebhookOptions,
  type WebhookSecrets,
} from './verify.ts'

export type ReceiverOptions = WebhookOptions & {
  readonly secrets: WebhookSecrets
  /** of a body; default 5 MiB */
  readonly maxBytes?: number | undefined
  /** Told of what is refused, for the log. */
  readonly onRefused?: ((refusal: RefusedWebhook) => void) | undefined
}

const defaultMaxBytes = 5 * 1024 * 1024

/** What the framework is to answer, if it is not to go on. */
export type Refusal = { readonly status: 401 | 413; readonly body: { readonly error: string } }

type Parts = Exclude<WebhookInput, Request>

/** Verifies what an adapter has received. @throws TypeError for a body that was parsed */
export async function receive(parts: Parts, options: ReceiverOptions): Promise<VerifiedWebhook | Refusal> {
  if (toLength(parts.body) > (options.maxBytes ?? defaultMaxBytes)) return tooLarge
  const ended = await verifyWebhook(parts, options.secrets, options)
  if (ended.verified) return ended
  options.onRefused?.(ended)
  return { status: 401, body: { error: 'webhook refused' } }
}

export const tooLarge: Refusal = { status: 413, body: { error: 'webhook too large' } }

const toLength = (body: Parts['body']): number => (typeof body === 'string' ? body.length : body.byteLength)

export const limitOf = ({ maxBytes = defaultMaxBytes }: ReceiverOptions): number => maxBytes

/** Whether the head announces more than is taken. */
export function announcesMore(length: string | undefined | null, options: ReceiverOptions): boolean {
  return Number(length ?? 0) > limitOf(options)
}

/** Undefined for more than `limit` bytes: of the rest nothing is read. */
export async function readUpTo(
  limit: number,
  stream: AsyncIterable<Uint8Array>,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size > limit) return undefined
    chunks.push(chunk)
  }
  const whole = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

/** @param how what to do with this framework */
export function parsedBody(how: string): TypeError {
  return new TypeError(
    `the body of the webhook was read or parsed before it was verified, and its bytes are gone: ${how}`,
  )
}
