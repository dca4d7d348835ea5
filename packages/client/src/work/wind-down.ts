import { unqueue } from './hold.ts'
import type { Worker } from './worker.ts'

/** What has not begun goes back, as if it had never been handed out. */
export function giveBackAll({ hold, settler }: Worker): void {
  for (const held of unqueue(hold, () => true)) settler.settle(held, { kind: 'give-back' })
}

/** The time to finish is over: handlers are told, and their events go back with one last request a lease. */
export async function stopHard({ hold, inbox, hard }: Worker): Promise<void> {
  const reason = new DOMException('the worker was stopped before the handler had finished', 'AbortError')
  hard.abort(reason)
  const leases = [...hold.leases.values()]
  const running = new Set(hold.running)
  for (const held of running) held.stop.abort(reason)
  await Promise.all(
    leases.map(async (lease) => {
      const eventIds = [...lease.events].filter((held) => running.has(held)).map((held) => held.event.event_id)
      lease.over.abort()
      if (eventIds.length === 0) return
      // A hub that does not answer now gives them out again when the lease ends.
      await inbox
        .release(lease.id, { eventIds, reason: reason.message, maxRetries: 0, timeoutMs: 2000 })
        .catch(() => undefined)
    }),
  )
}
