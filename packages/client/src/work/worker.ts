import type { LeasedEvent } from '@sluice/protocol'
import type { Inbox } from '../inbox.ts'
import type { Settings } from '../options.ts'
import type { RequestOptions } from '../request.ts'
import { createHold, type HeldEvent, type Hold } from './hold.ts'
import { createSettler, type Settler } from './settle.ts'

export type HandlerContext = {
  /** aborts when the event is no longer this worker's, or when the time to finish is over */
  readonly signal: AbortSignal
}

/** Returning acknowledges the event, throwing releases it; `retryAfter` on the error says in how many seconds it comes back. */
export type Handler = (event: LeasedEvent, context: HandlerContext) => unknown

/** What the parts of one `work` or `drain` share. */
export type Worker = {
  readonly settings: Settings
  readonly inbox: Inbox
  readonly hold: Hold
  readonly settler: Settler
  readonly handler: Handler
  readonly plan: Plan
  /** aborts when no more events are to be taken */
  readonly stop: AbortController
  /** aborts when nothing is waited for any more */
  readonly hard: AbortController
  readonly bell: Bell
  readonly onError: (error: unknown, held: HeldEvent) => void
  /** keeps the first; stops the worker */
  readonly fail: (error: unknown) => void
  /** a request as often as the plan says */
  readonly insist: <Answer>(
    signal: AbortSignal,
    attempt: (options: RequestOptions) => Promise<Answer>,
  ) => Promise<Answer>
}

export type Plan = {
  /** false: resolve when the inbox is empty, and reject when the hub cannot be reached */
  readonly forever: boolean
  readonly concurrency: number
  readonly batch: number
  readonly leaseSeconds: number
  readonly waitSeconds: number
  readonly graceMs: number
}

/** Wakes whoever waits for something to change. */
type Bell = { readonly ring: () => void; readonly next: () => Promise<void> }

/** @param job what `work` or `drain` was called with */
export function createWorker(
  job: Pick<Worker, 'settings' | 'inbox' | 'handler' | 'plan' | 'insist' | 'stop' | 'fail'> & {
    readonly onError: ((error: unknown, event: LeasedEvent) => void) | undefined
  },
): Worker {
  const { settings, inbox, stop } = job
  const hold = createHold()
  const hard = new AbortController()
  const bell = createBell()
  stop.signal.addEventListener('abort', () => bell.ring(), { once: true })
  const fail = (error: unknown): void => {
    if (hard.signal.aborted) return
    job.fail(error)
    stop.abort(error)
  }
  const onError = (error: unknown, held: HeldEvent): void => {
    try {
      job.onError?.(error, held.event)
    } catch (problem) {
      settings.logger?.warn({ reason: String(problem) }, 'onError failed')
    }
  }
  const settler = createSettler({
    inbox,
    hold,
    insist: (attempt) => job.insist(hard.signal, attempt),
    linger: (ms) => settings.clock.sleep(ms),
    onLost: onError,
    onRefused: fail,
    onSettled: bell.ring,
  })
  return { ...job, hold, settler, hard, bell, onError, fail }
}

/** Waits until nothing runs and everything is told. */
export async function idle({ hold, settler, bell }: Worker): Promise<void> {
  while (hold.running.size > 0) await bell.next()
  await settler.idle()
}

function createBell(): Bell {
  let waiting = Promise.withResolvers<void>()
  return {
    ring: () => {
      waiting.resolve()
      waiting = Promise.withResolvers<void>()
    },
    next: () => waiting.promise,
  }
}
