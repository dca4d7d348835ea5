import { z } from 'zod'
import { reservedPrefix } from './glob.ts'

/** Sizes of the wire, in bytes as received unless said otherwise. */
export const limits = {
  payloadBytes: 262_144,
  bodyBytes: 512 * 1024,
  batchBytes: 5 * 1024 * 1024,
  batchEvents: 1000,
  /** nesting of objects and arrays in an event */
  depth: 128,
  pollDefault: 50,
  pollMax: 200,
  leaseDefault: 10,
  leaseMax: 1000,
  waitSecondsMax: 20,
} as const

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const controlCharacters = /[\u0000-\u001f\u007f]/
/** A short name or id from outside: 1 to `max` characters, none of them control characters or lone surrogates. */
export const shortText = (max = 255): z.ZodString =>
  z
    .string()
    .min(1, 'must not be empty')
    .max(max, `must have at most ${max} characters`)
    .refine((text) => !controlCharacters.test(text) && text.isWellFormed(), 'must not hold control characters')

export const JsonObject = z.record(z.string(), z.unknown())
export type JsonObject = z.infer<typeof JsonObject>

export const Actor = z
  .strictObject({ type: z.enum(['user', 'service', 'third-party']), id: shortText() })
  .meta({ id: 'Actor', description: 'who caused the event' })
export type Actor = z.infer<typeof Actor>

export const Identity = z
  .strictObject({
    id: shortText().optional(),
    email: shortText(320).optional(),
    phone: shortText(64).optional(),
    external_id: shortText().optional(),
  })
  .meta({ id: 'Identity', description: 'the person whom the event is about' })
export type Identity = z.infer<typeof Identity>

export const Entity = z
  .strictObject({ type: shortText(), id: shortText() })
  .meta({ id: 'Entity', description: 'the thing which the event is about' })
export type Entity = z.infer<typeof Entity>

// `type` is for the JSON Schema: a custom check has none of its own.
const payloadObject = z
  .custom<JsonObject>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'must be a JSON object',
  )
  .meta({ type: 'object' })

/** What a publisher sends. Unknown members are refused by name; the hub adds `event_id` and `timestamp`. */
export const NewEvent = z
  .strictObject({
    event_type: shortText().refine(
      (type) => !type.startsWith(reservedPrefix),
      'event types beginning with "sluice." are reserved for the hub',
    ),
    payload: payloadObject,
    source: shortText().optional(),
    subject: shortText().optional(),
    occurred_at: z.iso
      .datetime({ offset: true, message: 'must be an ISO 8601 time with a zone, as 2026-01-31T12:00:00Z' })
      .optional(),
    metadata: payloadObject.optional(),
    actor: Actor.optional(),
    identity: Identity.optional(),
    entity: Entity.optional(),
    correlation_id: shortText().optional(),
    external_event_id: shortText().optional(),
    channel: shortText().optional(),
    deliver_at: z.iso
      .datetime({ offset: true, message: 'must be an ISO 8601 time with a zone, as 2026-01-31T12:00:00Z' })
      .optional()
      .describe('kept in the schedule until then, at most 366 days; a time that has passed is now'),
  })
  .meta({ id: 'NewEvent', description: 'an event as its publisher sends it' })
export type NewEvent = z.infer<typeof NewEvent>

/** An idempotency key: 1 to 255 visible characters. */
export const IdempotencyKey = shortText()

export const NewBatchEvent = NewEvent.extend({ idempotency_key: IdempotencyKey.optional() }).meta({
  id: 'NewBatchEvent',
  description: 'an event in a batch, with its own idempotency key if it needs one',
})
export type NewBatchEvent = z.infer<typeof NewBatchEvent>

/** What a CloudEvent says that our event has no member for. Every event that came as a CloudEvent has it. */
export const CloudEventRest = z
  .object({
    datacontenttype: z.string().optional().describe('media type of the data'),
    dataschema: z.string().optional().describe('URI of its schema'),
    extensions: z.record(z.string(), z.union([z.string(), z.int(), z.boolean()])).optional(),
  })
  .meta({ id: 'CloudEventRest', description: 'of an event that came as a CloudEvent: what has no member of its own' })
