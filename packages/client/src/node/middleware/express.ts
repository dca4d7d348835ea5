import type { IncomingMessage, ServerResponse } from 'node:http'
import { withCurrent } from '../current-session.ts'
import {
  openRequestSession,
  type AnySessions,
  type RequestSession,
  type RequestSessionOptions,
} from './request-session.ts'

/**
 * A session for each request to an Express app. It is flushed when the handler ends the answer, which is held back until
 * then: when the flush fails, the error goes to the app's error handlers, and the client gets a 500. Where the head has left
 * already, because the handler wrote piece by piece, only the end is held back, and a failure is logged.
 *
 * Use it before routes and after middleware that changes `response.end`, as compression.
 *
 * @example app.use(expressSessions(events))
 */
export function expressSessions<Request extends IncomingMessage = IncomingMessage>(
  events: AnySessions,
  options: RequestSessionOptions<Request> = {},
): (request: Request, response: ServerResponse, next: (error?: unknown) => void) => void {
  return (request, response, next) => {
    const header = (name: string): string | undefined => request.headers[name.toLowerCase()]?.toString()
    const opened = openRequestSession(events, { from: request, header }, options)
    holdEnd(response, opened, next)
    withCurrent(events, opened.session, next)
  }
}

/** Replaces `response.end` by one that flushes first. */
function holdEnd(response: ServerResponse, { settle, tell }: RequestSession, next: (error: unknown) => void): void {
  const end = response.end.bind(response)
  const finish = async (args: unknown[]): Promise<void> => {
    try {
      await settle({ status: response.statusCode, hasLeft: response.headersSent })
    } catch (error) {
      if (!response.headersSent) return refuse(error)
      tell(error)
    }
    release()
    Reflect.apply(end, response, args)
  }
  const refuse = (error: unknown): void => {
    release()
    // They described the answer that is not given.
    for (const name of response.getHeaderNames()) {
      if (/^(content-|etag$|last-modified$|cache-control$)/.test(name)) response.removeHeader(name)
    }
    response.statusCode = 500
    next(error)
  }
  const release = (): void => {
    response.end = end
  }
  let held = false
  const hold = (...args: unknown[]): ServerResponse => {
    if (!held) void finish(args)
    held = true
    return response
  }
  response.end = hold as ServerResponse['end'] // takes the arguments of each of its forms
}
