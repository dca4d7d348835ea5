import { z } from 'zod'

export const ActivityRange = z.enum(['hour', 'day', 'month'])
export type ActivityRange = z.infer<typeof ActivityRange>

const level = (text: string) =>
  z.int().nullable().describe(`${text}, the highest that was seen; null where nobody looked`)

export const Activity = z
  .object({
    range: ActivityRange,
    from: z.string(),
    to: z.string(),
    step_seconds: z.int(),
    points: z
      .array(
        z.object({
          at: z.string().describe('where the step begins'),
          published: z.int(),
          acknowledged: z.int(),
          failed: z.int().describe('hand-outs given back, run out, or dead'),
          dead: z.int().describe('of those, the last ones of their event'),
          waiting: level('not looked at, waiting or parked, in all inboxes'),
          leased: level('handed out, not yet settled'),
          oldest_age_seconds: level('age of the oldest event that is not done'),
        }),
      )
      .describe('oldest first; a step of which nothing is known has none'),
  })
  .meta({
    id: 'Activity',
    description: 'what happened in the workspace: by the minute for two days, by the hour for a month',
  })
export type Activity = z.infer<typeof Activity>
