import { z } from 'zod'
import { shortText } from './event.ts'

/** Most events of one bulk request. */
export const briteBulkMax = 250

const members = (value: unknown): number =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value).length : 0

/** An event as clients of the BriteEvents API send it. The topic is named by its first three members. */
export const BriteEvent = z
  .strictObject({
    category: z.string().regex(/^[a-z]+$/, 'must be one lower-case word'),
    entity: z.string().regex(/^([A-Z][a-z]+)+$/, 'must be in StudlyCaps, as MyEntity'),
    action: z.string().regex(/^[A-Z][a-z]+$/, 'must be one capitalised word, as Created'),
    data: z
      .custom<Record<string, unknown>>((value) => members(value) > 0, 'must be a JSON object with at least one member')
      .meta({ type: 'object', minProperties: 1 }),
    actor: z.strictObject({
      id: shortText().min(5, 'must have at least 5 characters'),
      type: z.enum(['user', 'service', 'third-party']),
    }),
  })
  .meta({ id: 'BriteEvent', description: 'an event as clients of the BriteEvents API send it' })
export type BriteEvent = z.infer<typeof BriteEvent>

export const BriteAccepted = z
  .object({ eventId: z.string(), jobId: z.string().nullable().describe('as the request named it') })
  .meta({ id: 'BriteAccepted' })
export type BriteAccepted = z.infer<typeof BriteAccepted>

export const BriteBulkAccepted = z
  .object({
    failedRecords: z.int(),
    records: z
      .array(z.string())
      .describe('for each event in order `Success`, a name that means "send it again", or why it is refused'),
  })
  .meta({ id: 'BriteBulkAccepted' })
export type BriteBulkAccepted = z.infer<typeof BriteBulkAccepted>

/** What these clients take for "send it again": the hub is busy, or has failed. */
export const briteRetryable = {
  busy: 'ProvisionedThroughputExceededException',
  failed: 'InternalFailureException',
} as const
