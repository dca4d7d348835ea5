import type { Context } from '../domain/context.ts'
import {
  deleteEventType,
  importEventTypes,
  listEventTypes,
  putEventType,
  showEventType,
} from '../domain/event-types.ts'
import {
  discardQuarantined,
  fixQuarantined,
  listQuarantine,
  releaseQuarantined,
  showQuarantined,
} from '../domain/quarantine.ts'
import { json, jsonText, noContent } from './exchange.ts'
import type { Handlers } from './call.ts'
import { pageResponse } from './page.ts'
import { acceptedResponse } from './published.ts'

type EventTypeRoute = 'listEventTypes' | 'getEventType' | 'putEventType' | 'deleteEventType' | 'importEventTypes'

export function eventTypeHandlers(context: Context): Pick<Handlers, EventTypeRoute> {
  return {
    listEventTypes: async ({ principal, query }) =>
      pageResponse('event_types', await listEventTypes(context, principal.workspace, query)),
    getEventType: async ({ principal, params }) =>
      json(200, await showEventType(context, principal.workspace, params.name)),
    putEventType: async ({ principal, params, query, body }) => {
      const allowIncompatible = query.allow_incompatible === 'true'
      const saved = await putEventType(context, principal, { name: params.name, wanted: body, allowIncompatible })
      return json(saved.change === 'new' ? 201 : 200, saved)
    },
    deleteEventType: async ({ principal, params }) => {
      await deleteEventType(context, principal, params.name)
      return noContent()
    },
    importEventTypes: async ({ principal, query, body }) => {
      const allowIncompatible = query.allow_incompatible === 'true'
      const dryRun = query.dry_run === 'true'
      return json(
        200,
        await importEventTypes(context, principal, { body, allowIncompatible, dryRun, mode: query.mode }),
      )
    },
  }
}

type QuarantineRoute =
  | 'listQuarantine'
  | 'getQuarantined'
  | 'releaseQuarantined'
  | 'fixQuarantined'
  | 'discardQuarantined'

export function quarantineHandlers(context: Context): Pick<Handlers, QuarantineRoute> {
  return {
    listQuarantine: async ({ principal, query }) => {
      const { limit, cursor, event_type: eventType } = query
      return pageResponse(
        'quarantined',
        await listQuarantine(context, principal.workspace, { limit, cursor, eventType }),
      )
    },
    getQuarantined: async ({ principal, params }) =>
      jsonText(200, await showQuarantined(context, principal.workspace, params.quarantine_id)),
    releaseQuarantined: async ({ principal, body }) => json(200, await releaseQuarantined(context, principal, body)),
    fixQuarantined: async ({ principal, params, body }) => {
      const fix = { id: params.quarantine_id, payload: body.payload }
      return acceptedResponse(await fixQuarantined(context, principal, fix))
    },
    discardQuarantined: async ({ principal, body }) => {
      const count = await discardQuarantined(context, principal, body)
      return json(200, { count, dry_run: body.dry_run ?? false })
    },
  }
}
