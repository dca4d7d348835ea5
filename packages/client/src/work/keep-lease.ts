import { ApiError } from '../error.ts'
import { dropEvent, unqueue, type HeldLease } from './hold.ts'
import type { Worker } from './worker.ts'

/** Extends the lease, well before it ends, for as long as something of it is in work. */
export function keepLease(worker: Worker, lease: HeldLease): void {
  void extendUntilOver(worker, lease) // never rejects; ends with `lease.over`
}

async function extendUntilOver(worker: Worker, lease: HeldLease): Promise<void> {
  const { settings, inbox, plan, insist, fail } = worker
  const { signal } = lease.over
  try {
    for (;;) {
      await settings.clock.sleep(plan.leaseSeconds * 400, signal)
      await insist(signal, (options) => inbox.extend(lease.id, plan.leaseSeconds, options))
    }
  } catch (error) {
    if (signal.aborted) return
    if (error instanceof ApiError && error.errorCode === 'lease-lost') loseLease(worker, lease, error)
    else fail(error)
  }
}

/** Others may have these events now: what has not begun is forgotten, what runs is told to stop. */
function loseLease({ settings, hold }: Worker, lease: HeldLease, error: ApiError): void {
  settings.logger?.warn({ leaseId: lease.id, events: lease.events.size }, 'lease lost')
  for (const held of unqueue(hold, (queued) => queued.lease === lease)) dropEvent(hold, held)
  for (const held of lease.events) held.stop.abort(error)
}
