import { z } from 'zod'
import { Accepted, BatchAccepted, Event, EventPage, limits, NewBatchEvent, NewEvent, shortText } from '../event.ts'
import { Replayed, Slug, Verdict } from '../inbox.ts'
import { TriedFilter, TryFilter } from '../look-back.ts'
import { cursor, limit, ok, page, type Route } from '../route.ts'

const time = z.iso.datetime({ offset: true })
// Older clients address an event by id and time; the id alone is enough here.
const withTimestamp = z.object({ timestamp: z.string().max(64).optional().describe('accepted and not needed') })
const eventId = '/v1/events/{event_id}'

/** Publishing, and the log. */
export const eventRoutes = {
  publishEvent: {
    method: 'POST',
    path: '/v1/events',
    alias: '/events',
    summary: 'Publish one event',
    access: 'publish',
    repeatable: 'always',
    body: NewEvent,
    answers: {
      200: { description: 'a repetition under the same idempotency key', schema: Accepted },
      201: { description: 'stored', schema: Accepted },
      202: {
        description: 'quarantined or scheduled: stored, and in no inbox before it is released or due',
        schema: Accepted,
      },
    },
    cloudEvents: 'body',
  },
  publishBatch: {
    method: 'POST',
    path: '/v1/events/batch',
    summary: 'Publish up to 1,000 events',
    access: 'publish',
    repeatable: 'always',
    body: z.union([z.strictObject({ events: z.array(NewBatchEvent) }), z.array(NewBatchEvent)]),
    maxBodyBytes: limits.batchBytes,
    answers: ok('one result for each event', BatchAccepted),
    cloudEvents: 'body',
  },
  searchEvents: {
    method: 'GET',
    path: '/v1/events',
    summary: 'Search, newest first',
    access: 'read',
    query: z.object({
      event_type: shortText().optional().describe('glob'),
      source: shortText().optional(),
      subject: shortText().optional(),
      channel: shortText().optional(),
      identity: shortText(320).optional().describe('id, email, phone or external_id'),
      entity: shortText(511).optional().describe('`type:id` or an id'),
      after: time.optional(),
      before: time.optional(),
      text: z.string().min(1).max(200).optional().describe('part of the payload'),
      limit: limit(limits.pollMax, limits.pollDefault),
      cursor,
    }),
    answers: ok(
      'a page; `searched_to` tells how far back a bounded scan came',
      EventPage.extend({ searched_to: z.string().nullable() }).meta({ id: 'SearchPage' }),
    ),
    cloudEvents: 'many',
  },
  tailEvents: {
    method: 'GET',
    path: '/v1/events/stream',
    summary: 'Server-sent events: what is published from now on, a sample of it when it is much',
    access: 'read',
    query: z.object({
      event_type: shortText().optional().describe('glob'),
      source: shortText().optional().describe('glob'),
      subject: shortText().optional().describe('glob'),
      per_second: limit(limits.pollMax, limits.pollDefault).describe('events sent in a second, at most'),
    }),
    answers: {
      200: {
        description: 'frames `event`; and `pace` about once a second, with how many were `seen` and `shown`',
        mediaType: 'text/event-stream',
      },
    },
  },
  pollDefault: {
    method: 'GET',
    path: '/v1/events/inbox',
    alias: '/events/inbox',
    summary: 'Peek at the default inbox, oldest first',
    access: 'inbox-read',
    query: page,
    answers: ok('a page', EventPage),
    cloudEvents: 'many',
  },
  getEvent: {
    method: 'GET',
    path: eventId,
    alias: '/events/{event_id}',
    summary: 'One event, acknowledged or not',
    access: 'read',
    query: withTimestamp.extend({
      format: z
        .enum(['cloudevents', 'cloudevents-binary'])
        .optional()
        .describe('the event as a CloudEvent: structured, or in fields and body'),
    }),
    answers: ok('the event', Event),
    cloudEvents: 'one',
  },
  acknowledgeEvent: {
    method: 'DELETE',
    path: eventId,
    alias: '/events/{event_id}',
    summary: 'Acknowledge in the default inbox',
    access: 'inbox',
    repeatable: 'always',
    query: withTimestamp,
    answers: { 204: { description: 'acknowledged, now or before' } },
  },
  explainEvent: {
    method: 'GET',
    path: `${eventId}/explain`,
    summary: 'What became of it in each inbox',
    access: 'read',
    answers: ok('a verdict for each inbox', z.object({ event_id: z.string(), verdicts: z.array(Verdict) })),
  },
  tryFilter: {
    method: 'POST',
    path: '/v1/filters/try',
    summary: 'What a filter wants of the past, and in what it differs from another; nothing is handed out',
    access: 'read',
    repeatable: 'always',
    body: TryFilter,
    answers: ok('what this step found', TriedFilter),
  },
  replayEvent: {
    method: 'POST',
    path: `${eventId}/replay`,
    summary: 'Hand it out again',
    access: 'inbox',
    body: z.strictObject({ inbox: Slug, ignore_filter: z.boolean().optional() }),
    answers: ok('waiting again', Replayed),
  },
} as const satisfies Record<string, Route>