export type CloudEventRest = z.infer<typeof CloudEventRest>

// In TypeScript an object, for nearly every reader may rely on it; in the description what may come.
const anyPayload = z
  .custom<JsonObject>()
  .optional()
  .describe(
    'an object; of an event that came as a CloudEvent any JSON value, or left out',
  ) as unknown as z.ZodCustom<JsonObject>

/**
 * An event as the hub hands it out. `payload` is an object, as `NewEvent` demands, of every event but those that came as
 * CloudEvents: their data may be any JSON value (null, too), nothing at all, or bytes, which stand in `payload_base64`
 * instead. An inbox that takes such events looks at `cloudevent` before it relies on an object.
 */
export const Event = z
  .object({
    event_id: z.string().describe('UUID version 8; sorts by acceptance'),
    timestamp: z.string().describe('time of acceptance, ISO 8601 UTC'),
    ...NewEvent.shape,
    event_type: z.string(),
    payload: anyPayload,
    payload_base64: z.string().optional().describe('data of a CloudEvent that is no JSON and no text'),
    cloudevent: CloudEventRest.optional(),
    attempt: z
      .int()
      .optional()
      .describe('how many times the event was handed out, this time included; on leased events only'),
  })
  .meta({ id: 'Event', description: 'an event as the hub hands it out' })
export type Event = z.infer<typeof Event>

export type LeasedEvent = Event & { attempt: number }

/** The event was taken, and this is wrong with it: its payload does not match its schema, or its type is unknown. */
export const Warning = z
  .object({
    code: z.enum(['schema-mismatch', 'unknown-event-type']),
    message: z.string(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })),
  })
  .meta({ id: 'Warning' })
export type Warning = z.infer<typeof Warning>

const takenStatus = z.enum(['accepted', 'duplicate', 'quarantined', 'scheduled'])
const scheduled = {
  scheduled_id: z
    .string()
    .optional()
    .describe('with `scheduled`, where `event_id` repeats it: the event has an id of its own once it is due'),
  deliver_at: z.string().optional().describe('with `scheduled`: when it is due'),
}
const quarantineId = z
  .string()
  .optional()
  .describe('with `quarantined`, where `event_id` repeats it: the event has an id of its own once it is released')
const warnings = z.array(Warning).optional().describe('left out if there are none')

export const Accepted = z
  .object({
    event_id: z.string(),
    timestamp: z.string(),
    status: takenStatus,
    message: z.string(),
    quarantine_id: quarantineId,
    ...scheduled,
    warnings,
  })
  .meta({
    id: 'Accepted',
    description:
      'the answer to a published event; `duplicate` carries the id of the first, `quarantined` and `scheduled` are on disk and in no inbox',
  })
export type Accepted = z.infer<typeof Accepted>

export const BatchItemError = z.object({
  error_code: z.string(),
  message: z.string(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
})

export const BatchResult = z
  .union([
    z.object({
      index: z.int(),
      event_id: z.string(),
      timestamp: z.string(),
      status: takenStatus,
      quarantine_id: quarantineId,
      ...scheduled,
      warnings,
    }),
    z.object({ index: z.int(), error: BatchItemError }),
  ])
  .meta({ id: 'BatchResult' })
export type BatchResult = z.infer<typeof BatchResult>

export const BatchAccepted = z.object({ accepted: z.int(), failed: z.int(), results: z.array(BatchResult) }).meta({
  id: 'BatchAccepted',
  description:
    'one result for each event, in the order of the request; `accepted` counts duplicates and quarantined ones too',
})
export type BatchAccepted = z.infer<typeof BatchAccepted>

export const Pagination = z
  .object({ next_cursor: z.string().nullable(), has_more: z.boolean() })
  .meta({ id: 'Pagination' })
export type Pagination = z.infer<typeof Pagination>

export const EventPage = z.object({ events: z.array(Event), pagination: Pagination }).meta({ id: 'EventPage' })
export type EventPage = z.infer<typeof EventPage>
