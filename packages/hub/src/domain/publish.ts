import { HubError, matchesEventType, startOfJson } from '@sluice/protocol'
import type { Context, Workspace } from './context.ts'
import { parseJson, toText } from './json-text.ts'
import { parseBatch, type BatchItem } from './parse-batch.ts'
import { parseCloudEvents, type CloudEventBody } from './parse-cloudevent.ts'
import { parseEvent } from './parse-event.ts'
import type { Published } from './published.ts'
import type { Publishable } from './schedules/publish-later.ts'
import { storeEvents } from './store-events.ts'

export type { Published } from './published.ts'

/** Who publishes: where to, and which event types the key may publish (globs; null allows all). */
export type Publisher = {
  readonly workspace: Workspace
  readonly allowedEventTypes: readonly string[] | null
  /** of a signed request: an event without an idempotency key is known by it, so that a request sent again stores nothing */
  readonly signature?: string
}

export type Publication = {
  /** the event, as received */
  readonly bytes: Buffer
  readonly idempotencyKey?: string
  /** what makes it the same event under a used key; its bytes unless given */
  readonly content?: string
  /** the W3C `traceparent` of the request */
  readonly traceparent?: string
}

/**
 * Stores one event. When it resolves, the event is on disk: in the log, or where its schema keeps it back, in quarantine.
 *
 * @throws HubError `validation-error`, `payload-too-large`, `event-type-not-allowed`, `idempotency-mismatch`, `schema-mismatch`,
 * `unknown-event-type`, `overloaded`
 */
export async function publishEvent(
  context: Context,
  publisher: Publisher,
  publication: Publication,
): Promise<Published> {
  const { bytes, idempotencyKey, content, traceparent } = publication
  const text = toText(bytes)
  const value = parseJson(text)
  const draft = parseEvent(
    { text, start: startOfJson(text), end: text.trimEnd().length, value },
    {
      batch: false,
      notes: toNotes(traceparent),
      signature: publisher.signature,
      content,
      ...(idempotencyKey !== undefined && { idempotencyKey }),
    },
  )
  requireEventType(publisher, draft.eventType)
  const [published] = await storeEvents(context, publisher.workspace, [draft])
  if (!published) throw new Error('an event was left out')
  if (published instanceof HubError) throw published
  return published
}

export type BatchPublication = {
  readonly bytes: Buffer
  readonly form: 'json' | 'ndjson'
  readonly traceparent?: string
}

/**
 * Stores those events of a batch that can be stored, and says of each what became of it, in their order.
 *
 * @throws HubError `validation-error` and `payload-too-large` for the batch as a whole
 */
export async function publishBatch(
  context: Context,
  publisher: Publisher,
  publication: BatchPublication,
): Promise<(Published | HubError)[]> {
  const notes = toNotes(publication.traceparent)
  const drafts = parseBatch(publication.bytes, publication.form).map((item, index) =>
    toDraft(publisher, item, { notes, index }),
  )
  return publishDrafts(context, publisher, drafts)
}

/** Stores what can be stored of these, and says of each what became of it. */
async function publishDrafts(
  context: Context,
  publisher: Publisher,
  drafts: readonly (Publishable | HubError)[],
): Promise<(Published | HubError)[]> {
  const good = drafts.filter((draft): draft is Publishable => !(draft instanceof HubError))
  const stored = await storeEvents(context, publisher.workspace, good)
  let next = 0
  return drafts.map((draft) => {
    if (draft instanceof HubError) return draft
    const result = stored[next]
    next += 1
    if (!result) throw new Error('an event was left out')
    return result
  })
}

export type CloudEventPublication = {
  readonly body: CloudEventBody
  /** for a single event */
  readonly idempotencyKey?: string
  readonly traceparent?: string
}

/**
 * Stores CloudEvents: of a batch those that can be stored, as `publishBatch` does.
 *
 * @throws HubError as `publishEvent` for the event of structured and binary mode, as `publishBatch` for a batch
 */
export async function publishCloudEvents(
  context: Context,
  publisher: Publisher,
  { body, idempotencyKey, traceparent }: CloudEventPublication,
): Promise<(Published | HubError)[]> {
  const extras = { notes: toNotes(traceparent), ...(idempotencyKey !== undefined && { idempotencyKey }) }
  const drafts = parseCloudEvents(body).map((parse, index) =>
    orError(() => {
      const draft = parse({ ...extras, signature: signatureAt(publisher, index) })
      requireEventType(publisher, draft.eventType)
      return draft
    }),
  )
  const results = await publishDrafts(context, publisher, drafts)
  const [first] = results
  if (body.mode !== 'batch' && first instanceof HubError) throw first
  return results
}

/** Each event of a signed request is known by its place in it. */
function signatureAt({ signature }: Publisher, index: number): string | undefined {
  return signature && `${signature}/${index}`
}

type Item = { readonly notes: string | null; readonly index: number }

function toDraft(publisher: Publisher, item: BatchItem, { notes, index }: Item): Publishable | HubError {
  if (item instanceof HubError) return item
  const signature = signatureAt(publisher, index)
  return orError(() => {
    const draft = parseEvent(item, { batch: true, notes, signature })
    requireEventType(publisher, draft.eventType)
    return draft
  })
}

/** A refusal as a value. */
export function orError<Value>(make: () => Value): Value | HubError {
  try {
    return make()
  } catch (error) {
    if (error instanceof HubError) return error
    throw error
  }
}

/** @throws HubError `event-type-not-allowed` */
export function requireEventType({ allowedEventTypes }: Pick<Publisher, 'allowedEventTypes'>, eventType: string): void {
  if (allowedEventTypes === null || (allowedEventTypes.length > 0 && matchesEventType(allowedEventTypes, eventType)))
    return
  throw new HubError(
    'event-type-not-allowed',
    `this API key may not publish "${eventType}"; it may publish ${allowedEventTypes.join(', ') || 'nothing'}`,
  )
}

/** W3C trace context: version, trace id, parent id and flags; ids of zeros and version ff are invalid. */
const traceparentShape = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.{0,200})?$/

export function toNotes(traceparent: string | undefined): string | null {
  return traceparent !== undefined && traceparentShape.test(traceparent) ? JSON.stringify({ traceparent }) : null
}
