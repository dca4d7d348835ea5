import type { Accepted, NewBatchEvent } from '@sluice/protocol'
import type { BatchItemResult } from '../batch.ts'
import type { Sluice } from '../client.ts'
import type { Logger } from '../logger.ts'
import type { FlushOptions } from './session.ts'
import type { Topics } from './topics.ts'

/** What the sessions of a hub have in common. */
export type Context = {
  /** null in local mode */
  readonly sluice: Pick<Sluice, 'events'> | null
  readonly topics: Topics<never>
  readonly isImmediate: boolean
  readonly logger: Logger | undefined
}

/** A request of a flush holds so many events, as those of BriteEvents do. */
const maxEvents = 250

/** One event, without the buffer. Undefined in local mode. */
export async function sendNow(context: Context, event: NewBatchEvent): Promise<Accepted | undefined> {
  if (!context.sluice) {
    tell(context, event)
    return undefined
  }
  const { event_type: type, payload, idempotency_key: idempotencyKey, ...members } = event
  return context.sluice.events.send(type, payload, { ...members, idempotencyKey })
}

/** All events of a flush, with a result for each; null in local mode, where each is only told of. */
export async function sendAll(
  context: Context,
  events: readonly NewBatchEvent[],
  options?: FlushOptions,
): Promise<readonly BatchItemResult[] | null> {
  // A session keeps its events itself: in both places they would be sent again after a rollback, or under two keys.
  const deadLetter = options?.deadLetter === true
  if (context.sluice)
    return (await context.sluice.events.sendBatch(events, { maxEvents, ...options, deadLetter })).results
  for (const event of events) tell(context, event)
  return null
}

function tell({ logger }: Context, { event_type, correlation_id, actor }: NewBatchEvent): void {
  logger?.debug(
    { event_type, job_id: correlation_id, actor_type: actor?.type },
    'local mode: the event is good, and is not sent',
  )
}
