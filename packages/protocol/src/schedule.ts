import { z } from 'zod'
import { NewEvent, shortText } from './event.ts'
import { Slug } from './inbox.ts'

/** An event that waits until it is due. */
export const ScheduledEvent = z
  .object({
    scheduled_id: z.string(),
    event_type: z.string(),
    source: z.string().nullable(),
    subject: z.string().nullable(),
    deliver_at: z.string(),
    accepted_at: z.string(),
  })
  .meta({ id: 'ScheduledEvent', description: 'an event that waits for its `deliver_at`' })
export type ScheduledEvent = z.infer<typeof ScheduledEvent>

export const ScheduledEventWithEvent = ScheduledEvent.extend({
  event: NewEvent.describe('as its publisher sent it'),
}).meta({ id: 'ScheduledEventWithEvent' })
export type ScheduledEventWithEvent = z.infer<typeof ScheduledEventWithEvent>

const made = NewEvent.omit({ deliver_at: true, external_event_id: true }).meta({ id: 'EventOfSchedule' })

/** The body of PUT. */
export const PutSchedule = z
  .strictObject({
    cron: z
      .string()
      .min(1)
      .max(200)
      .describe(
        'five fields (minute, hour, day, month, weekday), or six with seconds in front; `0 9 * * 1-5`, `@daily`',
      ),
    time_zone: shortText(64).optional().describe('IANA name, as Europe/Berlin; default UTC'),
    event: made.describe('what is published each time; the hub adds `schedule` and `due_at` to its metadata'),
  })
  .meta({ id: 'PutSchedule' })
export type PutSchedule = z.infer<typeof PutSchedule>

export const Schedule = z
  .object({
    key: Slug,
    cron: z.string(),
    time_zone: z.string(),
    event: made,
    status: z.enum(['active', 'paused']),
    next_at: z.string(),
    last_at: z.string().nullable().describe('the due time of the last event that it made'),
    last_error: z.string().nullable().describe('why the last due time made no event'),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Schedule', description: 'makes an event each time that its cron expression says' })
export type Schedule = z.infer<typeof Schedule>
