import type { RequestOptions } from '@sluice/client'
import type { Request } from '@sluice/client/rest'
import { toEnvelope, type Customer, type Envelope, type EventOptions } from './envelope.ts'
import { checkMembers } from './check-members.ts'
import { isRecord } from './php-json.ts'
import type { Fields } from './shapes.ts'

export type SendOptions = EventOptions &
  RequestOptions & {
    /** one is made when left out; every attempt carries the same */
    readonly idempotencyKey?: string | undefined
    /** one is made when left out; eSauti's logs have it */
    readonly requestId?: string | undefined
  }

/** What eSauti said to an event. */
export type Receipt = {
  readonly received: boolean
  /** where the answer names one */
  readonly event_id?: string
  /** of the answer */
  readonly status: number
  /** the body of the answer, as it came; an object if it was JSON */
  readonly raw: unknown
}

export type Linked = {
  readonly linked: boolean
  /** of the contact that it was linked to, where the answer names one */
  readonly contact_id?: string
  readonly status: number
  readonly raw: unknown
}

export type Events = {
  /**
   * Injects one event. It is tried again under the same idempotency key, and, with `hmacSecret`, signed anew each time.
   *
   * @param type an entity, a dot and what happened, as `order.created`
   * @throws TypeError for options that there are not; EventValidationError before anything is sent; RateLimitError; ApiError; TransportError, after the last attempt
   * @example await esauti.events.send('order.created', { identity: { id: 'cus_456' }, data: { value: 99.99 } })
   */
  send(type: string, options?: SendOptions): Promise<Receipt>
  /**
   * Says who a customer is, by an address, a number or an id of another system.
   *
   * @param more what else is known, as it should stand beside the identity
   * @example const { contact_id } = await esauti.events.identify({ email: 'jane@esauti.com' }, { firstname: 'Jane' })
   */
  identify(identity: Customer, more?: Fields, options?: RequestOptions): Promise<Linked>
  /** The envelope that `send` would send. */
  build(type: string, options?: EventOptions): Envelope
}

type EventSettings = {
  readonly path: string
  readonly identifyPath: string
  readonly source: string
  readonly nowMs: () => number
  readonly newId: () => string
}

export function createEvents(settings: EventSettings, request: Request): Events {
  const { path, identifyPath, source, nowMs, newId } = settings
  const build = (type: string, options: EventOptions = {}): Envelope =>
    toEnvelope(type, options, { source, nowMs: nowMs() })
  const post = createPost(newId, request)
  return {
    build: (type, options = {}) => {
      checkMembers('an event of eSauti', options, { known: ofEvent, words })
      return build(type, options)
    },
    send: async (type, options = {}) => {
      checkMembers('an event of eSauti', options, { known: [...ofEvent, ...ofSending], words })
      const envelope = build(type, options)
      const answer = await post({ path, source: envelope.source, body: envelope }, options)
      return { received: !isDenied(answer, 'received'), ...idOf(answer, ['event_id', 'id'], 'event_id'), ...answer }
    },
    identify: async (identity, more = {}, options = {}) => {
      const answer = await post({ path: identifyPath, source, body: { ...more, identity } }, options)
      return { linked: !isDenied(answer, 'linked'), ...idOf(answer, ['contact_id'], 'contact_id'), ...answer }
    },
  }
}

const ofEvent = [
  'identity',
  'entity',
  'data',
  'source',
  'occurredAt',
  'externalEventId',
] satisfies (keyof EventOptions)[]
const ofSending = ['idempotencyKey', 'requestId', 'signal', 'timeoutMs', 'maxRetries', 'totalTimeoutMs', 'onAnswer']

/** As the envelope, the hub and other clients call them. */
const words = {
  payload: 'data',
  properties: 'data',
  customer: 'identity',
  occurred_at: 'occurredAt',
  external_event_id: 'externalEventId',
  idempotency_key: 'idempotencyKey',
  request_id: 'requestId',
}

type Post = { readonly path: string; readonly source: string; readonly body: object }
type Posted = { readonly status: number; readonly raw: unknown }

/** Every attempt of one post has the same keys. */
function createPost(newId: () => string, request: Request) {
  return async ({ path, source, body }: Post, options: SendOptions): Promise<Posted> => {
    const { idempotencyKey = newId(), requestId = newId(), signal, timeoutMs, maxRetries, totalTimeoutMs } = options
    const headers = { 'x-request-id': requestId, 'x-esauti-source': source }
    const call = { method: 'POST', path, body, idempotencyKey, headers, repeatable: true, answer: 'text' } as const
    let status = 0
    const onAnswer: RequestOptions['onAnswer'] = (answer) => {
      status = answer.status
      options.onAnswer?.(answer)
    }
    const text = await request<string>(call, { signal, timeoutMs, maxRetries, totalTimeoutMs, onAnswer })
    return { status, raw: parseLeniently(text) }
  }
}

/** What a success looks like is nowhere written: any 2xx is one, unless the answer says no. */
function isDenied({ raw }: Posted, name: string): boolean {
  return isRecord(raw) && raw[name] === false
}

function idOf<Name extends string>({ raw }: Posted, names: readonly string[], as: Name): { [Key in Name]?: string } {
  const found = isRecord(raw) ? names.map((name) => raw[name]).find((id) => id !== undefined) : undefined
  // One member of that name, or none.
  return (typeof found === 'string' || typeof found === 'number' ? { [as]: String(found) } : {}) as {
    [Key in Name]?: string
  }
}

function parseLeniently(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
