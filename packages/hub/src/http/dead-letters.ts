import type { Context } from '../domain/context.ts'
import { listAttempts, listDeadLetters, settleDeadLetters } from '../domain/dead-letters.ts'
import { json, type HubResponse } from './exchange.ts'
import type { Call, Handlers } from './call.ts'
import { pageResponse } from './page.ts'

type DeadLetterRoute = 'listDeadLetters' | 'replayDeadLetters' | 'discardDeadLetters' | 'listAttempts'

export function deadLetterHandlers(context: Context): Pick<Handlers, DeadLetterRoute> {
  const settle = async (call: Call<'replayDeadLetters'>, action: 'replay' | 'discard'): Promise<HubResponse> => {
    const { principal, params, body } = call
    const count = await settleDeadLetters(context, principal, params.inbox, { action, selection: body })
    return json(200, { count, dry_run: body.dry_run ?? false })
  }
  return {
    listDeadLetters: async ({ principal, params, query }) =>
      pageResponse('dead_letters', await listDeadLetters(context, principal.workspace, params.inbox, query)),
    replayDeadLetters: (call) => settle(call, 'replay'),
    discardDeadLetters: (call) => settle(call, 'discard'),
    listAttempts: async ({ principal, params, query }) =>
      pageResponse('attempts', await listAttempts(context, principal.workspace, params.inbox, query)),
  }
}
