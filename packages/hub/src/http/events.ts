import { HubError, defaultInbox, type BatchResult } from '@sluice/protocol'
import { acknowledgeEvent } from '../domain/acknowledge.ts'
import type { Context } from '../domain/context.ts'
import { explainEvent } from '../domain/explain.ts'
import { getEvent } from '../domain/get-event.ts'
import { peekInbox } from '../domain/peek.ts'
import { publishBatch, publishEvent, type Published } from '../domain/publish.ts'
import { replayEvent } from '../domain/replay.ts'
import { searchEvents, type SearchRequest } from '../domain/search.ts'
import { isJson, mediaTypeOf, refuseField, requireJson } from './body.ts'
import { json, jsonText, noContent, type HubRequest, type HubResponse } from './exchange.ts'
import type { Call, Handlers } from './call.ts'
import { parseIdempotencyKey } from './idempotency-key.ts'
import { pageResponse } from './page.ts'

type EventRoute =
  | 'publishEvent'
  | 'publishBatch'
  | 'searchEvents'
  | 'pollDefault'
  | 'getEvent'
  | 'acknowledgeEvent'
  | 'explainEvent'
  | 'replayEvent'

export function eventHandlers(context: Context): Pick<Handlers, EventRoute> {
  return {
    publishEvent: (call) => publishOne(context, call),
    publishBatch: (call) => publishMany(context, call),
    searchEvents: async ({ principal, query }) => {
      const { limit, cursor } = query
      const found = await searchEvents(context, principal.workspace, { limit, cursor, criteria: toCriteria(query) })
      return pageResponse('events', found, `,"searched_to":${JSON.stringify(found.searchedTo)}`)
    },
    pollDefault: async ({ principal, query }) =>
      pageResponse('events', await peekInbox(context, principal.workspace, defaultInbox, query)),
    getEvent: async ({ principal, params }) =>
      jsonText(200, await getEvent(context, principal.workspace, params.event_id)),
    acknowledgeEvent: async ({ principal, params }) => {
      await acknowledgeEvent(context, principal.workspace, params.event_id)
      return noContent()
    },
    explainEvent: async ({ principal, params }) =>
      json(200, {
        event_id: params.event_id,
        verdicts: await explainEvent(context, principal.workspace, params.event_id),
      }),
    replayEvent: async ({ principal, params, body }) =>
      json(200, await replayEvent(context, principal, params.event_id, body)),
  }
}

async function publishOne(context: Context, { request, body, principal }: Call<'publishEvent'>): Promise<HubResponse> {
  requireJson(request)
  const idempotencyKey = parseIdempotencyKey(request.header('idempotency-key'))
  const published = await publishEvent(context, principal, {
    bytes: body,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...traceOf(request),
  })
  const { eventId, timestamp, status } = published
  const isNew = status === 'accepted'
  const message = isNew ? 'Event accepted' : 'Event was accepted before'
  return jsonText(
    isNew ? 201 : 200,
    `{"event_id":"${eventId}","timestamp":"${timestamp}","status":"${status}","message":"${message}"}`,
  )
}

/** What travels with every publication of a request. */
export function traceOf(request: HubRequest): { traceparent?: string } {
  const traceparent = request.header('traceparent')
  return traceparent === undefined ? {} : { traceparent }
}

const ndjson = new Set(['application/x-ndjson', 'application/ndjson', 'application/jsonl'])

async function publishMany(context: Context, { request, body, principal }: Call<'publishBatch'>): Promise<HubResponse> {
  const form = formOf(request)
  refuseField(request, 'Idempotency-Key', 'is for single events; in a batch each event has its own idempotency_key')
  const results = await publishBatch(context, principal, { bytes: body, form, ...traceOf(request) })
  const failed = results.filter((result) => result instanceof HubError).length
  return jsonText(
    200,
    `{"accepted":${results.length - failed},"failed":${failed},"results":[${results.map(toResultText).join(',')}]}`,
  )
}

function formOf(request: HubRequest): 'json' | 'ndjson' {
  const mediaType = mediaTypeOf(request)
  if (ndjson.has(mediaType)) return 'ndjson'
  if (isJson(mediaType)) return 'json'
  throw new HubError('unsupported-media-type', 'a batch must be sent as application/json or application/x-ndjson')
}

function toResultText(result: Published | HubError, index: number): string {
  if (!(result instanceof HubError)) {
    const { eventId, timestamp, status } = result
    return `{"index":${index},"event_id":"${eventId}","timestamp":"${timestamp}","status":"${status}"}`
  }
  const { code, message, errors } = result
  const failure: BatchResult = { index, error: { error_code: code, message, ...(errors && { errors: [...errors] }) } }
  return JSON.stringify(failure)
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
