import type { Store } from '../store.ts'
import { createEventTypes } from './event-types.ts'
import { createQuarantine } from './quarantine.ts'
import type { Parts } from './store-parts.ts'

/** Event types, and the events that they keep back. */
export function createDefinitions(parts: Parts): Pick<Store, 'eventTypes' | 'quarantine'> {
  return { eventTypes: createEventTypes(parts), quarantine: createQuarantine(parts) }
}
