import type { Accepted, CloudEvent } from '@sluice/protocol'
import type { RequestOptions } from './request.ts'
import type { Sender } from './send-batch.ts'

/** Anything that prints itself as a CloudEvent in JSON, as the class of the `cloudevents` package does. */
export type SendableCloudEvent = CloudEvent | { readonly toJSON: () => object }

/** In structured mode. Source and id make it safe to send again, so it needs no idempotency key. */
export function sendCloudEvent(
  { settings, request }: Sender,
  event: SendableCloudEvent,
  options?: RequestOptions,
): Promise<Accepted> {
  const content = { type: 'application/cloudevents+json', text: JSON.stringify(event) }
  return request<Accepted>({ method: 'POST', path: settings.eventsEndpoint, content, repeatable: true }, options)
}
