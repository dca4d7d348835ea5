import { z } from 'zod'
import { Filter } from './filter.ts'

const time = z.iso.datetime({ offset: true })
const cursor = z.string().min(1).max(1024).optional().describe('`next_cursor` of the answer before')

const step = {
  looked_at: z.int().describe('positions of the log that this step went over'),
  done: z.boolean(),
  next_cursor: z.string().nullable().describe('send the request again with it; null when done'),
}

/** Which events of the past an inbox is to hand out again. */
export const ReplayRange = z
  .strictObject({
    after: time.optional().describe('events accepted at or after this time; left out: from the beginning of the log'),
    before: time.optional().describe('events accepted before this time; left out: all that are there now'),
    filter: Filter.optional().describe('of those, the ones that this wants; the filter of the inbox holds beside it'),
    ignore_filter: z.boolean().optional().describe('true: the filter of the inbox does not count'),
    dry_run: z.boolean().optional().describe('true: only count'),
    cursor,
  })
  .meta({ id: 'ReplayRange' })
export type ReplayRange = z.infer<typeof ReplayRange>

export const ReplayedRange = z
  .object({
    replayed: z.int().describe('handed out again; with `dry_run` those that would be'),
    left: z.int().describe('waiting or leased already, so there was nothing to do'),
    dry_run: z.boolean(),
    ...step,
  })
  .meta({ id: 'ReplayedRange' })
export type ReplayedRange = z.infer<typeof ReplayedRange>

/** The past is at most so many positions for one question. */
export const tryLast = { default: 10_000, max: 1_000_000 } as const

export const TryFilter = z
  .strictObject({
    filter: Filter,
    compare_with: Filter.optional().describe('another filter, to see what each of them wants alone'),
    last: z.int().min(1).max(tryLast.max).optional().describe(`so many positions back; default ${tryLast.default}`),
    cursor,
  })
  .meta({ id: 'TryFilter' })
export type TryFilter = z.infer<typeof TryFilter>

const Tried = z.object({
  event_id: z.string(),
  timestamp: z.string(),
  event_type: z.string(),
  source: z.string().nullable(),
  subject: z.string().nullable(),
  wanted_by: z.enum(['both', 'filter', 'compare_with']),
})

export const TriedFilter = z
  .object({
    matched: z.int().describe('events that the filter wants, in this step'),
    matched_other: z.int().nullable().describe('that `compare_with` wants; null without it'),
    only_filter: z.int().describe('that the filter wants and `compare_with` does not'),
    only_other: z.int(),
    events: z.array(Tried).describe('the first 20; with `compare_with` those on which the two differ'),
    ...step,
  })
  .meta({ id: 'TriedFilter', description: 'what a filter would have handed out; nothing is delivered' })
export type TriedFilter = z.infer<typeof TriedFilter>
