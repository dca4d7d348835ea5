import { z } from 'zod'
import { UnknownEventTypes } from './event-type.ts'
import { Slug } from './inbox.ts'

const most = 1_000_000_000

/** What a workspace may have at most; without a member there is no limit. */
export const Quotas = z
  .object({
    events_per_day: z.int().min(0).max(most).optional().describe('published between two midnights UTC'),
    inboxes: z.int().min(1).max(most).optional().describe('the one named `default` counts'),
  })
  .meta({ id: 'Quotas' })
export type Quotas = z.infer<typeof Quotas>

/** What is left out stays as it is. */
export const PutWorkspace = z
  .strictObject({
    unknown_event_types: UnknownEventTypes.optional().describe(
      'events whose type is not under /v1/event-types: `allow` (default), `warn`, or `refuse` with 422',
    ),
    quotas: z
      .strictObject({
        events_per_day: z.int().min(0).max(most).nullable().optional(),
        inboxes: z.int().min(1).max(most).nullable().optional(),
      })
      .optional()
      .describe('null takes a limit away'),
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
    quotas: Quotas,
    quarantined: z.int().describe('events that wait in quarantine'),
  })
  .meta({ id: 'Workspace' })
export type Workspace = z.infer<typeof Workspace>
