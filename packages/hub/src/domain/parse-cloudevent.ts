import {
  HubError,
  limits,
  parseBinaryCloudEvent,
  parseStructuredCloudEvent,
  scanElements,
  startOfJson,
  toValidationError,
  type CloudEventMessage,
  type CloudEventText,
  type ParsedCloudEvent,
} from '@sluice/protocol'
import type { Draft } from '../store/store.ts'
import { toDedup } from './dedup.ts'
import { parseJson, toText } from './json-text.ts'

/** CloudEvents as they came, in one of the three modes of the HTTP binding. */
export type CloudEventBody =
  | { readonly mode: 'structured' | 'batch'; readonly bytes: Buffer }
  | { readonly mode: 'binary'; readonly message: CloudEventMessage }

/** Makes what the store keeps; it may throw. Those of a batch are checked one by one. */
export type ToDraft = (extras: Extras) => Draft

type Extras = {
  readonly notes: string | null
  readonly idempotencyKey?: string
  /** of the request, for events without an idempotency key */
  readonly signature?: string | undefined
}

/**
 * The events of a body in their order, still to be checked each.
 *
 * @throws HubError `validation-error` if a batch as a whole cannot be read, `payload-too-large` beyond 1,000 events
 */
export function parseCloudEvents(body: CloudEventBody): ToDraft[] {
  if (body.mode === 'binary') return [toDraftOf(() => parseBinaryCloudEvent(body.message))]
  const text = toText(body.bytes)
  const start = startOfJson(text)
  const value = parseJson(text)
  if (body.mode === 'structured') return [toDraftOf(() => parseStructuredCloudEvent({ text, start, value }))]
  return toElements({ text, start, value }).map((element) => toDraftOf(() => parseStructuredCloudEvent(element)))
}

function toElements({ text, start, value }: CloudEventText): CloudEventText[] {
  if (!Array.isArray(value)) throw toValidationError([{ pointer: '', detail: 'must be a JSON array of CloudEvents' }])
  if (value.length > limits.batchEvents) {
    throw new HubError(
      'payload-too-large',
      `the batch holds ${value.length} events; at most ${limits.batchEvents} are allowed`,
    )
  }
  // Depth is each element's own affair.
  const spans = scanElements(text, start, Infinity)
  return spans.map((span, index) => ({ text, start: span.start, value: value[index] }))
}

function toDraftOf(parse: () => ParsedCloudEvent): ToDraft {
  return ({ notes, idempotencyKey, signature }) => {
    const { eventType, source, subject, externalEventId, text, content } = parse()
    if (Buffer.byteLength(text) > limits.bodyBytes)
      throw new HubError('payload-too-large', `the event has more than ${limits.bodyBytes} bytes`)
    const dedup = toDedup({ idempotencyKey, source, externalEventId, content, signature })
    return { eventType, source, subject, body: text, notes, dedup }
  }
}
