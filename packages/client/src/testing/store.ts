import type { Event, NewEvent } from '@sluice/protocol'

/** An event as it was accepted, with the key that it came under. */
export type RecordedEvent = Event & { readonly idempotency_key: string | undefined }

export type Refusal = {
  readonly status: number
  readonly errorCode: string
  readonly detail: string
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[]
}

type Stored = { readonly event_id: string; readonly timestamp: string; readonly status: 'accepted' | 'duplicate' }

export type Store = {
  /** accepted, each once, in order */
  readonly events: readonly RecordedEvent[]
  put(event: NewEvent, idempotencyKey: string | undefined): Stored | Refusal
  get(eventId: string): Event | undefined
  refuse(eventType: string, detail: string): void
  reset(): void
}

/** Time of the first event; each is a second later than the one before it. */
const start = Date.parse('2026-01-31T12:00:00Z')

/** Events in memory, with ids and times that are the same in each run. */
export function createStore(): Store {
  const events: RecordedEvent[] = []
  const byKey = new Map<string, { readonly text: string; readonly stored: Stored }>()
  const refused = new Map<string, string>()
  return {
    events,
    put: (event, idempotencyKey) => {
      const detail = refused.get(event.event_type)
      if (detail !== undefined) return toInvalid(detail)
      const text = JSON.stringify(event)
      const known = idempotencyKey === undefined ? undefined : byKey.get(idempotencyKey)
      if (known && known.text !== text) return mismatch
      if (known) return { ...known.stored, status: 'duplicate' }
      const number = events.length + 1
      const stored: Stored = {
        event_id: `00000000-0000-8000-8000-${String(number).padStart(12, '0')}`,
        timestamp: new Date(start + number * 1000).toISOString(),
        status: 'accepted',
      }
      const { event_id, timestamp } = stored
      events.push({ ...event, event_id, timestamp, idempotency_key: idempotencyKey })
      if (idempotencyKey !== undefined) byKey.set(idempotencyKey, { text, stored })
      return stored
    },
    get: (eventId) => {
      const { idempotency_key: _, ...event } = events.find((one) => one.event_id === eventId) ?? {}
      // Found or not: an event has an id.
      return 'event_id' in event ? (event as Event) : undefined
    },
    refuse: (eventType, detail) => void refused.set(eventType, detail),
    reset: () => {
      events.length = 0
      byKey.clear()
      refused.clear()
    },
  }
}

const mismatch: Refusal = {
  status: 422,
  errorCode: 'idempotency-mismatch',
  detail: 'the idempotency key was used with another event',
}

function toInvalid(detail: string): Refusal {
  const errors = [{ pointer: '/event_type', detail }]
  return { status: 400, errorCode: 'validation-error', detail: `/event_type: ${detail}`, errors }
}
