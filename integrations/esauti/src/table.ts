import { channels } from './table/channels.ts'
import { instance } from './table/instance.ts'
import { people } from './table/people.ts'

/**
 * Every resource of the API, and what it can do beside the usual. `extra` lines are method and path below `/api/`; the
 * signature says what the parameters and the answer are.
 */
export const table = { ...people, ...channels, ...instance } as const
