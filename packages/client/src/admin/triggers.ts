import type { Poll, PutTrigger, Trigger } from '@sluice/protocol'
import type { Request, RequestOptions } from '../request.ts'
import type { PageQuery, PollPage, TriggerPage } from './page.ts'

export function createTriggerRoutes(request: Request) {
  const of = (key: string): string => `/v1/triggers/${encodeURIComponent(key)}`
  return {
    listTriggers: (query: PageQuery = {}, options?: RequestOptions): Promise<TriggerPage> =>
      request({ method: 'GET', path: '/v1/triggers', query, repeatable: true }, options),
    putTrigger: (key: string, body: PutTrigger, options?: RequestOptions): Promise<Trigger> =>
      request({ method: 'PUT', path: of(key), body, repeatable: true }, options),
    getTrigger: (key: string, options?: RequestOptions): Promise<Trigger> =>
      request({ method: 'GET', path: of(key), repeatable: true }, options),
    deleteTrigger: (key: string, options?: RequestOptions): Promise<void> =>
      request({ method: 'DELETE', path: of(key), repeatable: false, answer: 'none' }, options),
    pauseTrigger: (key: string, options?: RequestOptions): Promise<Trigger> =>
      request({ method: 'POST', path: `${of(key)}/pause`, repeatable: true }, options),
    resumeTrigger: (key: string, options?: RequestOptions): Promise<Trigger> =>
      request({ method: 'POST', path: `${of(key)}/resume`, repeatable: true }, options),
    /** Polls now; a poll that was cut off is made up for by the next. */
    runTrigger: (key: string, options?: RequestOptions): Promise<Poll> =>
      request({ method: 'POST', path: `${of(key)}/run`, repeatable: false }, options),
    listPolls: (key: string, query: PageQuery = {}, options?: RequestOptions): Promise<PollPage> =>
      request({ method: 'GET', path: `${of(key)}/polls`, query, repeatable: true }, options),
  }
}
