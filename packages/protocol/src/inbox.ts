import { z } from 'zod'
import { Event, limits, shortText } from './event.ts'
import { Filter } from './filter.ts'
import { InboxAction } from './inbox-action.ts'
import { InboxPush } from './inbox-push.ts'
import { Slug } from './slug.ts'

export { Slug } from './slug.ts'

export const Start = z
  .union([z.enum(['latest', 'earliest']), z.iso.datetime({ offset: true })])
  .describe('where a new inbox begins: `latest`, `earliest`, or the first event accepted at or after a time')

export const InboxSettings = z.strictObject({
  filter: Filter,
  start: Start,
  owner: shortText().nullable(),
  lease_seconds: z.int().min(1).max(3600),
  max_attempts: z.int().min(1).max(1000),
  retry: z.strictObject({
    schedule_seconds: z
      .array(
        z
          .int()
          .min(0)
          .max(7 * 86_400),
      )
      .max(50),
  }),
  ordering: z.enum(['none', 'key']).describe('`key`: events with one subject are handed out one after the other'),
  on_dead: z
    .enum(['continue', 'block'])
    .describe('with ordering `key`: whether a dead letter holds back later events of its subject'),
  action: InboxAction.nullable()
    .optional()
    .describe('what the hub runs for each event, with the authority of the key that has set it'),
  push: InboxPush.nullable()
    .optional()
    .describe('where the hub sends each event; not together with an action. Shown without secret and headers'),
  on_unknown: z
    .enum(['retry', 'stop'])
    .optional()
    .describe('what becomes of an event if nobody knows whether its action was done: `stop` makes it a dead letter'),
})
export type InboxSettings = z.infer<typeof InboxSettings>

/** The body of PUT: what is left out takes its default; only what is sent is compared with an inbox that exists. */
export const PutInbox = InboxSettings.partial().meta({ id: 'PutInbox' })
export type PutInbox = z.infer<typeof PutInbox>

/** The body of PATCH. `start` says where an inbox began and cannot change; seek instead. */
export const PatchInbox = InboxSettings.omit({ start: true }).partial().meta({ id: 'PatchInbox' })
export type PatchInbox = z.infer<typeof PatchInbox>

export const InboxStatus = z.enum(['active', 'paused', 'broken', 'disabled'])
export type InboxStatus = z.infer<typeof InboxStatus>

/** How the hub itself delivers from an inbox. */
const InboxDoor = z
  .object({
    key_id: z.string().describe('of the key that has set it; it runs with what that key may do'),
    reason: z.string().nullable().describe('why it is broken or disabled, or what it waits for'),
    public_key: z.string().nullable().describe('of a push: what its v1a signatures are verified with'),
    header_names: z.array(z.string()).describe('of a push: fields that are sent, too'),
    probe_at: z.string().nullable().describe('of a broken one: when it is tried again, with one event'),
  })
  .meta({ id: 'InboxDoor' })

export const Inbox = z
  .object({
    key: Slug,
    status: InboxStatus,
    ...InboxSettings.shape,
    revision: z.int().describe('counts the changes of its settings'),
    generation: z.int().describe('counts its seeks'),
    created_at: z.string(),
    secret: z.string().optional().describe('of a push that was just made or changed without one: shown once'),
    door: InboxDoor.nullable().describe('null: nothing is delivered from here, consumers come by themselves'),
    blocked: z
      .boolean()
      .describe('ordering `key`: too many events wait behind blocked subjects, nothing new is looked at'),
    behind: z.int().describe('positions not yet looked at'),
    waiting: z
      .int()
      .describe('given back or passed over, can be leased now; an upper bound where a range was not looked at'),
    leased: z.int(),
    parked: z.int().describe('given back with a delay that still runs'),
    dead: z.int(),
    oldest_age_seconds: z
      .number()
      .nullable()
      .describe('age of the oldest event that waits, is parked or leased, or is not yet looked at'),
  })
  .meta({ id: 'Inbox' })
export type Inbox = z.infer<typeof Inbox>

const LeaseId = shortText(100).regex(/^[A-Za-z0-9._:-]+$/, 'must have letters, digits and . _ : - only')
const eventIds = z.array(z.string().max(64)).min(1).max(limits.leaseMax)
const reason = z.string().max(2000)

export const LeaseRequest = z
  .strictObject({
    limit: z.int().min(1).max(limits.leaseMax).optional(),
    lease_seconds: z.int().min(1).max(3600).optional(),
    wait_seconds: z
      .number()
      .min(0)
      .max(limits.waitSecondsMax)
      .optional()
      .describe('wait this long for an event if there is none'),
    lease_id: LeaseId.optional().describe(
      'made by the caller, so that a lease whose answer was lost can be asked for again',
    ),
  })
  .meta({ id: 'LeaseRequest' })
export type LeaseRequest = z.infer<typeof LeaseRequest>

export const Lease = z
  .object({
    lease_id: z.string(),
    leased_until: z.string().nullable().describe('null when there are no events'),
    inbox_status: InboxStatus,
    events: z.array(Event.extend({ attempt: z.int() })),
  })
  .meta({ id: 'Lease' })
