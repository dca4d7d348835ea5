import type { Clock } from './clock.ts'
import { toSettings, type Settings, type SluiceOptions } from './options.ts'
import { createRequest, type Request } from './request.ts'
import { createSigningTransport, type SigningFields } from './sign.ts'

export type { Bytes, Call, Request } from './request.ts'

/** How to reach another service, and how to read its answers. */
export type RestOptions = Pick<
  SluiceOptions,
  | 'timeoutMs'
  | 'maxRetries'
  | 'totalTimeoutMs'
  | 'logger'
  | 'debug'
  | 'redact'
  | 'fetch'
  | 'transport'
  | 'clock'
  | 'random'
  | 'newId'
> & {
  readonly baseUrl: string
  /** signs every request as the hub's are signed, in fields of these names */
  readonly signing?: { readonly secret: string; readonly fields: SigningFields } | undefined
  /** stand in no error */
  readonly secrets?: readonly string[] | undefined
  /** default `JSON.parse`; throw for what is no whole answer, and it counts as none */
  readonly parseAnswer?: Settings['parseAnswer']
  /** a refusal in the words of that service; undefined if it gives no reason */
  readonly parseProblem: NonNullable<Settings['parseProblem']>
}

export type Rest = {
  readonly request: Request
  /** without a slash at its end */
  readonly baseUrl: string
  readonly clock: Clock
  readonly newId: () => string
}

/**
 * The attempts, waits, timeouts and errors of this client, for the API of another service. Redirects are not followed, so
 * that no credential goes to a host that was not named.
 *
 * @throws TypeError or RangeError for options that can never work
 * @example
 * const { request } = createRest({ baseUrl: 'https://crm.example.com/api', parseProblem: () => undefined })
 * const contact = await request<Contact>({ method: 'GET', path: '/contacts/7', repeatable: true })
 */
export function createRest({ parseAnswer, parseProblem, signing, secrets = [], ...options }: RestOptions): Rest {
  const plain = toSettings(options)
  const transport = signing
    ? createSigningTransport(plain.transport, { ...signing, keyId: undefined, clock: plain.clock })
    : plain.transport
  const settings: Settings = { ...plain, transport, secrets, parseAnswer, parseProblem }
  const { baseUrl, clock, newId } = settings
  return { request: createRequest(settings), baseUrl, clock, newId }
}
