import { HubError, limits, type ExtendRequest, type Filter, type LeaseRequest } from '@sluice/protocol'
import type { LeaseGrant, LeaseOrder } from '../store/store.ts'
import type { Context, Workspace } from './context.ts'
import { requireInbox } from './inboxes.ts'

export type Leased = LeaseGrant & { readonly leaseId: string }

/**
 * Takes events to work on; with `wait_seconds` waits for one if there is none. Nothing is leased once `signal` says that the
 * caller has gone, and what was leased in that very moment is given back at no cost.
 */
export async function leaseEvents(
  context: Context,
  workspace: Workspace,
  key: string,
  request: LeaseRequest & WhoWaits,
): Promise<Leased> {
  const { lease_seconds: leaseSeconds, wait_seconds: waitSeconds = 0, signal, confirm } = request
  const order: LeaseOrder = {
    leaseId: request.lease_id ?? context.newId(),
    limit: request.limit ?? limits.leaseDefault,
    leaseMs: leaseSeconds === undefined ? undefined : leaseSeconds * 1000,
  }
  const take: Take = { context, workspace, key, order, signal, confirm }
  if (waitSeconds === 0) return { leaseId: order.leaseId, ...(await takeNow(take)) }
  const { settings } = await requireInbox(context, workspace, key)
  return { leaseId: order.leaseId, ...(await takeOrWait(take, settings.filter, waitSeconds * 1000)) }
}

type WhoWaits = {
  /** aborted when the caller has gone */
  readonly signal: AbortSignal
  /** Throws if the caller may no longer consume: a key can be revoked while a request waits. */
  readonly confirm?: (() => Promise<void>) | undefined
}

type Take = WhoWaits & {
  readonly context: Context
  readonly workspace: Workspace
  readonly key: string
  readonly order: LeaseOrder
}

/** Waits up to so many ms for the first event. */
export async function takeOrWait(take: Take, filter: Filter, waitMs: number): Promise<LeaseGrant> {
  const { context, workspace, key, signal } = take
  const deadline = performance.now() + waitMs
  const waiter = context.notifier.join({ workspaceId: workspace.id, inbox: key, filter })
  try {
    for (;;) {
      waiter.begin()
      const grant = await takeNow(take)
      const leftMs = deadline - performance.now()
      if (grant.events.length > 0) {
        if (grant.more) waiter.pass()
        return grant
      }
      if (leftMs <= 0 || signal.aborted || context.notifier.isClosed()) return grant
      if (grant.retryAtMs !== null) waiter.wakeIn(Math.max(0, grant.retryAtMs - context.store.nowMs()))
      await waiter.wait(leftMs, signal)
      if (signal.aborted || context.notifier.isClosed()) return grant
      await take.confirm?.()
    }
  } finally {
    waiter.leave()
  }
}

/** One look, without waiting. */
async function takeNow({ context, workspace, key, order, signal }: Take): Promise<LeaseGrant> {
  const nothing: LeaseGrant = { inboxStatus: 'active', untilMs: null, events: [], more: false, retryAtMs: null }
  if (signal.aborted) return nothing
  const end = context.leaseWatch.begin({ workspaceId: workspace.id, inbox: key, leaseId: order.leaseId })
  let grant: LeaseGrant
  let alone = false
  try {
    grant = await context.store.leaseEvents(workspace.id, key, order)
  } finally {
    alone = end()
  }
  if (!signal.aborted || grant.events.length === 0) {
    context.counts.leased += grant.events.length
    return grant
  }
  // Another request for this lease is about to be answered with the same events: they are its now.
  if (alone) await giveBack(context, { workspace, inbox: key, leaseId: order.leaseId })
  return nothing
}

type Untouched = {
  readonly workspace: Workspace
  readonly inbox: string
  readonly leaseId: string
  readonly positions?: readonly number[]
}

/** Events that nobody has seen go back without costing an attempt. */
export async function giveBack({ store }: Context, { workspace, inbox, leaseId, positions }: Untouched): Promise<void> {
  await store.settleLease(workspace.id, inbox, {
    leaseId,
    ...(positions && { positions }),
    outcome: { kind: 'release', delayMs: 0, count: false },
  })
}

/**
 * Keeps a lease for longer, counted from now.
 *
 * @throws HubError `lease-lost` if it has ended
 */
export async function extendLease(
  context: Context,
  workspace: Workspace,
  key: string,
  request: ExtendRequest,
): Promise<{ untilMs: number }> {
  const leaseMs = request.lease_seconds * 1000
  const extended = await context.store.extendLease(workspace.id, key, request.lease_id, leaseMs)
  if (!extended) {
    throw new HubError('lease-lost', `lease ${request.lease_id} of inbox "${key}" has ended; lease again`, {
      details: { lease_id: request.lease_id, results: [] },
    })
  }
  context.leaseWatch.noteExtended(
    { workspaceId: workspace.id, inbox: key, leaseId: request.lease_id },
    extended.untilMs,
  )
  return extended
}
