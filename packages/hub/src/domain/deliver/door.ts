import type { InboxSettings } from '@sluice/protocol'
import type { InboxRow, LeaseGrant } from '../../store/store.ts'
import type { Workspace } from '../context.ts'

/** One event on its way out of an inbox. */
export type Delivery = {
  readonly event: LeaseGrant['events'][number]
  readonly eventId: string
  /** nobody knows how the attempt before this one ended */
  readonly afterUnknown: boolean
}

/** What came of a delivery. `result` is a word for the list of attempts. */
export type Outcome =
  | { readonly kind: 'done'; readonly result: string }
  /** to be tried again, as often as the inbox says; with `pauseMs` nothing else is tried before either */
  | { readonly kind: 'failed'; readonly result: string; readonly reason: string; readonly pauseMs?: number }
  /** trying again would not help */
  | { readonly kind: 'dead'; readonly result: string; readonly reason: string }
  /** it may have been done or not; the inbox says what then */
  | { readonly kind: 'unknown'; readonly result: string; readonly reason: string }
  /** nothing was done, and for so long nothing will be: the whole inbox waits, and no attempt is counted */
  | { readonly kind: 'wait'; readonly reason: string; readonly delayMs: number }
  /** the other side wants nothing more: the inbox is disabled, and the event waits with the others */
  | { readonly kind: 'gone'; readonly reason: string }
  /** nothing was done, as the hub stops */
  | { readonly kind: 'untouched' }

export type OpenDoor = {
  /** deliveries at a time */
  readonly concurrency: number
  /** Never rejects for what the other side does. */
  readonly deliver: (delivery: Delivery, signal: AbortSignal) => Promise<Outcome>
  /** from the beginning of one delivery to that of the next */
  readonly everyMs?: number
}

/** Why nothing can be delivered now: `broken` may pass by itself, `disabled` takes somebody. */
export type ClosedDoor = { readonly status: 'broken' | 'disabled'; readonly reason: string }

export type DoorPlace = {
  readonly workspace: Workspace
  readonly inbox: InboxRow & { readonly settings: InboxSettings }
}

/** Looks at a door before events are leased for it. */
export type OpenDoorOf = (place: DoorPlace) => Promise<OpenDoor | ClosedDoor>
