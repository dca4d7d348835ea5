import { HubError, type Warning } from '@sluice/protocol'
import type { AppendOutcome } from '../store/store.ts'
import type { Workspace } from './context.ts'
import { toId } from './event-address.ts'
import { toIso } from './to-wire.ts'

/** `eventId` of an event that waits, in quarantine or for its time, is an id for that: it has none of its own yet. */
export type Published = {
  readonly status: 'accepted' | 'duplicate' | 'quarantined' | 'scheduled'
  readonly eventId: string
  readonly timestamp: string
  /** of one that is scheduled */
  readonly deliverAt?: string
  readonly warnings?: readonly Warning[]
}

/** What the store did, as publishers are told. */
export function toPublished(workspace: Workspace, outcome: AppendOutcome): Published | HubError {
  if (outcome.status === 'mismatch') return mismatch()
  return {
    status: outcome.status === 'stored' ? 'accepted' : 'duplicate',
    eventId: toId(workspace, outcome),
    timestamp: toIso(outcome.acceptedMs),
  }
}

export function mismatch(): HubError {
  return new HubError(
    'idempotency-mismatch',
    'the idempotency key, or source with external_event_id, was used before with another body',
  )
}
