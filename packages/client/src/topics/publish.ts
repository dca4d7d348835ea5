import type { Actor, NewBatchEvent } from '@sluice/protocol'
import { checkMembers, eventRules } from '../event/rules.ts'
import type { CheckedTopic } from './check-definitions.ts'
import { TopicDataError } from './error.ts'
import type { PublishOptions } from './session.ts'
import { toSnapshot } from './snapshot.ts'

/** What all events of a session have in common. */
export type Author = {
  readonly service: string
  readonly actor: Actor
  readonly jobId: string
  readonly now: () => number
  readonly newId: () => string
}

/**
 * The event on the wire, complete: a later flush adds nothing, so that sending it again is sending the same.
 *
 * @throws TopicDataError with every fault of data and options
 */
export function toEvent(
  topic: CheckedTopic,
  author: Author,
  given: { data: unknown; options: PublishOptions },
): NewBatchEvent {
  const { copy: payload, faults } = toSnapshot(given.data)
  const refused = faults.length > 0 ? faults : topic.validate(payload)
  if (refused.length > 0) throw new TopicDataError(topic.eventType, refused)
  const { service, actor, jobId, now, newId } = author
  const event: NewBatchEvent = {
    event_type: topic.eventType,
    payload,
    source: service,
    actor,
    correlation_id: jobId,
    occurred_at: new Date(now()).toISOString(),
    idempotency_key: newId(),
  }
  return given.options === none ? event : { ...event, ...toMembers(topic.eventType, given.options) }
}

/** For those that give no options: they need not be copied. */
export const none: PublishOptions = {}

const optional = ['subject', 'occurred_at', 'metadata', 'identity', 'entity', 'external_event_id', 'channel']
const optionRules = Object.fromEntries(Object.entries(eventRules).filter(([name]) => optional.includes(name)))

function toMembers(eventType: string, options: PublishOptions): PublishOptions {
  const { copy, faults } = toSnapshot(options)
  const refused = faults.length > 0 ? faults : checkMembers(copy, optionRules, '')
  if (refused.length > 0) throw new TopicDataError(eventType, refused, 'options')
  return copy
}
