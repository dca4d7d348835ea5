import { withCurrent } from '../current-session.ts'
import {
  openRequestSession,
  type AnySessions,
  type RequestSession,
  type RequestSessionOptions,
} from './request-session.ts'

/** What is used of Fastify's request, reply and instance. */
type FastifyRequest = { readonly headers: Readonly<Record<string, string | string[] | undefined>> }
type FastifyReply = { readonly statusCode: number }
type Hook<Request, Rest extends unknown[]> = (request: Request, reply: FastifyReply, ...rest: Rest) => unknown
type FastifyInstance<Request> = {
  addHook(name: 'onRequest', hook: Hook<Request, [done: (error?: Error) => void]>): unknown
  addHook(name: 'onSend', hook: Hook<Request, [payload: unknown]>): unknown
  addHook(name: 'onResponse', hook: Hook<Request, []>): unknown
}

/**
 * A Fastify plugin: a session for each request. It is flushed in `onSend`, after the handler and before anything leaves:
 * when that fails, the error goes to the app's error handler, and the client gets a 500. A handler that takes the raw
 * response over (`reply.hijack`) is flushed after its answer, and a failure is logged.
 *
 * @example await app.register(fastifySessions(events))
 */
export function fastifySessions<Request extends FastifyRequest = FastifyRequest>(
  events: AnySessions,
  options: RequestSessionOptions<Request> = {},
): (app: FastifyInstance<Request>, options: unknown, done: () => void) => void {
  const opened = new WeakMap<Request, RequestSession>()
  const plugin = (app: FastifyInstance<Request>, _: unknown, done: () => void): void => {
    app.addHook('onRequest', (request, _reply, next) => {
      const header = (name: string): string | undefined => request.headers[name.toLowerCase()]?.toString()
      const session = openRequestSession(events, { from: request, header }, options)
      opened.set(request, session)
      withCurrent(events, session.session, next)
    })
    app.addHook('onSend', async (request, { statusCode: status }, payload) => {
      await opened.get(request)?.settle({ status })
      return payload
    })
    app.addHook('onResponse', async (request, { statusCode: status }) => {
      const session = opened.get(request)
      await session?.settle({ status, hasLeft: true }).catch(session.tell)
    })
    done()
  }
  // Its hooks are for the whole app, not only for what is registered beside it.
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true })
}
