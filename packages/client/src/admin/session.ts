import type { Activity, ActivityRange, Session } from '@sluice/protocol'
import type { Request, RequestOptions } from '../request.ts'

export function createSessionRoutes(request: Request) {
  const path = '/v1/session'
  return {
    getConsole: (options?: RequestOptions): Promise<string> =>
      request(
        { method: 'GET', path: '/console', headers: { accept: 'text/html' }, answer: 'text', repeatable: true },
        options,
      ),
    getActivity: (query: { readonly range?: ActivityRange } = {}, options?: RequestOptions): Promise<Activity> =>
      request({ method: 'GET', path: '/v1/activity', query, repeatable: true }, options),
    /** For pages: the browser keeps the cookie, which stands for the key from then on. */
    createSession: (options?: RequestOptions): Promise<Session> =>
      request({ method: 'POST', path, repeatable: false }, options),
    /** Who asks, and what they may do. */
    getSession: (options?: RequestOptions): Promise<Session> =>
      request({ method: 'GET', path, repeatable: true }, options),
    deleteSession: (options?: RequestOptions): Promise<void> =>
      request({ method: 'DELETE', path, repeatable: true, answer: 'none' }, options),
  }
}
