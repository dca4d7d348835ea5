import type { PatchSource, PutSource, Source, SourceExample, SourceReport } from '@sluice/protocol'
import type { Request, RequestOptions } from '../request.ts'
import type { PageQuery, SourcePage } from './page.ts'

export function createSourceRoutes(request: Request) {
  const of = (key: string): string => `/v1/sources/${encodeURIComponent(key)}`
  return {
    listSources: (query: PageQuery = {}, options?: RequestOptions): Promise<SourcePage> =>
      request({ method: 'GET', path: '/v1/sources', query, repeatable: true }, options),
    getSource: (key: string, options?: RequestOptions): Promise<Source> =>
      request({ method: 'GET', path: of(key), repeatable: true }, options),
    /** @throws ApiError `source-differs` if there is one with other settings or secrets */
    putSource: (key: string, body: PutSource, options?: RequestOptions): Promise<Source> =>
      request({ method: 'PUT', path: of(key), body, repeatable: true }, options),
    patchSource: (key: string, body: PatchSource, options?: RequestOptions): Promise<Source> =>
      request({ method: 'PATCH', path: of(key), body, repeatable: false }, options),
    deleteSource: (key: string, options?: RequestOptions): Promise<void> =>
      request({ method: 'DELETE', path: of(key), repeatable: false, answer: 'none' }, options),
    /** @param query hours: 1 to 168, default 24 */
    getSourceReport: (
      key: string,
      query: { readonly hours?: number | undefined } = {},
      options?: RequestOptions,
    ): Promise<SourceReport> => request({ method: 'GET', path: `${of(key)}/report`, query, repeatable: true }, options),
    /** A request as the sender of the source would make it, to be posted at once: it holds the time. */
    createSourceExample: (key: string, options?: RequestOptions): Promise<SourceExample> =>
      request({ method: 'POST', path: `${of(key)}/example`, repeatable: true }, options),
  }
}
