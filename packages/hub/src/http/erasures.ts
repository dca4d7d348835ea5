import type { Context } from '../domain/context.ts'
import { eraseIdentity } from '../domain/erase.ts'
import { json } from './exchange.ts'
import type { Handlers } from './call.ts'

export function erasureHandlers(context: Context): Pick<Handlers, 'eraseIdentity'> {
  return {
    eraseIdentity: async ({ principal, body }) => json(200, await eraseIdentity(context, principal, body)),
  }
}
