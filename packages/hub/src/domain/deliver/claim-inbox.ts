import type { InboxRow, LeaseGrant } from '../../store/store.ts'
import type { Context } from '../context.ts'
import { toProbeDelayMs } from './breaker.ts'
import type { ClosedDoor, DoorPlace, OpenDoor, OpenDoorOf } from './door.ts'
import type { Interest } from './interest.ts'
import { noteSettings, type Opened, type Place } from './place.ts'
import type { Gate, Room } from './room.ts'

/** What all inboxes of this node share. */
export type Node = {
  readonly context: Context
  /** of this process: an inbox is one node's at a time */
  readonly holder: string
  readonly openDoor: OpenDoorOf
  /** looks at a time */
  readonly gate: Gate
  /** deliveries at a time */
  readonly room: Room<Place>
  readonly kick: (place: Place) => void
  readonly interest: Interest
  /** nothing more is begun */
  readonly closing: AbortSignal
  /** what is under way ends */
  readonly ending: AbortSignal
  readonly onError: (error: unknown) => void
}

/** `retryMs`: from now, when there may be something by time alone. */
export type Round =
  | { readonly kind: 'idle'; readonly retryMs: number | null }
  | (DoorPlace & {
      readonly kind: 'leased'
      readonly door: OpenDoor
      readonly leaseId: string
      readonly events: LeaseGrant['events']
      readonly more: boolean
      /** when the first of them may begin, by `performance.now()`; the others follow in the pace of the door */
      readonly beginAt: number
    })

/** Lost nodes are followed by others after this. */
const claimMs = 12_000
/** What a lost node had in hand is handed out again after this. */
export const leaseMs = 15_000
/** What is looked up before a lease is good for so long; who changes an inbox or a key is heard within a second. */
const openedMs = 500
/** Leases of the hub's own, in the list of attempts. */
export const leasePrefix = 'door-'

const idle = (retryMs: number | null = null): Round => ({ kind: 'idle', retryMs })

/** Takes events of an inbox if there are any, and if they can be delivered now. */
export async function look(node: Node, place: Place, inFlight: number): Promise<Round> {
  if (place.opened && place.opened.until < performance.now()) place.opened = undefined
  if (!place.opened) {
    const closed = await open(node, place)
    if (closed) return closed
  }
  const { opened } = place
  if (!opened || !(await claim(node, place))) return idle(place.lostUntil - performance.now())
  return lease(node, place, opened, inFlight)
}

/** Answers nothing if the door is open. */
async function open(node: Node, place: Place): Promise<Round | undefined> {
  const { store } = node.context
  const workspace = await store.findWorkspaceById(place.workspaceId)
  const inbox = workspace && (await store.findInbox(place.workspaceId, place.key))
  if (!workspace || !inbox?.door) return idle()
  if (noteSettings(place, inbox)) node.interest.forget()
  if (inbox.status !== 'active' && inbox.status !== 'broken') return idle()
  const waitMs = toWaitMs(node, place, inbox)
  if (waitMs > 0) return idle(waitMs)
  const door = await node.openDoor({ workspace, inbox })
  if ('status' in door) return idle(await close(node, { workspace, inbox }, door))
  place.opened = { workspace, inbox, door, until: performance.now() + openedMs }
  return undefined
}

function toWaitMs({ context }: Node, place: Place, { status, door }: InboxRow): number {
  const probeInMs = status === 'broken' ? (door?.probeMs ?? 0) - context.store.nowMs() : 0
  return Math.max(probeInMs, Math.max(place.holdUntil, place.lostUntil) - performance.now())
}

async function lease(node: Node, place: Place, opened: Opened, inFlight: number): Promise<Round> {
  const { workspace, inbox, door } = opened
  const { store, newId, counts } = node.context
  const probe = inbox.status === 'broken'
  const beginAt = Math.max(performance.now(), place.nextAt)
  const turns = countTurns(beginAt, door)
  if (turns === 0) return idle(beginAt - performance.now())
  const wanted = Math.min((probe ? 1 : door.concurrency) - inFlight, turns)
  const limit = wanted > 0 ? node.room.take(place, wanted) : 0
  if (limit === 0) return idle()
  let taken = 0
  try {
    const leaseId = leasePrefix + newId()
    const grant = await store.leaseEvents(place.workspaceId, place.key, { leaseId, limit, leaseMs, probe })
    const { events, more, retryAtMs } = grant
    taken = events.length
    counts.leased += taken
    if (taken > 0) {
      place.nextAt = beginAt + taken * (door.everyMs ?? 0)
      return { kind: 'leased', workspace, inbox, door, leaseId, events, more, beginAt }
    }
    place.lookedAt = performance.now()
    return idle(retryAtMs === null ? null : Math.max(0, retryAtMs - store.nowMs()))
  } finally {
    node.room.give(place, limit - taken)
  }
}

/** What begins within this is leased together, so that a fast pace is no lease for each event. */
const aheadMs = 250

/** Deliveries whose turn comes soon: one that only waits for its own would hold a lease and a place all the time. */
function countTurns(beginAt: number, { everyMs }: OpenDoor): number {
  if (everyMs === undefined) return Infinity
  const ahead = performance.now() + aheadMs - beginAt
  return ahead < 0 ? 0 : 1 + Math.floor(ahead / everyMs)
}

/** An inbox belongs to the node that looked first, until that has been silent for a while. */
export async function claim({ context, holder }: Node, place: Place): Promise<boolean> {
  const now = performance.now()
  if (place.claimedUntil - now > claimMs / 2) return true
  const isMine = await context.store.claimTask(toTask(place), holder, claimMs)
  place.claimedUntil = isMine ? now + claimMs : 0
  place.lostUntil = isMine ? 0 : now + claimMs
  return isMine
}

/** For the next node, which need not wait then. */
export async function unclaim({ context, holder }: Node, place: Place): Promise<void> {
  if (place.claimedUntil > performance.now()) await context.store.claimTask(toTask(place), holder, 0)
}

const toTask = ({ workspaceId, key }: Place): string => `deliver/${workspaceId}/${key}`

/** Says on the inbox why nothing is delivered. Answers when it is tried again. */
async function close(
  { context }: Node,
  { workspace, inbox }: DoorPlace,
  { status, reason }: ClosedDoor,
): Promise<number | null> {
  const probes = inbox.door?.probes ?? 0
  const delayMs = status === 'broken' ? toProbeDelayMs(probes) : null
  const probeMs = delayMs === null ? null : context.store.nowMs() + delayMs
  const door = { reason: reason.slice(0, 2000), probeMs, probes: probes + 1 }
  await context.store.updateInbox(workspace.id, inbox.key, { status, ifStatus: inbox.status, door })
  return delayMs
}