export type Lease = z.infer<typeof Lease>

export const AckRequest = z
  .strictObject({ lease_id: LeaseId, event_ids: eventIds.optional() })
  .meta({ id: 'AckRequest' })
export type AckRequest = z.infer<typeof AckRequest>

export const ReleaseRequest = z
  .strictObject({
    lease_id: LeaseId,
    event_ids: eventIds.optional(),
    delay_seconds: z
      .number()
      .min(0)
      .max(7 * 86_400)
      .optional()
      .describe('left out: the retry schedule of the inbox, or at once'),
    reason: reason.optional(),
    count: z
      .boolean()
      .optional()
      .describe('false: the events were not touched, and the hand-out costs them no attempt'),
  })
  .meta({ id: 'ReleaseRequest' })
export type ReleaseRequest = z.infer<typeof ReleaseRequest>

export const ExtendRequest = z
  .strictObject({ lease_id: LeaseId, lease_seconds: z.int().min(1).max(3600) })
  .meta({ id: 'ExtendRequest' })
export type ExtendRequest = z.infer<typeof ExtendRequest>

/** `acked` and `released` just now; `already` before; `dead` moved to the dead letters; `lost` to another lease; `unknown` never handed out here. */
export const SettleStatus = z.enum(['acked', 'released', 'already', 'dead', 'lost', 'unknown'])
export type SettleStatus = z.infer<typeof SettleStatus>

export const Settled = z
  .object({ lease_id: z.string(), results: z.array(z.object({ event_id: z.string(), status: SettleStatus })) })
  .meta({ id: 'Settled' })
export type Settled = z.infer<typeof Settled>

export const Extended = z.object({ lease_id: z.string(), leased_until: z.string() }).meta({ id: 'Extended' })
export type Extended = z.infer<typeof Extended>

export const SeekRequest = z
  .strictObject({ to: z.union([z.enum(['earliest', 'latest']), z.iso.datetime({ offset: true }), z.uuid()]) })
  .meta({ id: 'SeekRequest' })
export type SeekRequest = z.infer<typeof SeekRequest>

export const DeadLetter = z
  .object({
    event_id: z.string(),
    event_type: z.string(),
    attempts: z.int(),
    reason: z.string().nullable(),
    dead_at: z.string(),
    event: Event.describe('the copy kept with the dead letter'),
  })
  .meta({ id: 'DeadLetter' })
export type DeadLetter = z.infer<typeof DeadLetter>

export const DeadLetterSelection = z
  .strictObject({
    event_ids: eventIds.optional(),
    filter: z
      .strictObject({
        event_type: shortText().optional(),
        after: z.iso
          .datetime({ offset: true })
          .optional()
          .describe('those that died (`dead_at`) at or after this time'),
        before: z.iso.datetime({ offset: true }).optional().describe('those that died (`dead_at`) before this time'),
      })
      .optional(),
    all: z.literal(true).optional(),
    dry_run: z.boolean().optional().describe('true: only count'),
  })
  .refine(
    (selection) =>
      [selection.event_ids, selection.filter, selection.all].filter((choice) => choice !== undefined).length === 1,
    'must hold exactly one of event_ids, filter, all',
  )
  .meta({ id: 'DeadLetterSelection' })
export type DeadLetterSelection = z.infer<typeof DeadLetterSelection>

export const Attempt = z
  .object({
    event_id: z.string(),
    attempt: z.int(),
    outcome: z.enum(['released', 'expired', 'dead', 'delivered']),
    reason: z.string().nullable(),
    at: z.string(),
    lease_id: z.string(),
    ms: z.int().nullable().describe('how long it took; null where a consumer had the event'),
    result: z
      .string()
      .nullable()
      .describe('of what the hub delivered: the type of the result, or `unknown` if that is not known'),
  })
  .meta({
    id: 'Attempt',
    description:
      'a hand-out that did not end in an acknowledgement, kept for 7 days; or, as `delivered`, one of the last 200 that the hub delivered',
  })
export type Attempt = z.infer<typeof Attempt>

export const Verdict = z
  .object({
    inbox: z.string(),
    verdict: z.enum([
      'waiting',
      'leased',
      'parked',
      'acknowledged',
      'filtered',
      'dead',
      'passed-by-seek',
      'before-start',
      'expired',
      'erased',
    ]),
    rule: z.string().nullable().describe('filtered: JSON Pointer into the filter that excluded it'),
    revision: z.int().nullable().describe('the revision of the settings that decided'),
    reason: z.string().nullable(),
    attempts: z.int(),
    lease_id: z.string().nullable(),
    leased_until: z.string().nullable(),
    available_at: z.string().nullable(),
    history: z.array(Attempt),
  })
  .meta({ id: 'Verdict' })
export type Verdict = z.infer<typeof Verdict>

export const Replayed = z
  .object({ event_id: z.string(), inbox: z.string(), status: z.enum(['replayed', 'already-waiting', 'leased']) })
  .meta({ id: 'Replayed' })
export type Replayed = z.infer<typeof Replayed>
