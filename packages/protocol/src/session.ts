import { z } from 'zod'
import { Role } from './key.ts'
import { Slug } from './inbox.ts'

/** Who asks, and what they may do. */
export const Session = z
  .object({
    key_id: z.string().describe('the key that it rests on: when that ends, so does the session'),
    user_id: z.string(),
    user_email: z.string().nullable(),
    role: Role,
    permissions: z.array(z.string()).describe('what routes may ask of this role'),
    workspace: Slug,
    expires_at: z.string().nullable().describe('of the cookie, or of the key where there is none'),
  })
  .meta({ id: 'Session' })
export type Session = z.infer<typeof Session>

/** Tells a request of the console from one that another page made the browser send with its cookie. */
export const consoleHeader = 'x-sluice-console'
