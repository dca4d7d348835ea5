import type { HeldEvent } from './hold.ts'
import type { Worker } from './worker.ts'

/** Begins as many events as the concurrency allows. Each ends by itself and begins the next. */
export function startHandlers(worker: Worker): void {
  const { hold, plan, stop } = worker
  while (hold.running.size < plan.concurrency && !stop.signal.aborted) {
    const held = hold.queue.shift()
    if (!held) return
    hold.running.add(held)
    void runHandler(worker, held) // never rejects; `hold.running` is who waits for it
  }
}

async function runHandler(worker: Worker, held: HeldEvent): Promise<void> {
  const { hold, settler, hard, bell } = worker
  try {
    await worker.handler(held.event, { signal: held.stop.signal })
    if (!hard.signal.aborted) settler.settle(held, { kind: 'ack' })
  } catch (error) {
    worker.onError(error, held)
    if (!hard.signal.aborted)
      settler.settle(held, { kind: 'release', reason: toReason(error), delaySeconds: toDelaySeconds(error) })
  }
  hold.running.delete(held)
  startHandlers(worker)
  bell.ring()
}

function toReason(error: unknown): string {
  const text = error instanceof Error && error.name !== 'Error' ? `${error.name}: ${error.message}` : toText(error)
  return text.slice(0, 2000).toWellFormed()
}

function toText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Undefined leaves it to the inbox's retry schedule. The hub takes at most 7 days. */
function toDelaySeconds(error: unknown): number | undefined {
  const asked = typeof error === 'object' && error !== null && 'retryAfter' in error ? error.retryAfter : undefined
  return typeof asked === 'number' && asked >= 0 ? Math.min(asked, 7 * 86_400) : undefined
}
