import type { Accepted, CloudEvent } from '@sluice/protocol'
import { buryEvents, cloudEventType, toRecordError } from './dead-letter.ts'
import type { PublishOptions } from './events.ts'
import type { Tries } from './request.ts'
import type { Sender } from './send-batch.ts'

/** Anything that prints itself as a CloudEvent in JSON, as the class of the `cloudevents` package does. */
export type SendableCloudEvent = CloudEvent | { readonly toJSON: () => object }

/** In structured mode. Source and id make it safe to send again, so it needs no idempotency key. */
export async function sendCloudEvent(
  { settings, request }: Sender,
  given: SendableCloudEvent,
  { deadLetter = true, ...options }: PublishOptions = {},
): Promise<Accepted> {
  const content = { type: cloudEventType, text: JSON.stringify(given) }
  const tries: Tries = { attempts: 0, status: null }
  try {
    const call = { method: 'POST', path: settings.eventsEndpoint, content, repeatable: true, tries } as const
    return await request<Accepted>(call, options)
  } catch (error) {
    if (deadLetter && (tries.attempts > 0 || options.signal?.aborted)) {
      // What has been sent, in the form in which it was.
      const event = JSON.parse(content.text) as CloudEvent
      const idempotencyKey = String(event.id)
      await buryEvents(settings, [
        { event, content_type: cloudEventType, idempotencyKey, tries, error: toRecordError(error) },
      ])
    }
    throw error
  }
}
