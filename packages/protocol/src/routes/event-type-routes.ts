import { z } from 'zod'
import { Accepted, JsonObject, limits, shortText } from '../event.ts'
import {
  EventType,
  EventTypeMode,
  EventTypeSaved,
  EventTypesImported,
  EventTypeWithVersions,
  ImportEventTypes,
  PutEventType,
  Quarantined,
  QuarantinedEvent,
  QuarantineReleased,
  QuarantineSelection,
  ReleaseQuarantined,
} from '../event-type.ts'
import { list, ok, page, type Route } from '../route.ts'

const eventType = '/v1/event-types/{name}'
const flag = z.enum(['true', 'false']).optional()
const allowIncompatible = flag.describe('true: change the schema although it now refuses what it took before')

/** Event types, and the events that their schemas keep back. */
export const eventTypeRoutes = {
  listEventTypes: {
    method: 'GET',
    path: '/v1/event-types',
    summary: 'All event types, by name',
    access: 'event-types',
    query: page.extend({ category: shortText(100).optional() }),
    answers: ok('a page', list('event_types', EventType)),
  },
  getEventType: {
    method: 'GET',
    path: eventType,
    summary: 'One event type with the versions of its schema',
    access: 'event-types',
    answers: ok('the event type', EventTypeWithVersions),
  },
  putEventType: {
    method: 'PUT',
    path: eventType,
    summary: 'Make or change an event type',
    access: 'admin',
    query: z.object({ allow_incompatible: allowIncompatible }),
    body: PutEventType,
    bodyOptional: true,
    answers: {
      200: { description: 'was there; changed if something was different', schema: EventTypeSaved },
      201: { description: 'made', schema: EventTypeSaved },
    },
  },
  deleteEventType: {
    method: 'DELETE',
    path: eventType,
    summary: 'Remove an event type with its versions; events stay',
    access: 'admin',
    answers: { 204: { description: 'removed' } },
  },
  importEventTypes: {
    method: 'POST',
    path: '/v1/event-types/import',
    summary: 'Make or change up to 1,000 event types at once: all or none',
    access: 'admin',
    query: z.object({
      allow_incompatible: allowIncompatible,
      dry_run: flag.describe('true: only say what would change; incompatible changes are named, not refused'),
      mode: EventTypeMode.optional().describe('for new event types that do not say'),
    }),
    body: ImportEventTypes,
    maxBodyBytes: limits.batchBytes,
    answers: ok('what became of each, in the order of the request', EventTypesImported),
  },

  listQuarantine: {
    method: 'GET',
    path: '/v1/quarantine',
    summary: 'Events that their schemas keep back, oldest first',
    access: 'read',
    query: page.extend({ event_type: shortText().optional() }),
    answers: ok('a page', list('quarantined', Quarantined)),
  },
  getQuarantined: {
    method: 'GET',
    path: '/v1/quarantine/{quarantine_id}',
    summary: 'One of them, with the event',
    access: 'read',
    answers: ok('the event and its faults', QuarantinedEvent),
  },
  releaseQuarantined: {
    method: 'POST',
    path: '/v1/quarantine/release',
    summary: 'Check again, and publish what passes, each once',
    access: 'admin',
    body: ReleaseQuarantined,
    answers: ok('what became of each', QuarantineReleased),
  },
  fixQuarantined: {
    method: 'POST',
    path: '/v1/quarantine/{quarantine_id}/fix',
    summary: 'Publish it with another payload',
    access: 'admin',
    body: z.strictObject({ payload: JsonObject }),
    answers: {
      200: { description: 'it was published before', schema: Accepted },
      201: { description: 'published', schema: Accepted },
    },
  },
  discardQuarantined: {
    method: 'POST',
    path: '/v1/quarantine/discard',
    summary: 'Give them up',
    access: 'admin',
    body: QuarantineSelection,
    answers: ok('how many', z.object({ count: z.int(), dry_run: z.boolean() })),
  },
} as const satisfies Record<string, Route>
