import type {
  Accepted,
  JsonObject,
  QuarantinedEvent,
  QuarantineReleased,
  QuarantineSelection,
  ReleaseQuarantined,
} from '@sluice/protocol'
import type { Request, RequestOptions } from '../request.ts'
import type { DeadLetterCount, PageQuery, QuarantinePage } from './page.ts'

export function createQuarantineRoutes(request: Request) {
  const of = (id: string): string => `/v1/quarantine/${encodeURIComponent(id)}`
  return {
    listQuarantine: (
      query: PageQuery & { readonly event_type?: string | undefined } = {},
      options?: RequestOptions,
    ): Promise<QuarantinePage> => request({ method: 'GET', path: '/v1/quarantine', query, repeatable: true }, options),
    getQuarantined: (id: string, options?: RequestOptions): Promise<QuarantinedEvent> =>
      request({ method: 'GET', path: of(id), repeatable: true }, options),
    /** Each event is published once, however often it is released. */
    releaseQuarantined: (selection: ReleaseQuarantined, options?: RequestOptions): Promise<QuarantineReleased> =>
      request({ method: 'POST', path: '/v1/quarantine/release', body: selection, repeatable: false }, options),
    fixQuarantined: (id: string, payload: JsonObject, options?: RequestOptions): Promise<Accepted> =>
      request({ method: 'POST', path: `${of(id)}/fix`, body: { payload }, repeatable: false }, options),
    discardQuarantined: (selection: QuarantineSelection, options?: RequestOptions): Promise<DeadLetterCount> =>
      request({ method: 'POST', path: '/v1/quarantine/discard', body: selection, repeatable: false }, options),
  }
}
