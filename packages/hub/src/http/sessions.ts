import { HubError } from '@sluice/protocol'
import type { Context } from '../domain/context.ts'
import { createSession, showSession } from '../domain/sessions.ts'
import type { Handlers } from './call.ts'
import { json } from './exchange.ts'
import type { SessionCookie } from './session-cookie.ts'

type SessionRoute = 'createSession' | 'getSession' | 'deleteSession'

export function sessionHandlers(context: Context, cookie: SessionCookie): Pick<Handlers, SessionRoute> {
  return {
    createSession: async ({ request, principal }) => {
      // A session that made the next one would never end.
      if (request.header('authorization') === undefined)
        throw new HubError('unauthorized', 'sign in with a key: a session does not make another one')
      const { session, token, lifeMs } = await createSession(context, principal)
      const answer = json(201, session)
      const fields = { 'set-cookie': cookie.print(request, token, lifeMs), 'cache-control': 'no-store' }
      return { ...answer, headers: { ...answer.headers, ...fields } }
    },
    getSession: async ({ request, principal }) => {
      const token = request.header('authorization') === undefined ? cookie.read(request) : undefined
      return json(200, await showSession(context, principal, token))
    },
    deleteSession: ({ request }) => ({ status: 204, headers: { 'set-cookie': cookie.clear(request) }, body: null }),
  }
}
