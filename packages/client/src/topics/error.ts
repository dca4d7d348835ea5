import type { Fault, NewBatchEvent } from '@sluice/protocol'
import type { BatchItemResult } from '../batch.ts'

export type TopicFault = {
  /** the event type, or where its names are at fault the place: `Topics[3]` */
  readonly topic: string
  /** a JSON Pointer into the definitions */
  readonly pointer: string
  readonly detail: string
  /** of the file, from 1 */
  readonly line?: number
}

/** Definitions that cannot be used; `faults` has every reason. */
export class TopicsError extends Error {
  readonly faults: readonly TopicFault[]

  /** @param name of the file, or of what was given instead of one */
  constructor(name: string, faults: readonly TopicFault[], options?: { readonly cause: unknown }) {
    const lines = faults.map(({ topic, line, pointer, detail }) => {
      const place = line === undefined ? pointer || 'the whole' : `line ${line}`
      return `\n  ${place}${topic === '' ? '' : `, topic ${topic}`}: ${detail}`
    })
    super(`${name} cannot be used:${lines.join('')}`, options)
    this.name = 'TopicsError'
    this.faults = faults
  }
}

/** No topic of that name is defined; the message names those that are. */
export class TopicNotFoundError extends Error {
  /** what was asked for: an event type or a method */
  readonly topic: string

  constructor(topic: string, known: readonly string[]) {
    const names =
      known.length > 20 ? `${known.slice(0, 20).join(', ')} and ${known.length - 20} more` : known.join(', ')
    super(`topic not found: ${topic}; there ${known.length === 1 ? 'is' : 'are'} ${names || 'none'}`)
    this.name = 'TopicNotFoundError'
    this.topic = topic
  }
}

/** Data that its topic refuses, or options that no event has, thrown where it was published. Values do not stand in it, only where they are. */
export class TopicDataError extends Error {
  readonly eventType: string
  /** where in data or options (a JSON Pointer) and what, for every fault at once */
  readonly faults: readonly Fault[]

  /** @param part which of the two arguments is at fault */
  constructor(eventType: string, faults: readonly Fault[], part: 'data' | 'options' = 'data') {
    const list = faults.map(({ pointer, detail }) => (pointer === '' ? detail : `${pointer} ${detail}`))
    super(`${part} of ${eventType} ${part === 'data' ? 'is' : 'are'} refused: ${list.join('; ')}`)
    this.name = 'TopicDataError'
    this.eventType = eventType
    this.faults = faults
  }
}

export type FailedEvent = {
  readonly event: NewBatchEvent
  readonly error: Extract<BatchItemResult, { error: unknown }>['error']
}

/**
 * Some events were not accepted. They stay in the session, under the same idempotency keys: flush again, or roll back to
 * drop them. After `flush({ deadLetter: true })` they have gone to the dead-letter sink instead.
 */
export class FlushError extends Error {
  readonly accepted: number
  /** in the order in which they were published */
  readonly failed: readonly FailedEvent[]

  constructor(
    accepted: number,
    failed: readonly FailedEvent[],
    { givesUp = false, ...options }: { readonly cause?: unknown; readonly givesUp?: boolean } = {},
  ) {
    const reasons = failed
      .slice(0, 3)
      .map(({ event, error }) => `${event.event_type}: ${error.error_code}, ${error.message}`)
    const more = failed.length > reasons.length ? `; and ${failed.length - reasons.length} more` : ''
    super(
      `${failed.length} of ${accepted + failed.length} events were not accepted and ${givesUp ? 'were given up' : 'stay in the session'}: ${reasons.join('; ')}${more}`,
      options,
    )
    this.name = 'FlushError'
    this.accepted = accepted
    this.failed = failed
  }
}
