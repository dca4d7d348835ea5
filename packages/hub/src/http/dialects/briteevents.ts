import {
  BriteEvent,
  HubError,
  briteBulkMax,
  briteRetryable,
  scanElements,
  startOfJson,
  toFaults,
  toValidationError,
  type BriteAccepted,
  type BriteBulkAccepted,
  type ErrorCode,
} from '@sluice/protocol'
import type { Context } from '../../domain/context.ts'
import { isObject, membersOnce, parseJson, toText } from '../../domain/json-text.ts'
import type { EventText } from '../../domain/parse-event.ts'
import { orError, publishBatch, publishEvent, type Published } from '../../domain/publish.ts'
import { requireJson } from '../body.ts'
import type { Call, Handlers } from '../call.ts'
import { traceOf } from '../events.ts'
import { json } from '../exchange.ts'
import { parseIdempotencyKey } from '../idempotency-key.ts'
import { toProblemParts } from '../problem.ts'
import type { Dialect } from './dialect.ts'

/**
 * What bc-events 0.4.0 sends. That client raises for a body that is not JSON, sends again after 400 and 500 with one of two
 * names in `errorType`, logs other names with these two statuses, and takes every other answer in JSON for success.
 */
export const briteEventsDialect: Dialect = {
  speaks: (path) => path.startsWith('/dialects/briteevents'),
  toError: (error, context) => {
    const { code, problem, fields } = toProblemParts(error, context)
    if (raised.has(problem.status)) {
      const headers = { ...fields, 'content-type': 'text/plain; charset=utf-8' }
      return { status: problem.status, headers, body: `${problem.message}\n` }
    }
    const errorType = toErrorType(code, problem.status)
    const status = isRetryable(errorType) ? 500 : 400
    return {
      ...json(status, { errorType, ...problem, status }),
      headers: { ...fields, 'content-type': 'application/json' },
    }
  },
}

/** A key that is refused, or an address that is wrong, must stop the program and not end up in its log. */
const raised: ReadonlySet<number> = new Set([401, 403, 404, 405])

const isRetryable = (errorType: string): boolean => Object.values<string>(briteRetryable).includes(errorType)

function toErrorType(code: ErrorCode, status: number): string {
  if (status === 429 || status === 503) return briteRetryable.busy
  return status >= 500 ? briteRetryable.failed : code
}

export function briteEventsHandlers(context: Context): Pick<Handlers, 'publishBriteEvent' | 'publishBriteEvents'> {
  return {
    publishBriteEvent: async (call) => json(201, await publishOne(context, call)),
    publishBriteEvents: async (call) => json(201, await publishBulk(context, call)),
  }
}

const toJobId = ({ request }: Call<'publishBriteEvent' | 'publishBriteEvents'>): string | null =>
  request.header('x-britecore-job-id') || null

/** That client sends again without a key of its own: a repetition after a lost answer is a second event. */
async function publishOne(context: Context, call: Call<'publishBriteEvent'>): Promise<BriteAccepted> {
  const { request, principal, body } = call
  requireJson(request)
  const jobId = toJobId(call)
  const idempotencyKey = parseIdempotencyKey(request.header('idempotency-key'))
  const text = toText(body)
  const event = { text, start: startOfJson(text), end: text.length, value: parseJson(text) }
  const { eventId } = await publishEvent(context, principal, {
    bytes: Buffer.from(toNative(event, jobId)),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...traceOf(request),
  })
  return { eventId, jobId }
}

/** No events are a success: that client sends an empty array when all that failed before was refused for good. */
async function publishBulk(context: Context, call: Call<'publishBriteEvents'>): Promise<BriteBulkAccepted> {
  const { request, principal, body } = call
  requireJson(request)
  const jobId = toJobId(call)
  const items = parseItems(body).map((item) => orError(() => toNative(item, jobId)))
  const good = items.filter((item) => typeof item === 'string')
  const bytes = Buffer.from(`[${good.join(',')}]`)
  const results =
    good.length === 0 ? [] : await publishBatch(context, principal, { bytes, form: 'json', ...traceOf(request) })
  let next = 0
  const records = items.map((item) => toRecord(typeof item === 'string' ? results[next++] : item))
  return { failedRecords: records.filter((record) => record !== success).length, records }
}

function parseItems(bytes: Buffer): EventText[] {
  const text = toText(bytes)
  const values = parseJson(text)
  if (!Array.isArray(values)) throw toValidationError([{ pointer: '', detail: 'must be a JSON array of events' }])
  if (values.length > briteBulkMax) {
    const detail = `holds ${values.length} events; at most ${briteBulkMax} are allowed`
    throw toValidationError([{ pointer: '', detail }])
  }
  return scanElements(text, startOfJson(text), Infinity).map(({ start, end }, index) => ({
    text,
    start,
    end,
    value: values[index],
  }))
}

const success = 'Success'

function toRecord(result: Published | HubError | undefined): string {
  if (!(result instanceof HubError)) return success
  const errorType = toErrorType(result.code, result.status)
  return isRetryable(errorType) ? errorType : `${errorType}: ${result.message}`
}

/**
 * The same event in the hub's own words. The text of `data` is not touched.
 *
 * @throws HubError `validation-error` with every fault
 */
function toNative({ text, start, value }: EventText, jobId: string | null): string {
  if (!isObject(value)) throw toValidationError([{ pointer: '', detail: 'must be a JSON object' }])
  const members = membersOnce(text, start)
  const parsed = BriteEvent.safeParse(value)
  if (!parsed.success) throw toValidationError(toFaults(parsed.error))
  const { category, entity, action, actor } = parsed.data
  const data = members.find(({ name }) => name === 'data')
  const topic = `${category}.${entity}${action}`
  const own = JSON.stringify({ event_type: topic, actor, ...(jobId !== null && { correlation_id: jobId }) })
  return `${own.slice(0, -1)},"payload":${text.slice(data?.valueStart, data?.end)}}`
}
