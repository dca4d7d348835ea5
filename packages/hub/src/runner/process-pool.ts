import { createQueue, type Slot } from './queue.ts'
import { exchange, type Exchange } from './exchange.ts'
import type { RunFailure, RunOutcome, Runner } from './runner.ts'
import { startWorker, type Worker } from './worker.ts'

export type PoolOptions = {
  /** private networks that handlers may reach */
  readonly allowCidr: readonly string[]
  /** processes at a time, default 8: each runs one handler. A workspace has half of them at most */
  readonly processes?: number
  /** runs that may wait for one, default 1,000; a quarter of them of one workspace */
  readonly maxWaiting?: number
  /** of memory, for one process, default 512 MB; it is ended beyond */
  readonly maxBytes?: number
  /** an idle process is ended after this, default 60,000 */
  readonly idleMs?: number
}

const defaultMaxBytes = 512 * 1024 * 1024

/**
 * Runs handlers in processes of their own: without the hub's environment, with Node's permission model (the integration's
 * folder and the packages that it names can be read, nothing written, nothing started), a limit of memory, and sockets to public
 * addresses only. A process serves one run at a time, so that what one does to it, no other run feels; it is used again if all went well.
 *
 * @example const runner = openProcessPool({ allowCidr: [] })
 */
export function openProcessPool(options: PoolOptions): Runner {
  const { allowCidr, processes = 8, maxWaiting = 1000, maxBytes = defaultMaxBytes, idleMs = 60_000 } = options
  const queue = createQueue<Worker>({ slots: processes, maxWaiting, idleMs, retire: (worker) => worker.end(retired) })
  const busy = new Set<AbortController>()
  let lastId = 0
  return {
    run: async (order, options = {}) => {
      const { workspaceId, folder, rank, user } = order
      const who = { ...(rank !== undefined && { rank }), ...(user !== undefined && { user }) }
      // A dry run has a process to itself, without any socket that is open already.
      const key = order.dryRun ? `${folder}\0dry` : folder
      const slot = await queue.take({ group: String(workspaceId), key, ...who }, options.signal)
      const startedMs = performance.now()
      lastId += 1
      const stop = new AbortController()
      busy.add(stop)
      const start = (): Worker => startWorker(order.folder, { allowCidr, maxBytes })
      const job = { ...options, order, start, stop: stop.signal, id: lastId }
      const outcome = await runOn(slot, job).finally(() => busy.delete(stop))
      return { ...outcome, ms: Math.round(performance.now() - startedMs) }
    },
    close: async (graceMs = 0) => {
      const timer = setTimeout(() => {
        for (const stop of busy) stop.abort()
      }, graceMs)
      await queue.close()
      clearTimeout(timer)
    },
  }
}

const retired: RunFailure = { reason: 'cancelled', message: 'the process was not needed any more' }

type Job = Exchange & { readonly start: () => Worker }

async function runOn(slot: Slot<Worker>, { start, ...job }: Job): Promise<Omit<RunOutcome, 'ms'>> {
  let kept: Worker | undefined
  try {
    const worker = slot.resource ?? start()
    const { fault, ...done } = await exchange(worker, job)
    if (fault) worker.end(fault)
    else kept = worker
    return { ...done, output: worker.output() }
  } finally {
    slot.give(kept)
  }
}
