import { HubError, defaultInbox, type AckRequest, type ReleaseRequest, type Settled } from '@sluice/protocol'
import type { Settlement, SettleOrder } from '../store/store.ts'
import type { Context, Workspace } from './context.ts'
import { locateEvent, toId, toPosition } from './event-address.ts'
import { requireInbox } from './inboxes.ts'

/**
 * Acknowledges events of a lease, or all that it still holds. Repeatable.
 *
 * @throws HubError `lease-lost` if one of them has been leased to somebody else since; `details.results` says what was done
 */
export async function ackEvents(
  context: Context,
  workspace: Workspace,
  key: string,
  request: AckRequest,
): Promise<Settled> {
  return settle(context, workspace, key, { request, outcome: { kind: 'ack' } })
}

/** Gives events of a lease back, at once or after a delay. @throws HubError `lease-lost`, as `ackEvents` */
export async function releaseEvents(
  context: Context,
  workspace: Workspace,
  key: string,
  request: ReleaseRequest,
): Promise<Settled> {
  const { delay_seconds: delaySeconds, reason, count = true } = request
  const outcome = {
    kind: 'release',
    count,
    ...(delaySeconds !== undefined && { delayMs: Math.round(delaySeconds * 1000) }),
    ...(reason !== undefined && { reason }),
  } as const
  return settle(context, workspace, key, { request, outcome })
}

type Settling = { readonly request: AckRequest; readonly outcome: SettleOrder['outcome'] }

async function settle(
  context: Context,
  workspace: Workspace,
  key: string,
  { request, outcome }: Settling,
): Promise<Settled> {
  const { lease_id: leaseId, event_ids: eventIds } = request
  const results = eventIds
    ? await settleSome(context, workspace, key, { leaseId, eventIds, outcome })
    : await settleAll(context, workspace, key, { leaseId, outcome })
  if (results.some(({ status }) => status === 'lost')) {
    throw new HubError(
      'lease-lost',
      `lease ${leaseId} of inbox "${key}" ran out, and other consumers hold some of its events`,
      {
        details: { lease_id: leaseId, results },
      },
    )
  }
  return { lease_id: leaseId, results }
}

async function settleAll(
  context: Context,
  workspace: Workspace,
  key: string,
  order: SettleOrder,
): Promise<Settled['results']> {
  const settled = await settleInStore(context, workspace, key, order)
  return settled.map(({ position, acceptedMs, status }) => ({
    event_id: toId(workspace, { position, acceptedMs: acceptedMs ?? 0 }),
    status,
  }))
}

type SettleSome = Omit<SettleOrder, 'positions'> & { readonly eventIds: readonly string[] }

/** One result for each id, in the order asked for; ids that are not of this log are `unknown`. */
async function settleSome(
  context: Context,
  workspace: Workspace,
  key: string,
  { leaseId, eventIds, outcome }: SettleSome,
): Promise<Settled['results']> {
  const asked = eventIds.map((id) => ({ id, position: toPosition(workspace, id) }))
  const positions = [...new Set(asked.map(({ position }) => position).filter((position) => position !== undefined))]
  const settled =
    positions.length > 0
      ? await settleInStore(context, workspace, key, { leaseId, positions, outcome })
      : void (await requireInbox(context, workspace, key))
  const statusOf = new Map((settled ?? []).map(({ position, status }) => [position, status]))
  return asked.map(({ id, position }) => ({
    event_id: id,
    status: (position !== undefined && statusOf.get(position)) || 'unknown',
  }))
}

/** Settles, and tells whoever watches the lease in this process. */
export async function settleInStore(
  context: Context,
  workspace: Workspace,
  key: string,
  order: SettleOrder,
): Promise<Settlement[]> {
  const settled = await context.store.settleLease(workspace.id, key, order)
  const acked = settled.filter(({ status }) => status === 'acked').length
  context.counts.acknowledged += acked
  context.activity.note(workspace.id, 'acknowledged', acked)
  context.leaseWatch.noteSettled({ workspaceId: workspace.id, inbox: key, leaseId: order.leaseId }, order.positions)
  return settled
}

/**
 * Acknowledges one event in the inbox `default`, whoever holds it. Repeatable; one that has expired in the meantime is done with too.
 *
 * @throws HubError `not-found` for an id that this workspace never gave out
 */
export async function acknowledgeEvent(context: Context, workspace: Workspace, eventId: string): Promise<void> {
  const { position } = await locateEvent(context, workspace, eventId)
  const outcome = await context.store.acknowledgeEvent(workspace.id, defaultInbox, position)
  const acked = outcome === 'acked' ? 1 : 0
  context.counts.acknowledged += acked
  context.activity.note(workspace.id, 'acknowledged', acked)
  context.leaseWatch.noteAcknowledged({ workspaceId: workspace.id, inbox: defaultInbox }, position)
}
