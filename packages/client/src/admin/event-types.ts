import type {
  EventTypeMode,
  EventTypeSaved,
  EventTypesImported,
  EventTypeWithVersions,
  ImportEventTypes,
  PutEventType,
} from '@sluice/protocol'
import type { Request, RequestOptions } from '../request.ts'
import type { EventTypePage, PageQuery } from './page.ts'

type PutOptions = RequestOptions & {
  /** change the schema although it now refuses what it took before */
  readonly allowIncompatible?: boolean | undefined
}

type ImportOptions = PutOptions & {
  /** only say what would change */
  readonly dryRun?: boolean | undefined
  /** of new event types that do not say */
  readonly mode?: EventTypeMode | undefined
}

export function createEventTypeRoutes(request: Request) {
  const of = (name: string): string => `/v1/event-types/${encodeURIComponent(name)}`
  return {
    listEventTypes: (
      query: PageQuery & { readonly category?: string | undefined } = {},
      options?: RequestOptions,
    ): Promise<EventTypePage> => request({ method: 'GET', path: '/v1/event-types', query, repeatable: true }, options),
    getEventType: (name: string, options?: RequestOptions): Promise<EventTypeWithVersions> =>
      request({ method: 'GET', path: of(name), repeatable: true }, options),
    /** Makes it, or changes what is given; ApiError `incompatible-schema` if the schema would refuse what it took before. */
    putEventType: (
      name: string,
      settings: PutEventType = {},
      { allowIncompatible, ...options }: PutOptions = {},
    ): Promise<EventTypeSaved> => {
      const query = { allow_incompatible: allowIncompatible }
      return request({ method: 'PUT', path: of(name), query, body: settings, repeatable: true }, options)
    },
    deleteEventType: (name: string, options?: RequestOptions): Promise<void> =>
      request({ method: 'DELETE', path: of(name), repeatable: false, answer: 'none' }, options),
    /** All or none. A topic definition file goes in as it is. */
    importEventTypes: (
      body: ImportEventTypes,
      { allowIncompatible, dryRun, mode, ...options }: ImportOptions = {},
    ): Promise<EventTypesImported> => {
      const query = { allow_incompatible: allowIncompatible, dry_run: dryRun, mode }
      return request({ method: 'POST', path: '/v1/event-types/import', query, body, repeatable: true }, options)
    },
  }
}
