import { acknowledgeEvent } from '../inbox-rules/acknowledge.ts'
import { explainEvent } from '../inbox-rules/explain.ts'
import { extendLease, leaseEvents, type Granted } from '../inbox-rules/lease.ts'
import { peekEvents } from '../inbox-rules/peek.ts'
import { replayEvent, settleDeadLetters } from '../inbox-rules/replay.ts'
import type { InboxState, Session } from '../inbox-rules/rows.ts'
import { settleLease } from '../inbox-rules/settle.ts'
import { countRuns, expandRuns } from '../runs.ts'
import type { AttemptRow, LeaseGrant, LeaseOrder, Store } from '../store.ts'
import { early } from './asked-ahead.ts'
import type { Connection } from './connections.ts'
import { listAttempts, listDeadLetters } from './failure-rows.ts'
import { onInbox } from './inbox-groups.ts'
import type { InboxPlace } from './inboxes.ts'
import { findInbox, listInboxes, requireInbox } from './inbox-rows.ts'
import { firstPart, readAcceptTimes, readSome } from './log.ts'
import type { Parts } from './store-parts.ts'
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
  | 'findAttempts'
  | 'explainEvent'

export function consumingVerbs(parts: Parts): Pick<Store, ConsumingVerb> {
  const { connections, nowMs } = parts
  return {
    leaseEvents: async (workspaceId, key, order) => {
      for (;;) {
        const granting = await onInbox(
          parts,
          { workspaceId, key },
          (session, inbox) => grantEvents(session, inbox, order),
          (rows, inbox, nowMs) => {
            void rows.dueLeases(inbox, nowMs)
            void rows.findLease(inbox, order.leaseId)
            if (inbox.settings.ordering === 'none') void rows.available(inbox, nowMs, order.limit)
          },
        )
        const grant = await toGrant(parts, { workspaceId, key, leaseId: order.leaseId }, granting)
        // A filter may look at many rows before it finds one. Each step is a transaction of its own, so that others are served between.
        if (!grant.more || grant.untilMs !== null) return grant
      }
    },
    settleLease: async (workspaceId, key, order) => {
      const { settled, reading } = await onInbox(
        parts,
        { workspaceId, key },
        async (session, inbox) => {
          const { settled: statuses, times } = await settleLease(session, inbox, order)
          return { settled: statuses, reading: times && early(Promise.resolve(times)) }
        },
        (rows, inbox) => void rows.findLease(inbox, order.leaseId),
      )
      if (!reading) return settled.map(([position, status]) => ({ position, status, acceptedMs: null }))
      // As with a lease: the connection may have broken at a commit that took place all the same.
      const positions = settled.map(([position]) => position)
      const times =
        (await reading.catch(() => undefined)) ?? (await readAcceptTimes(connections, workspaceId, positions))
      return settled.map(([position, status]) => ({ position, status, acceptedMs: times.get(position) ?? 0 }))
    },
    extendLease: (workspaceId, key, leaseId, leaseMs) =>
      onInbox(parts, { workspaceId, key }, (session, inbox) => extendLease(session, inbox, { leaseId, leaseMs })),
    acknowledgeEvent: (workspaceId, key, position) =>
      onInbox(parts, { workspaceId, key }, (session, inbox) => acknowledgeEvent(session, inbox, position)),
    peekEvents: (workspaceId, key, peek) =>
      connections.look(async (client) => {
        const inbox = requireInbox(await findInbox(client, workspaceId, key), key)
        return peekEvents(createReadRows(client), inbox, peek)
      }),
    replayEvent: (workspaceId, key, position, ignoreFilter) =>
      onInbox(parts, { workspaceId, key }, (session, inbox) => replayEvent(session, inbox, { position, ignoreFilter })),
    listDeadLetters: async (workspaceId, key, page) =>
      listDeadLetters(connections, await findInboxId(connections, { workspaceId, key }), page),
    settleDeadLetters: (workspaceId, key, choice, action) =>
      onInbox(parts, { workspaceId, key }, (session, inbox) => settleDeadLetters(session, inbox, { choice, action })),
    listAttempts: async (workspaceId, key, page) =>
      listAttempts(connections, await findInboxId(connections, { workspaceId, key }), page),
    findAttempts: (workspaceId, key, position) => findAttempts(parts, { workspaceId, key }, position),
    explainEvent: (workspaceId, position) =>
      connections.look(async (client) => {
        const inboxes = await listInboxes(client, workspaceId, '', 100_000)
        return explainEvent({ rows: createReadRows(client), nowMs: nowMs() }, workspaceId, inboxes, position)
      }),
  }
}

