import { z } from 'zod'
import { Fault } from './problem.ts'
import { JsonObject, limits, shortText } from './event.ts'
import { reservedPrefix } from './glob.ts'

const text = (max: number): z.ZodString =>
  z
    .string()
    .max(max, `must have at most ${max} characters`)
    .refine((value) => !value.includes('\0') && value.isWellFormed(), 'must not hold NUL or lone surrogates')

/** What becomes of an event whose payload its schema refuses; see `docs/event-types.md`. */
export const EventTypeMode = z.enum(['off', 'warn', 'quarantine', 'reject']).meta({
  id: 'EventTypeMode',
  description:
    'what becomes of a payload that the schema refuses: `off` nothing, `warn` it is stored and the answer says so, `quarantine` it waits apart until somebody decides, `reject` 422',
})
export type EventTypeMode = z.infer<typeof EventTypeMode>

export const EventTypeName = shortText().refine(
  (name) => !name.startsWith(reservedPrefix),
  'event types beginning with "sluice." are reserved for the hub',
)

const topicPart = (example: string): z.ZodString =>
  shortText(100).regex(/^[A-Z][A-Za-z0-9]*$/, `must be in StudlyCaps, as ${example}`)
const category = shortText(100).regex(/^[a-z][a-z0-9_-]*$/, 'must be a word in lower case, as crm')
const schema = JsonObject.describe('JSON Schema of the payload: 2020-12, or draft 7 where `$schema` says so')

const settings = {
  description: text(4000).nullable(),
  schema: schema.nullable(),
  category: shortText(100).nullable(),
  entity: shortText(100).nullable(),
  action: shortText(100).nullable(),
  mode: EventTypeMode,
}

/** The body of PUT. What is left out keeps its value; a new event type has null for it, and the mode `warn`. */
export const PutEventType = z.strictObject(settings).partial().meta({ id: 'PutEventType' })
export type PutEventType = z.infer<typeof PutEventType>

export const EventType = z
  .object({
    name: z.string(),
    ...settings,
    version: z.int().describe('counts the changes of the schema, from 1; 0 while there has been no schema'),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'EventType' })
export type EventType = z.infer<typeof EventType>

export const EventTypeVersion = z
  .object({ version: z.int(), schema: schema.nullable(), created_at: z.string() })
  .meta({ id: 'EventTypeVersion' })
export type EventTypeVersion = z.infer<typeof EventTypeVersion>

export const EventTypeWithVersions = EventType.extend({
  versions: z.array(EventTypeVersion).describe('newest first, the last 100'),
}).meta({ id: 'EventTypeWithVersions' })
export type EventTypeWithVersions = z.infer<typeof EventTypeWithVersions>

/** One topic of a definition file; its event type is `<category>.<Entity><Action>`. */
export const Topic = z
  .strictObject({
    Action: topicPart('Created'),
    Entity: topicPart('OrderLine'),
    Category: category.optional(),
    Description: text(4000).optional(),
    Schema: schema,
  })
  .meta({ id: 'Topic' })
export type Topic = z.infer<typeof Topic>

/** At most so many event types in one import. */
const importMax = 1000

export const ImportEventTypes = z
  .strictObject({
    DefaultCategory: category.optional().describe('for topics without a category of their own'),
    Topics: z.array(Topic).min(1).max(importMax).optional().describe('a topic definition file, as it is'),
    event_types: z
      .array(PutEventType.extend({ name: EventTypeName }))
      .min(1)
      .max(importMax)
      .optional(),
  })
  .refine(
    (body) => (body.Topics === undefined) !== (body.event_types === undefined),
    'must hold either Topics or event_types',
  )
  .meta({ id: 'ImportEventTypes' })
export type ImportEventTypes = z.infer<typeof ImportEventTypes>

/** `new` and `same` speak for themselves; `compatible` and `incompatible` changed something. */
export const EventTypeChange = z.enum(['new', 'same', 'compatible', 'incompatible'])
export type EventTypeChange = z.infer<typeof EventTypeChange>

