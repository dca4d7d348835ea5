import { acknowledgeEvent } from '../inbox/acknowledge.ts'
import { explainEvent } from '../inbox/explain.ts'
import { extendLease, leaseEvents } from '../inbox/lease.ts'
import { peekEvents } from '../inbox/peek.ts'
import { replayEvent, settleDeadLetters } from '../inbox/replay.ts'
import type { InboxState, Session } from '../inbox/rows.ts'
import { settleLease } from '../inbox/settle.ts'
import { expandRuns } from '../runs.ts'
import type { LeaseGrant, LeaseOrder, Store } from '../store.ts'
import { listAttempts, listDeadLetters } from './failure-rows.ts'
import { onInbox } from './inbox-groups.ts'
import { findInbox, listInboxes, requireInbox } from './inbox-rows.ts'
import { readAcceptTimes } from './log.ts'
import type { Parts } from './parts.ts'
import { createReadRows } from './rows.ts'

type ConsumingVerb =
  | 'leaseEvents'
  | 'settleLease'
  | 'extendLease'
  | 'acknowledgeEvent'
  | 'peekEvents'
  | 'replayEvent'
  | 'listDeadLetters'
  | 'settleDeadLetters'
  | 'listAttempts'
  | 'explainEvent'

export function consumingVerbs(parts: Parts): Pick<Store, ConsumingVerb> {
  const { connections, nowMs } = parts
  const inboxIdOf = async (workspaceId: number, key: string): Promise<number> =>
    requireInbox(await findInbox(connections, workspaceId, key), key).id
  return {
    leaseEvents: async (workspaceId, key, order) => {
      for (;;) {
        const grant = await onInbox(parts, workspaceId, key, (session, inbox) => grantEvents(session, inbox, order))
        // A filter may look at many rows before it finds one. Each step is a transaction of its own, so that others are served between.
        if (!grant.more || grant.untilMs !== null) return grant
      }
    },
    settleLease: async (workspaceId, key, order) => {
      const settled = await onInbox(parts, workspaceId, key, (session, inbox) => settleLease(session, inbox, order))
      if (order.positions) return settled.map(([position, status]) => ({ position, status, acceptedMs: null }))
      const positions = settled.map(([position]) => position)
      const times = await readAcceptTimes(connections, workspaceId, positions)
      return settled.map(([position, status]) => ({ position, status, acceptedMs: times.get(position) ?? 0 }))
    },
    extendLease: (workspaceId, key, leaseId, leaseMs) =>
      onInbox(parts, workspaceId, key, (session, inbox) => extendLease(session, inbox, { leaseId, leaseMs })),
    acknowledgeEvent: (workspaceId, key, position) =>
      onInbox(parts, workspaceId, key, (session, inbox) => acknowledgeEvent(session, inbox, position)),
    peekEvents: (workspaceId, key, peek) =>
      connections.look(async (client) => {
        const inbox = requireInbox(await findInbox(client, workspaceId, key), key)
        return peekEvents(createReadRows(client), inbox, peek)
      }),
    replayEvent: (workspaceId, key, position, ignoreFilter) =>
      onInbox(parts, workspaceId, key, (session, inbox) => replayEvent(session, inbox, { position, ignoreFilter })),
    listDeadLetters: async (workspaceId, key, page) =>
      listDeadLetters(connections, await inboxIdOf(workspaceId, key), page),
    settleDeadLetters: (workspaceId, key, choice, action) =>
      onInbox(parts, workspaceId, key, (session, inbox) => settleDeadLetters(session, inbox, { choice, action })),
    listAttempts: async (workspaceId, key, page) => listAttempts(connections, await inboxIdOf(workspaceId, key), page),
    explainEvent: (workspaceId, position) =>
      connections.look(async (client) => {
        const inboxes = await listInboxes(client, workspaceId, '', 100_000)
        return explainEvent({ rows: createReadRows(client), nowMs: nowMs() }, workspaceId, inboxes, position)
      }),
  }
}

/** Leases, and reads the events in the same transaction. What does not fit into one answer is given back untouched. */
async function grantEvents(session: Session, inbox: InboxState, order: LeaseOrder): Promise<LeaseGrant> {
  const { inboxStatus, untilMs, held, more, retryAtMs } = await leaseEvents(session, inbox, order)
  if (held.length === 0) return { inboxStatus, untilMs, events: [], more, retryAtMs }
  const attempts = new Map(held.flatMap(({ attempt, runs }) => expandRuns(runs).map((position) => [position, attempt])))
  const { events, readTo } = await session.rows.readSome(
    inbox.workspaceId,
    held.flatMap(({ runs }) => runs),
  )
  if (readTo !== undefined) {
    const positions = [...attempts.keys()]
    const rest = positions.slice(positions.indexOf(readTo) + 1)
    const outcome = { kind: 'release', count: false } as const
    if (rest.length > 0) await settleLease(session, inbox, { leaseId: order.leaseId, positions: rest, outcome })
  }
  const leased = events.map((event) => ({ ...event, attempt: attempts.get(event.position) ?? 1 }))
  return { inboxStatus, untilMs, events: leased, more: more || readTo !== undefined, retryAtMs }
}
