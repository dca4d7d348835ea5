import { HubError, cloudEventTypes } from '@sluice/protocol'
import type { Principal } from '../domain/authenticate.ts'
import type { Context } from '../domain/context.ts'
import type { CloudEventBody } from '../domain/parse-cloudevent.ts'
import { publishCloudEvents, type Published } from '../domain/publish.ts'
import { mediaTypeOf, refuseField } from './body.ts'
import type { HubRequest } from './exchange.ts'
import { parseIdempotencyKey } from './idempotency-key.ts'

type Mode = CloudEventBody['mode']

/**
 * The mode of a request that brings CloudEvents, or undefined. The media type decides, and the longer of the two first;
 * then two of the fields that binary mode requires: who sends either means a CloudEvent, and is told which others are missing.
 */
export function findCloudEventMode(request: HubRequest): Mode | undefined {
  const contentType = request.header('content-type')
  if (contentType !== undefined && contentType !== 'application/json') {
    const type = contentType.trimStart().toLowerCase()
    if (type.startsWith('application/cloudevents-batch')) return 'batch'
    if (type.startsWith('application/cloudevents')) return 'structured'
  }
  // Two looks, not four: every native publish passes here.
  return (request.header('ce-specversion') ?? request.header('ce-id')) === undefined ? undefined : 'binary'
}

type Arrived = {
  readonly mode: Mode
  readonly request: HubRequest
  readonly body: Buffer
  readonly principal: Principal
  readonly traceparent?: string
}

/** @throws HubError `unsupported-media-type` for event formats other than JSON */
export function takeCloudEvents(context: Context, arrived: Arrived): Promise<(Published | HubError)[]> {
  const { mode, request, body, principal, traceparent } = arrived
  if (mode === 'batch')
    refuseField(request, 'Idempotency-Key', 'is for single events; in a batch source and id are one')
  if (mode !== 'binary') requireFormat(request, cloudEventTypes[mode])
  const idempotencyKey = parseIdempotencyKey(request.header('idempotency-key'))
  return publishCloudEvents(context, principal, {
    body: mode === 'binary' ? { mode, message: toMessage(request, body) } : { mode, bytes: body },
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...(traceparent !== undefined && { traceparent }),
  })
}

function requireFormat(request: HubRequest, wanted: string): void {
  const mediaType = mediaTypeOf(request)
  if (mediaType === wanted) return
  throw new HubError(
    'unsupported-media-type',
    `${mediaType.slice(0, 100)} is not understood; send CloudEvents in JSON, as ${wanted}, or in binary mode`,
  )
}

function toMessage(request: HubRequest, body: Buffer): Extract<CloudEventBody, { mode: 'binary' }>['message'] {
  const names = request.headerNames().filter((name) => name.startsWith('ce-'))
  const fields = names.map((name): [string, string] => [name, request.header(name) ?? ''])
  return { fields, contentType: request.header('content-type'), body }
}
