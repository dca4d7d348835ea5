import { setTimeout as pause } from 'node:timers/promises'
import type { LeaseGrant } from '../../store/store.ts'
import { settleInStore } from '../acknowledge.ts'
import { toId } from '../event-address.ts'
import { toIso } from '../to-wire.ts'
import { toProbeDelayMs } from './breaker.ts'
import type { Outcome } from './door.ts'
import { leasePrefix, type Node, type Round } from './claim-inbox.ts'
import type { Place } from './place.ts'
import { toSettlement } from './settle-outcome.ts'

type Leased = Extract<Round, { kind: 'leased' }>
type LeasedEvent = LeaseGrant['events'][number]

/** Delivers one event, and settles it. Never rejects. */
export async function deliverOne(node: Node, place: Place, round: Leased, event: LeasedEvent): Promise<void> {
  const startedMs = performance.now()
  try {
    const outcome = await attempt(node, round, event)
    const ms = Math.round(performance.now() - startedMs)
    const { settings } = round.inbox
    const settlement = toSettlement(outcome, { settings, attempt: event.attempt, ms, random: node.context.random })
    const order = { leaseId: round.leaseId, positions: [event.position], outcome: settlement }
    await persist(() => settleInStore(node.context, round.workspace, place.key, order))
    await draw(node, place, { round, event, outcome })
  } catch (error) {
    // The lease runs out, and another attempt follows.
    node.onError(error)
  }
}

async function attempt(node: Node, round: Leased, event: LeasedEvent): Promise<Outcome> {
  const { workspace, inbox, door } = round
  try {
    await takeTurn(node, round, event)
    if (node.ending.aborted) return { kind: 'untouched' }
    const afterUnknown = await isAfterUnknown(node, { workspace, inbox }, event)
    if (afterUnknown && inbox.settings.on_unknown === 'stop') {
      const reason = `outcome unknown: attempt ${event.attempt - 1} was not seen to end`
      return { kind: 'dead', result: 'unknown', reason }
    }
    const eventId = toId(workspace, event)
    return await door.deliver({ event, eventId, afterUnknown }, node.ending)
  } catch (error) {
    node.onError(error)
    return { kind: 'unknown', result: 'unknown', reason: 'outcome unknown: the hub failed; its log says how' }
  }
}

async function takeTurn({ ending }: Node, { door, beginAt, events }: Leased, event: LeasedEvent): Promise<void> {
  if (door.everyMs === undefined) return
  const waitMs = beginAt + events.indexOf(event) * door.everyMs - performance.now()
  await pause(Math.max(0, waitMs), undefined, { signal: ending }).catch(() => {})
}

/** The node that made the attempt before was lost, or the attempt ended in a way that says nothing. */
async function isAfterUnknown(
  { context }: Node,
  { workspace, inbox }: Pick<Leased, 'workspace' | 'inbox'>,
  { attempt: number, position }: LeasedEvent,
): Promise<boolean> {
  if (number < 2) return false
  const attempts = await context.store.findAttempts(workspace.id, inbox.key, position)
  const before = attempts.findLast((one) => one.attempt === number - 1)
  if (!before?.leaseId.startsWith(leasePrefix)) return false
  return before.outcome === 'expired' || before.result === 'unknown' || before.result === 'error'
}

/** A store that is away for a moment is no reason to do everything again. */
const pausesMs = [200, 1000, 3000]

async function persist(settle: () => Promise<unknown>): Promise<void> {
  for (const waitMs of pausesMs) {
    try {
      await settle()
      return
    } catch {
      await pause(waitMs)
    }
  }
  await settle()
}

type Seen = { readonly round: Leased; readonly event: LeasedEvent; readonly outcome: Outcome }

/** What follows for the inbox. */
async function draw(node: Node, place: Place, seen: Seen): Promise<void> {
  const { outcome, event } = seen
  if (outcome.kind === 'untouched') return
  if (outcome.kind === 'wait') return hold(node, place, outcome)
  if (outcome.kind === 'gone') return disable(node, place, seen.round, outcome.reason)
  if (outcome.kind === 'done') {
    place.breaker.succeed()
    return seen.round.inbox.status === 'broken' || place.saysWhy ? mend(node, place, seen.round) : undefined
  }
  if (outcome.kind === 'failed' && outcome.pauseMs !== undefined)
    await hold(node, place, { delayMs: outcome.pauseMs, reason: outcome.reason })
  const { probes = 0 } = seen.round.inbox.door ?? {}
  if (seen.round.inbox.status === 'broken') return breakOpen(node, place, { ...seen, probes: probes + 1 })
  if (place.breaker.fail(event.position)) await breakOpen(node, place, { ...seen, probes: 0 })
}

/** A wait that is worth telling of. */
const toldMs = 5000

async function hold(
  { context }: Node,
  place: Place,
  { delayMs, reason }: Pick<Extract<Outcome, { kind: 'wait' }>, 'delayMs' | 'reason'>,
): Promise<void> {
  place.opened = undefined
  place.holdUntil = Math.max(place.holdUntil, performance.now() + delayMs)
  if (delayMs < toldMs || place.saysWhy) return
  place.saysWhy = true
  const door = { reason: `waits until ${toIso(context.store.nowMs() + delayMs)}: ${reason}`.slice(0, 2000) }
  await context.store.updateInbox(place.workspaceId, place.key, { ifStatus: 'active', door })
}

async function disable({ context }: Node, place: Place, { inbox }: Leased, reason: string): Promise<void> {
  place.opened = undefined
  const door = { reason, probeMs: null, probes: 0 }
  await context.store.updateInbox(place.workspaceId, place.key, { status: 'disabled', ifStatus: inbox.status, door })
}

async function mend({ context }: Node, place: Place, { inbox }: Leased): Promise<void> {
  place.opened = undefined
  place.saysWhy = false
  const door = { reason: null, probeMs: null, probes: 0 }
  await context.store.updateInbox(place.workspaceId, place.key, { status: 'active', ifStatus: inbox.status, door })
}

async function breakOpen(
  { context }: Node,
  place: Place,
  { round, outcome, probes }: Seen & { readonly probes: number },
): Promise<void> {
  place.opened = undefined
  const why = 'reason' in outcome ? outcome.reason : ''
  const reason = `stopped after a run of failures, the last: ${why}`.slice(0, 2000)
  const door = { reason, probeMs: context.store.nowMs() + toProbeDelayMs(probes), probes }
  await context.store.updateInbox(place.workspaceId, place.key, {
    status: 'broken',
    ifStatus: round.inbox.status,
    door,
  })
}
