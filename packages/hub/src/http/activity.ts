import type { Context } from '../domain/context.ts'
import { showActivity } from '../domain/show-activity.ts'
import type { Handlers } from './call.ts'
import { json } from './exchange.ts'

export function activityHandlers(context: Context): Pick<Handlers, 'getActivity'> {
  return {
    getActivity: async ({ principal, query }) =>
      json(200, await showActivity(context, principal.workspace, query.range)),
  }
}
