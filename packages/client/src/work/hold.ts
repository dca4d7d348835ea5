import type { Lease, LeasedEvent } from '@sluice/protocol'

/** What a worker holds: its leases and the events in them, each in exactly one lease and one state. */
export type Hold = {
  /** not begun yet, oldest first */
  readonly queue: HeldEvent[]
  readonly running: Set<HeldEvent>
  /** by event id; the latest hand-out of each */
  readonly events: Map<string, HeldEvent>
  readonly leases: Map<string, HeldLease>
}

export type HeldLease = {
  readonly id: string
  /** handed out with it */
  readonly size: number
  /** not settled yet */
  readonly events: Set<HeldEvent>
  /** aborts once nothing of it is left to settle */
  readonly over: AbortController
}

/** How an event ended; `release` without a reason gives back what nobody touched. */
export type Outcome =
  | { readonly kind: 'ack' }
  | { readonly kind: 'release'; readonly reason: string; readonly delaySeconds: number | undefined }
  | { readonly kind: 'give-back' }

export type HeldEvent = {
  readonly event: LeasedEvent
  lease: HeldLease
  outcome: Outcome | undefined
  /** aborts the handler */
  readonly stop: AbortController
}

export function createHold(): Hold {
  return { queue: [], running: new Set(), events: new Map(), leases: new Map() }
}

/** Takes in what the hub handed out. */
export function takeLease(hold: Hold, lease: Lease): HeldLease {
  const taken: HeldLease = {
    id: lease.lease_id,
    size: lease.events.length,
    events: new Set(),
    over: new AbortController(),
  }
  hold.leases.set(taken.id, taken)
  for (const event of lease.events) takeEvent(hold, taken, event)
  return taken
}

/** The event is settled, or belongs to somebody else. */
export function dropEvent(hold: Hold, held: HeldEvent): void {
  if (hold.events.get(held.event.event_id) === held) hold.events.delete(held.event.event_id)
  leaveLease(hold, held)
}

/** Events of the lease whose handlers have not begun; they are taken out of the queue. */
export function unqueue(hold: Hold, wanted: (held: HeldEvent) => boolean): HeldEvent[] {
  const found = hold.queue.filter(wanted)
  const kept = hold.queue.filter((held) => !wanted(held))
  hold.queue.splice(0, hold.queue.length, ...kept)
  return found
}

/**
 * An event that is still here from a lease which ran out (the hub was away for long) is not begun a second time: it moves
 * over, and its end is told under the new lease. Only one that is on its way back begins anew.
 */
function takeEvent(hold: Hold, lease: HeldLease, event: LeasedEvent): void {
  const known = hold.events.get(event.event_id)
  if (known && (known.outcome === undefined || known.outcome.kind === 'ack')) {
    leaveLease(hold, known)
    known.lease = lease
    lease.events.add(known)
    return
  }
  const held: HeldEvent = { event, lease, outcome: undefined, stop: new AbortController() }
  lease.events.add(held)
  hold.events.set(event.event_id, held)
  hold.queue.push(held)
}

function leaveLease(hold: Hold, held: HeldEvent): void {
  const { lease } = held
  lease.events.delete(held)
  if (lease.events.size > 0) return
  hold.leases.delete(lease.id)
  lease.over.abort()
}
