import { HubError, type BatchResult } from '@sluice/protocol'
import type { Published } from '../domain/publish.ts'
import { jsonText, type HubResponse } from './exchange.ts'

/** The answer to one event. */
export function acceptedResponse({ eventId, timestamp, status }: Published): HubResponse {
  const isNew = status === 'accepted'
  const message = isNew ? 'Event accepted' : 'Event was accepted before'
  return jsonText(
    isNew ? 201 : 200,
    `{"event_id":"${eventId}","timestamp":"${timestamp}","status":"${status}","message":"${message}"}`,
  )
}

/** The answer to a batch: a result for each event, in their order. */
export function batchResponse(results: readonly (Published | HubError)[]): HubResponse {
  const failed = results.filter((result) => result instanceof HubError).length
  return jsonText(
    200,
    `{"accepted":${results.length - failed},"failed":${failed},"results":[${results.map(toResultText).join(',')}]}`,
  )
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
