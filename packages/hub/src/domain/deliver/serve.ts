import { deliverOne } from './deliver-one.ts'
import { claim, leaseMs, look, type Node, type Round } from './claim-inbox.ts'
import type { Place } from './place.ts'

/** How often claim and leases are renewed while something is under way. */
const keepMs = 4000
/** After a look that failed. */
const troubleMs = 2000

/** Leases that are held, with the events of them that are under way. */
type Flights = { readonly underWay: Set<Promise<void>>; readonly leases: Map<string, number> }

/** Delivers until there is nothing to deliver now. Answers when there may be something by time alone, in ms from now. */
export async function serve(node: Node, place: Place): Promise<number | null> {
  const flights: Flights = { underWay: new Set(), leases: new Map() }
  let keptAt = performance.now()
  try {
    while (!node.closing.aborted) {
      place.kicked = false
      place.sleeper.begin()
      const round = await tryLook(node, place, flights.underWay.size)
      if (round.kind === 'leased') start(node, place, { round, flights })
      if (round.kind === 'leased' && round.more) continue
      const retryMs = round.kind === 'idle' ? round.retryMs : null
      if (flights.underWay.size === 0) return retryMs
      await place.sleeper.wait(Math.min(keepMs, Math.max(1, retryMs ?? keepMs)), node.closing)
      if (performance.now() - keptAt < keepMs) continue
      keptAt = performance.now()
      await keep(node, place, flights).catch(node.onError)
    }
    return null
  } finally {
    await Promise.all(flights.underWay)
  }
}

async function tryLook(node: Node, place: Place, inFlight: number): Promise<Round> {
  try {
    return await node.gate(() => look(node, place, inFlight))
  } catch (error) {
    node.onError(error)
    return { kind: 'idle', retryMs: troubleMs }
  }
}

type Started = { readonly round: Extract<Round, { kind: 'leased' }>; readonly flights: Flights }

function start(node: Node, place: Place, { round, flights }: Started): void {
  const { leases, underWay } = flights
  leases.set(round.leaseId, round.events.length)
  for (const event of round.events) {
    const flight = deliverOne(node, place, round, event).then(() => {
      underWay.delete(flight)
      const left = (leases.get(round.leaseId) ?? 1) - 1
      if (left > 0) leases.set(round.leaseId, left)
      else leases.delete(round.leaseId)
      node.room.give(place, 1)
      node.kick(place)
    })
    underWay.add(flight)
  }
}

async function keep(node: Node, place: Place, { leases }: Flights): Promise<void> {
  if (!(await claim(node, place))) return
  for (const leaseId of leases.keys())
    await node.context.store.extendLease(place.workspaceId, place.key, leaseId, leaseMs)
}
