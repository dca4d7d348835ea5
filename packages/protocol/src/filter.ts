import { z } from 'zod'
import { Identity, shortText } from './event.ts'

const scalar = z.union([z.string().max(1024), z.number(), z.boolean(), z.null()])
/** Few stars: matching costs the length of the text for each, for each event. */
const glob = shortText().refine((text) => text.split('*').length <= 9, 'must hold at most 8 stars')
const globs = z.array(glob).max(100)

/**
 * One condition on the payload. `pointer` is a JSON Pointer (RFC 6901) into it; exactly one operator stands beside it.
 * A pointer that leads nowhere fails every operator but `exists: false`, `not_equals` and `not_in`.
 */
export const PayloadCondition = z
  .strictObject({
    // `[^~/]`, not `[^~]`: with the slash in both places a refused pointer takes exponential time.
    pointer: z
      .string()
      .max(512)
      .regex(/^(\/([^~/]|~[01])*)*$/, 'must be a JSON Pointer, as /order/total'),
    exists: z.boolean().optional(),
    equals: scalar.optional(),
    not_equals: scalar.optional(),
    in: z.array(scalar).min(1).max(100).optional(),
    not_in: z.array(scalar).min(1).max(100).optional(),
    gt: z.union([z.number(), z.string().max(1024)]).optional(),
    gte: z.union([z.number(), z.string().max(1024)]).optional(),
    lt: z.union([z.number(), z.string().max(1024)]).optional(),
    lte: z.union([z.number(), z.string().max(1024)]).optional(),
    starts_with: z.string().max(1024).optional(),
    ends_with: z.string().max(1024).optional(),
    contains: z.string().max(1024).optional().describe('part of a string, or an element of an array'),
  })
  .refine((condition) => Object.keys(condition).length === 2, 'must hold a pointer and exactly one operator')
  .meta({ id: 'PayloadCondition' })
export type PayloadCondition = z.infer<typeof PayloadCondition>

/** Which events an inbox wants. All members must hold; within a list, one of its entries. */
export const Filter = z
  .strictObject({
    event_types: globs.optional().describe("globs; none means `*`, which leaves out the hub's own `sluice.*`"),
    sources: globs.optional().describe('globs'),
    subjects: globs.optional().describe('globs'),
    identity: Identity.optional(),
    payload: z.array(PayloadCondition).max(20).optional(),
  })
  .meta({ id: 'Filter' })
export type Filter = z.infer<typeof Filter>
