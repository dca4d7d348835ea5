import { withCurrent } from '../current-session.ts'
import { openRequestSession, type AnySessions, type RequestSessionOptions } from './request-session.ts'

/** What is used of hono's Context. */
type HonoContext = {
  readonly req: { header(name: string): string | undefined }
  readonly res: { readonly status: number }
  readonly error: Error | undefined
}

/**
 * A session for each request to a hono app. It is flushed after the handler has answered and before the answer leaves: when
 * that fails, the error goes to `app.onError`, and the client gets a 500. The body of a streamed answer is written later, and
 * events published while it is written are not sent.
 *
 * @example app.use(honoSessions(events))
 */
export function honoSessions<Context extends HonoContext = HonoContext>(
  events: AnySessions,
  options: RequestSessionOptions<Context> = {},
): (context: Context, next: () => Promise<void>) => Promise<void> {
  return async (context, next) => {
    const request = { from: context, header: (name: string) => context.req.header(name) }
    const { session, settle } = openRequestSession(events, request, options)
    try {
      await withCurrent(events, session, next)
    } catch (error) {
      session.rollback()
      throw error
    }
    await settle({ status: context.res.status, failed: context.error !== undefined })
  }
}
