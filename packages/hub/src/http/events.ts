import { HubError, defaultInbox } from '@sluice/protocol'
import { acknowledgeEvent } from '../domain/acknowledge.ts'
import type { Context } from '../domain/context.ts'
import { explainEvent } from '../domain/explain.ts'
import { getEvent } from '../domain/get-event.ts'
import { peekInbox } from '../domain/peek.ts'
import { publishBatch, publishEvent } from '../domain/publish.ts'
import { replayEvent } from '../domain/replay.ts'
import { searchEvents, type SearchRequest } from '../domain/search.ts'
import { tryFilter } from '../domain/try-filter.ts'
import { isJson, mediaTypeOf, refuseField, requireJson } from './body.ts'
import { findCloudEventMode, takeCloudEvents } from './cloudevents-in.ts'
import { eventPageResponse, eventResponse } from './cloudevents-out.ts'
import { json, noContent, type HubRequest, type HubResponse } from './exchange.ts'
import type { Call, Handlers } from './call.ts'
import { parseIdempotencyKey } from './idempotency-key.ts'
import { acceptedResponse, batchResponse } from './published.ts'

type EventRoute =
  | 'publishEvent'
  | 'publishBatch'
  | 'searchEvents'
  | 'pollDefault'
  | 'getEvent'
  | 'acknowledgeEvent'
  | 'explainEvent'
  | 'replayEvent'
  | 'tryFilter'

export function eventHandlers(context: Context): Pick<Handlers, EventRoute> {
  return {
    publishEvent: (call) => publishOne(context, call),
    publishBatch: (call) => publishMany(context, call),
    searchEvents: async (call) => {
      const { principal, query } = call
      const { limit, cursor } = query
      const found = await searchEvents(context, principal.workspace, { limit, cursor, criteria: toCriteria(query) })
      return eventPageResponse(call, found, found.searchedTo)
    },
    pollDefault: async (call) =>
      eventPageResponse(call, await peekInbox(context, call.principal.workspace, defaultInbox, call.query)),
    getEvent: async (call) =>
      eventResponse(call, await getEvent(context, call.principal.workspace, call.params.event_id)),
    acknowledgeEvent: async ({ principal, params }) => {
      await acknowledgeEvent(context, principal.workspace, params.event_id)
      return noContent()
    },
    explainEvent: async ({ principal, params }) =>
      json(200, {
        event_id: params.event_id,
        verdicts: await explainEvent(context, principal.workspace, params.event_id),
      }),
    tryFilter: async ({ principal, body }) => json(200, await tryFilter(context, principal.workspace, body)),
    replayEvent: async ({ principal, params, body }) =>
      json(200, await replayEvent(context, principal, params.event_id, body)),
  }
}

async function publishOne(context: Context, { request, body, principal }: Call<'publishEvent'>): Promise<HubResponse> {
  const mode = findCloudEventMode(request)
  if (mode !== undefined) {
    const results = await takeCloudEvents(context, { mode, request, body, principal, ...traceOf(request) })
    const [first] = results
    return mode === 'batch' || !first || first instanceof HubError ? batchResponse(results) : acceptedResponse(first)
  }
  requireJson(request)
  const idempotencyKey = parseIdempotencyKey(request.header('idempotency-key'))
  const published = await publishEvent(context, principal, {
    bytes: body,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...traceOf(request),
  })
  return acceptedResponse(published)
}

/** What travels with every publication of a request. */
export function traceOf(request: HubRequest): { traceparent?: string } {
  const traceparent = request.header('traceparent')
  return traceparent === undefined ? {} : { traceparent }
}

const ndjson = new Set(['application/x-ndjson', 'application/ndjson', 'application/jsonl'])

async function publishMany(context: Context, { request, body, principal }: Call<'publishBatch'>): Promise<HubResponse> {
  const mode = findCloudEventMode(request)
  if (mode !== undefined)
    return batchResponse(await takeCloudEvents(context, { mode, request, body, principal, ...traceOf(request) }))
  const form = formOf(request)
  refuseField(request, 'Idempotency-Key', 'is for single events; in a batch each event has its own idempotency_key')
  return batchResponse(await publishBatch(context, principal, { bytes: body, form, ...traceOf(request) }))
}

function formOf(request: HubRequest): 'json' | 'ndjson' {
  const mediaType = mediaTypeOf(request)
  if (ndjson.has(mediaType)) return 'ndjson'
  if (isJson(mediaType)) return 'json'
  throw new HubError('unsupported-media-type', 'a batch must be sent as application/json or application/x-ndjson')
}

function toCriteria(query: Call<'searchEvents'>['query']): SearchRequest['criteria'] {
  const { event_type: eventType, source, subject, channel, identity, entity, text, after, before } = query
  return {
    ...(eventType !== undefined && { eventType }),
    ...(source !== undefined && { source }),
    ...(subject !== undefined && { subject }),
    ...(channel !== undefined && { channel }),
    ...(identity !== undefined && { identity }),
    ...(entity !== undefined && { entity }),
    ...(text !== undefined && { text }),
    ...(after !== undefined && { afterMs: Date.parse(after) }),
    ...(before !== undefined && { beforeMs: Date.parse(before) }),
  }
}
