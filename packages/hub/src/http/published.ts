import { HubError, type BatchResult } from '@sluice/protocol'
import type { Published } from '../domain/published.ts'
import { jsonText, type HubResponse } from './exchange.ts'

const statuses = { accepted: 201, duplicate: 200, quarantined: 202, scheduled: 202 } as const
const messages = {
  accepted: 'Event accepted',
  duplicate: 'Event was accepted before',
  quarantined: 'Event waits in quarantine',
  scheduled: 'Event waits for its time',
} as const

/** The answer to one event. @param more members that a dialect puts in front */
export function acceptedResponse(published: Published, more?: Readonly<Record<string, unknown>>): HubResponse {
  const { status } = published
  const front = more === undefined ? '' : `${JSON.stringify(more).slice(1, -1)},`
  return jsonText(statuses[status], `{${front}${toMembersText(published)},"message":"${messages[status]}"}`)
}

/** Put together as text: this is said of every event that is published. */
function toMembersText({ eventId, timestamp, status, deliverAt, warnings = [] }: Published): string {
  const id = status === 'quarantined' ? `,"quarantine_id":"${eventId}"` : ''
  const due = deliverAt === undefined ? '' : `,"scheduled_id":"${eventId}","deliver_at":"${deliverAt}"`
  const words = warnings.length === 0 ? '' : `,"warnings":${JSON.stringify(warnings)}`
  return `"event_id":"${eventId}","timestamp":"${timestamp}","status":"${status}"${id}${due}${words}`
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
  if (!(result instanceof HubError)) return `{"index":${index},${toMembersText(result)}}`
  const { code, message, errors } = result
  const failure: BatchResult = { index, error: { error_code: code, message, ...(errors && { errors: [...errors] }) } }
  return JSON.stringify(failure)
}
