import { z } from 'zod'
import { UnknownEventTypes } from './event-type.ts'
import { Slug } from './inbox.ts'

/** What is left out stays as it is. */
export const PutWorkspace = z
  .strictObject({
    unknown_event_types: UnknownEventTypes.optional().describe(
      'events whose type is not under /v1/event-types: `allow` (default), `warn`, or `refuse` with 422',
    ),
  })
  .meta({ id: 'PutWorkspace' })
export type PutWorkspace = z.infer<typeof PutWorkspace>

export const Workspace = z
  .object({
    key: Slug,
    created_at: z.string(),
    events: z.int().describe('accepted so far, expired ones included'),
    inboxes: z.int(),
    unknown_event_types: UnknownEventTypes,
    quarantined: z.int().describe('events that wait in quarantine'),
  })
  .meta({ id: 'Workspace' })
export type Workspace = z.infer<typeof Workspace>
