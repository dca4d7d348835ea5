import { z } from 'zod'

const Wanted = z.string().min(1).max(320)

export const EraseRequest = z
  .strictObject({
    identity: z
      .union([Wanted, z.array(Wanted).min(1).max(10)])
      .describe('one or several values; an event is erased if a member of its `identity` equals one of them'),
    dry_run: z.boolean().optional().describe('true: only count'),
    cursor: z.string().min(1).max(1024).optional().describe('`next_cursor` of the answer before'),
  })
  .meta({ id: 'EraseRequest' })
export type EraseRequest = z.infer<typeof EraseRequest>

export const Erased = z
  .object({
    events: z.int().describe('whose payload and other content are gone, in this step'),
    dead_letters: z.int().describe('copies that had outlived their event and are gone, in this step'),
    quarantined: z.int().describe('quarantined events that were removed, in this step'),
    scheduled: z.int().describe('events that waited for their time and were removed, in this step'),
    looked_at: z.int().describe('events and dead letters looked at in this step'),
    dry_run: z.boolean(),
    done: z.boolean().describe('everything that was there at the first step has been looked at'),
    next_cursor: z.string().nullable().describe('send the request again with it; null when done'),
  })
  .meta({ id: 'Erased' })
export type Erased = z.infer<typeof Erased>
