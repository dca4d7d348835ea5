import { HubError } from '@sluice/protocol'
import type { RunFailure, RunOptions, RunOrder, RunOutcome } from './runner.ts'
import type { ToOrder, Worker } from './worker.ts'

export type Exchange = RunOptions & {
  readonly order: RunOrder
  readonly id: number
  /** ends the process at once */
  readonly stop: AbortSignal
}

export type Exchanged = Pick<RunOutcome, 'result' | 'unsent' | 'unauthorized' | 'dryRun'> & {
  /** the process cannot be used again */
  readonly fault?: RunFailure
}

/** A handler that was told to end has so long to do it. */
const graceMs = 1000

/** One run in a process: the order goes there, and what is said to it comes back. */
export async function exchange(worker: Worker, job: Exchange): Promise<Exchanged> {
  const { order, id } = job
  using asked = answerChild(worker, job)
  using ends = watchEnds(worker, job)
  const fault = await worker.ready
  if (fault) return { result: fault, fault, unsent: true }
  const { call, auth, metadata } = order
  const done = new Promise<Exchanged>((resolve) => {
    const onAnswer = (answer: ToOrder): void => {
      if (answer.kind === 'done') resolve(toExchanged(answer, ends.verdict()))
      else asked.take(answer)
    }
    worker.send(
      {
        kind: 'run',
        id,
        order: { call, auth, metadata, asks: job.permits !== undefined, dryRun: order.dryRun === true },
      },
      onAnswer,
    )
    ends.begin()
  })
  // Awaited here: what ends the run is watched until then.
  return await Promise.race([done, worker.ended.then((failure) => ({ result: failure, fault: failure }))])
}

/** Its handler may hang at a request that was never answered, and another run could use the sockets that it was refused. */
const dryRunOver: RunFailure = { reason: 'cancelled', message: 'the dry run is over' }

type Asked = Disposable & { readonly take: (answer: Exclude<ToOrder, { kind: 'done' }>) => void }

/** What a run says and asks on its way. */
function answerChild(worker: Worker, { order: { deadlineMs }, id, onProgress, permits }: Exchange): Asked {
  const over = new AbortController()
  const endMs = performance.now() + deadlineMs
  const permit = (number: number, retryAfter: number | null): void =>
    worker.tell({ kind: 'permit', id, number, retryAfter })
  return {
    take: (answer) => {
      if (answer.kind === 'progress') onProgress?.(answer.report)
      // What a service has said is no reason for a run to fail.
      else if (answer.kind === 'limits') permits?.learn(answer.limits).catch(() => undefined)
      else
        void permits?.ask({ withinMs: endMs - performance.now(), signal: over.signal }).then(
          () => permit(answer.number, null),
          (error: unknown) => permit(answer.number, retryAfterOf(error)),
        )
    },
    [Symbol.dispose]: () => over.abort(),
  }
}

const retryAfterOf = (error: unknown): number =>
  error instanceof HubError ? (error.retryAfterSeconds ?? busySeconds) : busySeconds
/** The store that gives leave may be away for a moment. */
const busySeconds = 5

/** What came in spite of a cancellation is what happened; an error is most likely how the handler ended for it. */
function toExchanged(
  { envelope, unauthorized, dryRun }: Extract<ToOrder, { kind: 'done' }>,
  verdict: RunFailure | undefined,
): Exchanged {
  const result = verdict && envelope.type === 'error' ? verdict : envelope
  return { result, ...(unauthorized && { unauthorized }), ...(dryRun && { dryRun, fault: dryRunOver }) }
}

type Ends = Disposable & {
  /** why the run was told to end */
  readonly verdict: () => RunFailure | undefined
  /** The order was sent: from here on the handler is asked first. */
  readonly begin: () => void
}

/** What ends a run from outside: its time, whoever waits for it, the hub. */
function watchEnds(worker: Worker, { order: { deadlineMs }, id, signal, stop }: Exchange): Ends {
  let verdict: RunFailure | undefined
  let hasBegun = false
  let grace: NodeJS.Timeout | undefined
  const tell = (why: RunFailure): void => {
    if (verdict) return
    verdict = why
    if (!hasBegun) return worker.end(why)
    worker.tell({ kind: 'cancel', id })
    grace = setTimeout(() => worker.end(why), graceMs)
  }
  const onAbort = (): void => tell({ reason: 'cancelled', message: 'the run was cancelled' })
  const onStop = (): void => worker.end({ reason: 'cancelled', message: 'the node is stopping' })
  const timer = setTimeout(
    () => tell({ reason: 'timed-out', message: `the run took longer than ${deadlineMs} ms` }),
    deadlineMs,
  )
  signal?.addEventListener('abort', onAbort, { once: true })
  stop.addEventListener('abort', onStop, { once: true })
  if (signal?.aborted) onAbort()
  if (stop.aborted) onStop()
  return {
    verdict: () => verdict,
    begin: () => void (hasBegun = true),
    [Symbol.dispose]: () => {
      clearTimeout(timer)
      clearTimeout(grace)
      signal?.removeEventListener('abort', onAbort)
      stop.removeEventListener('abort', onStop)
    },
  }
}
