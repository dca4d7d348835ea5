import { z } from 'zod'
import { JsonObject, shortText } from './event.ts'
import { reservedPrefix } from './glob.ts'
import { Slug } from './slug.ts'

/** Characters of a mapping as JSON. */
const mappingCharacters = 65_536

/** How inputs are made of an event. */
export const Mapping = z
  .union([JsonObject, z.string().regex(/^=/, 'must be an object, or one expression beginning with =')])
  .refine(
    (mapping) => JSON.stringify(mapping).length <= mappingCharacters,
    `must have at most ${mappingCharacters} characters as JSON`,
  )
  .describe(
    'a text that begins with `=` is JSONata over the event, `==` stands for one `=`, and everything else is what it is; or one such text for the whole',
  )
export type Mapping = z.infer<typeof Mapping>

/** An action that the hub runs for each event of an inbox. */
export const InboxAction = z
  .strictObject({
    integration: Slug,
    action: shortText(100).describe('its name in the integration'),
    connection: Slug.optional(),
    inputs: Mapping.optional().describe('default `{}`'),
    concurrency: z.int().min(1).max(32).optional().describe('runs at a time, on all nodes together; default 4'),
    timeout_seconds: z.int().min(1).max(600).optional().describe('a run is ended after this; default 60'),
    result_event_type: shortText()
      .refine((type) => !type.startsWith(reservedPrefix), 'event types beginning with "sluice." are reserved')
      .optional()
      .describe('the result of each run becomes an event of this type'),
  })
  .meta({ id: 'InboxAction' })
export type InboxAction = z.infer<typeof InboxAction>
