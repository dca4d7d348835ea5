import { performance } from 'node:perf_hooks'
import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { signMessage, type HmacSigning, type WebhookScheme } from '@sluice/client/webhooks'
import { AddressRefusedError, type Outbound } from '@sluice/sdk/outbound'

/** Whoever is checked, and how a sender would sign for it. */
export type Target = {
  readonly url: URL
  readonly scheme: WebhookScheme
  readonly hmac?: HmacSigning | undefined
  readonly secret: string
}

export type CheckOptions = {
  readonly outbound: Outbound
  /** for one answer */
  readonly timeoutMs: number
  /** that a slow body takes */
  readonly slowMs: number
  readonly hugeBytes: number
  /** ms since 1970 */
  readonly now: () => number
  readonly newId: () => string
}

/** How far a message came that was not answered: not allowed to leave, no connection, or a connection that ended. */
type Place = 'refused' | 'unconnected' | 'connected'

/** What came back: an answer, or what happened instead of one. */
export type Answer =
  | { readonly status: number; readonly ms: number }
  | { readonly status: null; readonly ms: number; readonly error: string; readonly place: Place }

/** What is sent; signed over `body` as a whole. */
type Shot = {
  readonly body: Uint8Array
  readonly id?: string
  /** of the signature, relative to now */
  readonly aheadMs?: number
  readonly secrets?: readonly string[]
  /** changes what was signed, or leaves it out */
  readonly change?: (headers: Record<string, string>) => Record<string, string>
  /** sent in place of what was signed */
  readonly sent?: Uint8Array
  readonly manner?: 'at once' | 'chunked' | 'slow' | 'cut off'
}

/** @returns the answer; a receiver that cannot be reached is no error here */
export type Shoot = (shot: Shot) => Promise<Answer>

const pieces = 10

/** Sends one message at a time. Answers are read and thrown away; redirects are not followed. */
export function createShoot(target: Target, options: CheckOptions): Shoot {
  return async (shot) => {
    const { url } = target
    const headers = await sign(target, options, shot)
    const started = performance.now()
    const elapsed = (): number => Math.round(performance.now() - started)
    try {
      const response = await options.outbound.dispatcher.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'POST',
        headers,
        body: toBody(shot, options.slowMs),
        signal: AbortSignal.timeout(options.timeoutMs),
        reset: true,
      })
      const ms = elapsed()
      await response.body.dump().catch(() => undefined)
      return { status: response.statusCode, ms }
    } catch (error) {
      return {
        status: null,
        ms: elapsed(),
        error: describe(error, options),
        place: toPlace(error),
      }
    }
  }
}

async function sign(
  { url, scheme, hmac, secret }: Target,
  options: CheckOptions,
  shot: Shot,
): Promise<Record<string, string>> {
  const {
    body,
    sent = body,
    id = options.newId(),
    aheadMs = 0,
    secrets = [secret],
    change = (fields) => fields,
    manner,
  } = shot
  const signed = await signMessage({
    scheme,
    hmac,
    secrets,
    body,
    id,
    nowMs: options.now() + aheadMs,
    target: url.pathname + url.search,
    url: url.href,
  })
  const isWhole = manner !== 'chunked' && manner !== 'slow'
  return {
    'content-type': 'application/json',
    'user-agent': 'sluice-webhooks-check',
    ...(isWhole && { 'content-length': String(sent.length) }),
    ...change(signed),
  }
}

function toBody({ body, sent = body, manner = 'at once' }: Shot, slowMs: number): Buffer | Readable {
  if (manner === 'at once') return Buffer.from(sent)
  return Readable.from(drip(sent, manner === 'slow' ? slowMs / pieces : 0, manner === 'cut off'))
}

async function* drip(bytes: Uint8Array, pauseMs: number, isCut: boolean): AsyncGenerator<Uint8Array> {
  const size = Math.max(1, Math.ceil(bytes.length / pieces))
  for (let at = 0; at < bytes.length; at += size) {
    if (isCut && at >= bytes.length / 2) throw new Error('cut off, as intended')
    yield bytes.subarray(at, at + size)
    if (pauseMs > 0) await pause(pauseMs)
  }
}

function toPlace(error: unknown): Place {
  if (error instanceof AddressRefusedError) return 'refused'
  const { code = '', syscall } = error as { code?: string; syscall?: string } // what Node and undici add
  const isBefore = syscall === 'connect' || syscall === 'getaddrinfo' || /^UND_ERR_CONNECT|CERT|TLS|SSL/.test(code)
  return isBefore ? 'unconnected' : 'connected'
}

function describe(error: unknown, { timeoutMs }: CheckOptions): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`
  const { cause } = error
  const words = cause instanceof Error ? cause.message : error.message
  return words === '' ? error.name : words
}
