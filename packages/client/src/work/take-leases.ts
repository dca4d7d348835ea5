import type { Lease } from '@sluice/protocol'
import { ApiError } from '../error.ts'
import { takeLease } from './hold.ts'
import { keepLease } from './keep-lease.ts'
import { toBackoffMs } from '../retry.ts'
import { startHandlers } from './run-handlers.ts'
import type { Worker } from './worker.ts'

/** An inbox that answers at once with nothing (paused, or a hub that is going down) is asked again after at most this. */
const emptyCapMs = 5000

/** Takes events while there is room for them; resolves when the worker stops, or when there is nothing left and the plan says so. */
export async function takeLeases(worker: Worker): Promise<void> {
  const { hold, plan, stop, bell, settings } = worker
  const capacity = Math.max(plan.batch, plan.concurrency)
  // Asked for when half is done: the next events are here before the last have ended.
  const enough = Math.min(plan.batch, Math.ceil(capacity / 2))
  let emptyAnswers = 0
  while (!stop.signal.aborted) {
    const room = capacity - hold.queue.length - hold.running.size
    if (room < enough) {
      await bell.next()
      continue
    }
    const askedMs = settings.clock.now()
    const lease = await askForLease(worker, Math.min(plan.batch, room))
    if (lease.events.length > 0) {
      emptyAnswers = 0
      keepLease(worker, takeLease(hold, lease))
      startHandlers(worker)
    } else if (plan.forever) {
      const early = settings.clock.now() - askedMs < plan.waitSeconds * 500
      emptyAnswers = early || plan.waitSeconds === 0 ? emptyAnswers + 1 : 0
      if (emptyAnswers > 0)
        await settings.clock.sleep(toBackoffMs(emptyAnswers, settings.random, emptyCapMs), stop.signal)
    } else {
      if (hold.events.size === 0) return
      // What is in work may fail and come back at once.
      while (hold.events.size > 0 && !stop.signal.aborted) await bell.next()
    }
  }
}

async function askForLease({ settings, inbox, plan, stop, insist }: Worker, limit: number): Promise<Lease> {
  const { leaseSeconds, waitSeconds } = plan
  // One id for all attempts: if an answer is lost, the next one holds the same events.
  const leaseId = settings.newId()
  try {
    return await insist(stop.signal, (options) =>
      inbox.lease({ ...options, limit, leaseSeconds, waitSeconds, leaseId }),
    )
  } catch (error) {
    // The hub may have handed out events whose answer was not heard.
    const quick = { count: false, delaySeconds: 0, maxRetries: 0, timeoutMs: 2000 }
    if (!(error instanceof ApiError)) await inbox.release(leaseId, quick).catch(() => undefined)
    throw error
  }
}
