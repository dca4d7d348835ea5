import { z } from 'zod'
import { Slug } from './inbox.ts'

export const PutWorkspace = z.strictObject({}).meta({ id: 'PutWorkspace' })

export const Workspace = z
  .object({
    key: Slug,
    created_at: z.string(),
    events: z.int().describe('accepted so far, expired ones included'),
    inboxes: z.int(),
  })
  .meta({ id: 'Workspace' })
export type Workspace = z.infer<typeof Workspace>
