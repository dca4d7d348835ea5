import { z } from 'zod'
import { readBinary, type CloudEventMessage } from './cloudevent/read-binary.ts'
import { readStructured, type CloudEventText } from './cloudevent/read-structured.ts'
import { toEvent, type ParsedCloudEvent } from './cloudevent/to-event.ts'

export {
  toBinaryCloudEvent,
  toCloudEventBatch,
  toStructuredCloudEvent,
  type CloudEventOptions,
} from './cloudevent/write.ts'
export type { CloudEventMessage, CloudEventText, ParsedCloudEvent }

/** The media types of CloudEvents in JSON; their first words tell the modes apart, the longer one first. */
export const cloudEventTypes = {
  structured: 'application/cloudevents+json',
  batch: 'application/cloudevents-batch+json',
} as const

/** A CloudEvent 1.0 in JSON. */
export const CloudEvent = z
  .looseObject({
    specversion: z.literal('1.0'),
    id: z.string().min(1).describe('unique together with `source`'),
    source: z.string().min(1).describe('a URI-reference'),
    type: z.string().min(1),
    subject: z.string().optional(),
    time: z.string().optional().describe('RFC 3339'),
    datacontenttype: z.string().optional(),
    dataschema: z.string().optional().describe('a URI'),
    data: z.unknown().optional().describe('any JSON value'),
    data_base64: z.string().optional().describe('bytes, in the place of `data`'),
  })
  .meta({ id: 'CloudEvent', description: 'CloudEvents 1.0; other members are extensions' })
export type CloudEvent = z.infer<typeof CloudEvent>

/**
 * A CloudEvent in structured mode, or one of a batch, as our event.
 *
 * @throws HubError `validation-error` with every fault, pointers into the JSON; `payload-too-large`
 * @example parseStructuredCloudEvent({ text, start: 0, value: JSON.parse(text) }).eventType
 */
export function parseStructuredCloudEvent(event: CloudEventText): ParsedCloudEvent {
  return toEvent(readStructured(event))
}

/**
 * A CloudEvent in HTTP's binary mode as our event.
 *
 * @throws HubError `validation-error` with every fault, pointers `header.ce-NAME` and `data`; `payload-too-large`
 * @example parseBinaryCloudEvent({ fields: Object.entries(headers), contentType: 'application/json', body })
 */
export function parseBinaryCloudEvent(message: CloudEventMessage): ParsedCloudEvent {
  return toEvent(readBinary(message))
}