/** The answer to PUT: the event type as it is now. */
export const EventTypeSaved = EventType.extend({
  change: EventTypeChange,
  incompatible: z
    .array(Fault)
    .describe('what payloads that were right before may now be refused for; pointers into the schema'),
}).meta({ id: 'EventTypeSaved' })
export type EventTypeSaved = z.infer<typeof EventTypeSaved>

export const EventTypesImported = z
  .object({
    dry_run: z.boolean(),
    results: z.array(
      z.object({
        name: z.string(),
        change: EventTypeChange,
        version: z.int(),
        mode: EventTypeMode.describe('as it is now; `?mode` is of new event types alone'),
        incompatible: z.array(Fault),
      }),
    ),
  })
  .meta({ id: 'EventTypesImported' })
export type EventTypesImported = z.infer<typeof EventTypesImported>

/** What becomes of events whose type the workspace does not know. */
export const UnknownEventTypes = z.enum(['allow', 'warn', 'refuse']).meta({ id: 'UnknownEventTypes' })
export type UnknownEventTypes = z.infer<typeof UnknownEventTypes>

const quarantineId = z.uuid()

export const Quarantined = z
  .object({
    quarantine_id: z.string(),
    event_type: z.string(),
    quarantined_at: z.string(),
    version: z.int().describe('of the schema that refused it'),
    errors: z.array(Fault).describe('pointers into the event'),
  })
  .meta({ id: 'Quarantined' })
export type Quarantined = z.infer<typeof Quarantined>

export const QuarantinedEvent = Quarantined.extend({
  event: JsonObject.describe('as it was published'),
}).meta({ id: 'QuarantinedEvent' })
export type QuarantinedEvent = z.infer<typeof QuarantinedEvent>

const selection = {
  quarantine_ids: z.array(quarantineId).min(1).max(limits.leaseMax).optional(),
  event_type: shortText().optional(),
  dry_run: z.boolean().optional().describe('true: only say what would be done'),
}
const saysWhich = (chosen: {
  readonly quarantine_ids?: unknown
  readonly event_type?: unknown
  readonly cursor?: unknown
}): boolean =>
  (chosen.quarantine_ids === undefined) !== (chosen.event_type === undefined) &&
  (chosen.cursor === undefined || chosen.event_type !== undefined)

/** Which ones: by id, or all of a type. */
export const QuarantineSelection = z
  .strictObject(selection)
  .refine(saysWhich, 'must hold either quarantine_ids or event_type')
  .meta({ id: 'QuarantineSelection' })
export type QuarantineSelection = z.infer<typeof QuarantineSelection>

/** The same; of a type a request takes 1,000, oldest first. */
export const ReleaseQuarantined = z
  .strictObject({
    ...selection,
    cursor: z.string().min(1).max(1024).optional().describe('with event_type: `next_cursor` of the answer before'),
  })
  .refine(saysWhich, 'must hold either quarantine_ids or event_type; a cursor goes with the latter')
  .meta({ id: 'ReleaseQuarantined' })
export type ReleaseQuarantined = z.infer<typeof ReleaseQuarantined>

/** `refused` still does not match and stays; `unknown` is in quarantine no more: released, fixed or discarded by somebody else. */
export const ReleaseResult = z
  .object({
    quarantine_id: z.string(),
    status: z.enum(['released', 'refused', 'unknown']),
    event_id: z.string().optional().describe('in the log; not with dry_run'),
    errors: z.array(Fault).optional(),
  })
  .meta({ id: 'ReleaseResult' })
export type ReleaseResult = z.infer<typeof ReleaseResult>

export const QuarantineReleased = z
  .object({
    released: z.int(),
    kept: z.int(),
    dry_run: z.boolean(),
    next_cursor: z.string().nullable().describe('there are more of that type: ask again with it'),
    results: z.array(ReleaseResult),
  })
  .meta({ id: 'QuarantineReleased' })
export type QuarantineReleased = z.infer<typeof QuarantineReleased>
