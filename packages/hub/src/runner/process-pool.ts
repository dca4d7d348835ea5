import { createQueue, type Slot } from './queue.ts'
import type { RunFailure, RunOrder, RunOutcome, Runner } from './runner.ts'
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
    run: async (order, signal) => {
      const slot = await queue.take({ group: String(order.workspaceId), key: order.folder }, signal)
      const startedMs = performance.now()
      lastId += 1
      const stop = new AbortController()
      busy.add(stop)
      const until = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
      const start = (): Worker => startWorker(order.folder, { allowCidr, maxBytes })
      const outcome = await runOn(slot, { order, start, signal: until, id: lastId }).finally(() => busy.delete(stop))
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

type Job = {
  readonly order: RunOrder
  readonly start: () => Worker
  readonly signal: AbortSignal
  readonly id: number
}

async function runOn(slot: Slot<Worker>, { order, start, signal, id }: Job): Promise<Omit<RunOutcome, 'ms'>> {
  let kept: Worker | undefined
  try {
    const worker = slot.resource ?? start()
    const done = await exchange(worker, { order, signal, id })
    if ('type' in done.result) kept = worker
    else worker.end(done.result)
    return { ...done, output: worker.output() }
  } finally {
    slot.give(kept)
  }
}

type Exchange = Pick<Job, 'order' | 'signal' | 'id'>

type Exchanged = Pick<RunOutcome, 'result' | 'unauthorized'>

async function exchange(worker: Worker, { order, signal, id }: Exchange): Promise<Exchanged> {
  const { deadlineMs, call, auth, metadata } = order
  const onAbort = (): void => worker.end({ reason: 'cancelled', message: 'the run was cancelled' })
  const onDeadline = (): void =>
    worker.end({ reason: 'timed-out', message: `the run took longer than ${deadlineMs} ms` })
  const timer = setTimeout(onDeadline, deadlineMs)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    const fault = await worker.ready
    if (fault) return { result: fault }
    const done = new Promise<Exchanged>((resolve) => {
      worker.send({ id, order: { call, auth, metadata } }, ({ envelope, unauthorized }) =>
        resolve({ result: envelope, ...(unauthorized && { unauthorized }) }),
      )
    })
    return await Promise.race([done, worker.ended.then((result) => ({ result }))])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}
