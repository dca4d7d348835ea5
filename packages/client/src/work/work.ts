import type { Inbox as InboxState, LeasedEvent } from '@sluice/protocol'
import type { Inbox } from '../inbox.ts'
import type { Settings } from '../options.ts'
import type { Request, RequestOptions } from '../request.ts'
import { persist } from './persist.ts'
import type { WorkResult } from './settle.ts'
import { takeLeases } from './take-leases.ts'
import { giveBackAll, stopHard } from './wind-down.ts'
import { createWorker, idle, type Handler, type Plan, type Worker } from './worker.ts'

export type DrainOptions = {
  /** stops taking events; what runs is finished */
  readonly signal?: AbortSignal | undefined
  /** handlers at a time; default 8 */
  readonly concurrency?: number | undefined
  /** events a lease, 1 to 1,000, and about as many held in all; default four times `concurrency`. More is faster for short handlers */
  readonly batch?: number | undefined
  /** 1 to 3,600, extended while an event is in work; default: the inbox's own */
  readonly leaseSeconds?: number | undefined
  /** how long running handlers have to finish after the signal; default 10 */
  readonly graceSeconds?: number | undefined
  /** sees what handlers throw, and leases that were lost */
  readonly onError?: ((error: unknown, event: LeasedEvent) => void) | undefined
}

export type WorkOptions = DrainOptions & {
  /** 0 to 20: how long the hub holds a request for events open; default 20 */
  readonly waitSeconds?: number | undefined
}

export type WorkTools = { readonly settings: Settings; readonly request: Request; readonly inbox: Inbox }

/** See `Inbox.work`. */
export function work(tools: WorkTools, handler: Handler, options: WorkOptions): Promise<WorkResult> {
  return run(tools, handler, { options, forever: true, waitSeconds: options.waitSeconds ?? 20 })
}

/** See `Inbox.drain`. */
export function drain(tools: WorkTools, handler: Handler, options: DrainOptions): Promise<WorkResult> {
  return run(tools, handler, { options, forever: false, waitSeconds: 0 })
}

type Order = { readonly options: DrainOptions; readonly forever: boolean; readonly waitSeconds: number }

async function run(tools: WorkTools, handler: Handler, order: Order): Promise<WorkResult> {
  const { signal } = order.options
  const stop = new AbortController()
  const onAbort = (): void => stop.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted) onAbort()
  try {
    return await runUntil(stop, tools, { handler, order })
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

async function runUntil(
  stop: AbortController,
  tools: WorkTools,
  job: { handler: Handler; order: Order },
): Promise<WorkResult> {
  const failures: unknown[] = []
  const insist = toInsist(tools.settings, job.order.forever)
  const plan = await toPlan(tools, job.order, (attempt) => insist(stop.signal, attempt)).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error
  })
  if (!plan) return { acked: 0, released: 0, dead: 0, lost: 0 }
  const worker = createWorker({
    settings: tools.settings,
    inbox: tools.inbox,
    handler: job.handler,
    onError: job.order.options.onError,
    plan,
    insist,
    stop,
    fail: (error) => failures.push(error),
  })
  await takeLeases(worker).catch((error: unknown) => {
    if (!stop.signal.aborted) worker.fail(error)
  })
  giveBackAll(worker)
  await finish(worker)
  if (failures.length > 0) throw failures[0]
  return { ...worker.settler.counts }
}

async function finish(worker: Worker): Promise<void> {
  const { settings, plan, hard } = worker
  const over = new AbortController()
  const grace = settings.clock.sleep(plan.graceMs, over.signal).then(
    () => stopHard(worker),
    () => undefined,
  )
  await Promise.race([idle(worker), grace])
  over.abort()
  if (hard.signal.aborted) await grace
}

async function toPlan(
  { settings, request, inbox }: WorkTools,
  { options, forever, waitSeconds }: Order,
  insist: (attempt: (options: RequestOptions) => Promise<InboxState>) => Promise<InboxState>,
): Promise<Plan> {
  const concurrency = toCount('concurrency', options.concurrency ?? 8)
  const batch = toCount('batch', options.batch ?? Math.min(1000, concurrency * 4))
  const call = { method: 'GET', path: `/v1/inboxes/${encodeURIComponent(inbox.key)}`, repeatable: true } as const
  const leaseSeconds =
    options.leaseSeconds ?? (await insist((attempt) => request<InboxState>(call, attempt))).lease_seconds
  settings.logger?.debug({ inbox: inbox.key, concurrency, batch, leaseSeconds }, 'taking events')
  return { forever, concurrency, batch, leaseSeconds, waitSeconds, graceMs: (options.graceSeconds ?? 10) * 1000 }
}

function toInsist({ clock, random, logger }: Settings, forever: boolean): Worker['insist'] {
  return (signal, attempt) => {
    if (!forever) return attempt({ signal })
    return persist(() => attempt({ signal, maxRetries: 0 }), { signal, clock, random, logger })
  }
}

function toCount(name: string, count: number): number {
  if (Number.isInteger(count) && count >= 1 && count <= 1000) return count
  throw new RangeError(`${name} must be a whole number from 1 to 1,000; it is ${count}`)
}