async function findInboxId(connection: Connection, { workspaceId, key }: InboxPlace): Promise<number> {
  return requireInbox(await findInbox(connection, workspaceId, key), key).id
}

function findAttempts(
  { connections }: Parts,
  { workspaceId, key }: InboxPlace,
  position: number,
): Promise<AttemptRow[]> {
  return connections.look(async (client) => {
    const inbox = requireInbox(await findInbox(client, workspaceId, key), key)
    return createReadRows(client).readAttempts(inbox, position)
  })
}

type Read = Awaited<ReturnType<typeof readSome>>

/** A grant whose events are on their way: few are asked for before the commit, many after it. */
type Granting = { readonly granted: Granted; readonly reading: Promise<Read> | undefined }

async function grantEvents(session: Session, inbox: InboxState, order: LeaseOrder): Promise<Granting> {
  const granted = await leaseEvents(session, inbox, order)
  const runs = granted.held.flatMap((part) => part.runs)
  if (runs.length === 0 || countRuns(runs) > firstPart) return { granted, reading: undefined }
  // One statement, sent before the commit: its answer comes with it.
  return { granted, reading: early(Promise.resolve(session.rows.readSome(inbox.workspaceId, runs))) }
}

type GrantedTo = { readonly workspaceId: number; readonly key: string; readonly leaseId: string }

/** The events of a grant. What does not fit into one answer is given back untouched. */
async function toGrant(parts: Parts, to: GrantedTo, { granted, reading }: Granting): Promise<LeaseGrant> {
  const { inboxStatus, untilMs, held, more, retryAtMs } = granted
  if (held.length === 0) return { inboxStatus, untilMs, events: [], more, retryAtMs }
  const { workspaceId, key, leaseId } = to
  const attempts = new Map(held.flatMap(({ attempt, runs }) => expandRuns(runs).map((position) => [position, attempt])))
  // The connection may have broken at the commit that took place all the same: then they are read on another one.
  const read = await reading?.catch(() => undefined)
  const runs = held.flatMap((part) => part.runs)
  const { events, readTo } = read ?? (await readSome(parts.connections, workspaceId, runs))
  if (readTo !== undefined) {
    const positions = [...attempts.keys()]
    const rest = positions.slice(positions.indexOf(readTo) + 1)
    const outcome = { kind: 'release', count: false } as const
    const giveBack = { leaseId, positions: rest, outcome }
    if (rest.length > 0)
      await onInbox(parts, { workspaceId, key }, (session, inbox) => settleLease(session, inbox, giveBack))
  }
  // Erased while the lease was given: there is nothing to hand out.
  const erased = events.filter((event) => event.body === null).map((event) => event.position)
  const done = { leaseId, positions: erased, outcome: { kind: 'ack' } } as const
  if (erased.length > 0)
    await onInbox(parts, { workspaceId, key }, (session, inbox) => settleLease(session, inbox, done))
  const leased = events
    .filter((event) => event.body !== null)
    .map((event) => ({ ...event, attempt: attempts.get(event.position) ?? 1 }))
  const isWhole = readTo === undefined && erased.length === 0
  return { inboxStatus, untilMs, events: leased, more: more || !isWhole, retryAtMs }
}
