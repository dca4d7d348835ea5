import type { DeadLetterSelection } from '@sluice/protocol'
import type { Request, RequestOptions } from '../request.ts'
import type { AttemptPage, DeadLetterCount, DeadLetterPage, PageQuery } from './page.ts'

export function createDeadLetterRoutes(request: Request) {
  const of = (inbox: string): string => `/v1/inboxes/${encodeURIComponent(inbox)}`
  return {
    listDeadLetters: (inbox: string, query: PageQuery = {}, options?: RequestOptions): Promise<DeadLetterPage> =>
      request({ method: 'GET', path: `${of(inbox)}/dead-letters`, query, repeatable: true }, options),
    replayDeadLetters: (
      inbox: string,
      selection: DeadLetterSelection,
      options?: RequestOptions,
    ): Promise<DeadLetterCount> =>
      request(
        { method: 'POST', path: `${of(inbox)}/dead-letters/replay`, body: selection, repeatable: false },
        options,
      ),
    discardDeadLetters: (
      inbox: string,
      selection: DeadLetterSelection,
      options?: RequestOptions,
    ): Promise<DeadLetterCount> =>
      request(
        { method: 'POST', path: `${of(inbox)}/dead-letters/discard`, body: selection, repeatable: false },
        options,
      ),
    listAttempts: (inbox: string, query: PageQuery = {}, options?: RequestOptions): Promise<AttemptPage> =>
      request({ method: 'GET', path: `${of(inbox)}/attempts`, query, repeatable: true }, options),
  }
}
