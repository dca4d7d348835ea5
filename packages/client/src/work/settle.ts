import type { Settled, SettleStatus } from '@sluice/protocol'
import { ApiError } from '../error.ts'
import { dropEvent, type HeldEvent, type HeldLease, type Hold, type Outcome } from './hold.ts'
import type { Inbox } from '../inbox.ts'
import type { RequestOptions } from '../request.ts'

/** Finished events wait this long for others, so that one request tells of many. */
const lingerMs = 10

export type WorkResult = {
  readonly acked: number
  /** given back after a failure */
  readonly released: number
  /** given back after the last attempt that the inbox allows */
  readonly dead: number
  /** handled, but the lease had run out and somebody else has them */
  readonly lost: number
}

export type Settler = {
  /** The event has ended. Never rejects and need not be awaited; `idle` waits for all. */
  settle(held: HeldEvent, outcome: Outcome): void
  /** Resolves when everything is told. */
  idle(): Promise<void>
  readonly counts: { -readonly [Name in keyof WorkResult]: number }
}

export type SettlerOptions = {
  readonly inbox: Inbox
  readonly hold: Hold
  /** runs a request until it is done or refused */
  readonly insist: <Answer>(attempt: (options: RequestOptions) => Promise<Answer>) => Promise<Answer>
  readonly linger: (ms: number) => Promise<void>
  readonly onLost: (error: ApiError, held: HeldEvent) => void
  /** the hub refused for good */
  readonly onRefused: (error: unknown) => void
  readonly onSettled: () => void
}

type Group = { readonly lease: HeldLease; readonly outcome: Outcome; readonly members: HeldEvent[] }
type Answer = { readonly settled: Settled; readonly lost: ApiError | undefined }

/** Tells the hub how events ended, many at a time, each once. */
export function createSettler(options: SettlerOptions): Settler {
  const counts = { acked: 0, released: 0, dead: 0, lost: 0 }
  let waiting: HeldEvent[] = []
  let flushing: Promise<void> | undefined
  const settle = (held: HeldEvent, outcome: Outcome): void => {
    held.outcome = outcome
    waiting.push(held)
    flushing ??= flush()
  }
  const flush = async (): Promise<void> => {
    while (waiting.length > 0) {
      await options.linger(lingerMs)
      const groups = toGroups(waiting)
      waiting = []
      await Promise.all(groups.map((group) => settleGroup(group)))
    }
    flushing = undefined
  }
  const settleGroup = async (group: Group): Promise<void> => {
    try {
      const answer = await send(options, group)
      const statuses = new Map(answer.settled.results.map((result) => [result.event_id, result.status]))
      for (const held of group.members)
        finish(group, held, { status: statuses.get(held.event.event_id), lost: answer.lost })
    } catch (error) {
      for (const held of group.members) dropEvent(options.hold, held)
      options.onRefused(error)
    }
    options.onSettled()
  }
  const finish = (
    group: Group,
    held: HeldEvent,
    result: { status: SettleStatus | undefined; lost: ApiError | undefined },
  ): void => {
    const isLost = result.status === undefined || result.status === 'lost' || result.status === 'unknown'
    // It came back to this worker under another lease while this was on its way.
    if (isLost && held.lease !== group.lease) return settle(held, group.outcome)
    dropEvent(options.hold, held)
    if (group.outcome.kind === 'give-back') return
    if (isLost) counts.lost += 1
    else if (result.status === 'dead') counts.dead += 1
    else if (group.outcome.kind === 'ack') counts.acked += 1
    else counts.released += 1
    if (isLost && result.lost) options.onLost(result.lost, held)
  }
  return {
    settle,
    counts,
    idle: async () => {
      while (flushing) await flushing
    },
  }
}

/** One request for each lease and way to end. */
function toGroups(waiting: readonly HeldEvent[]): Group[] {
  const groups = new Map<string, Group>()
  for (const held of waiting) {
    const outcome: Outcome = held.outcome ?? { kind: 'ack' }
    const name = `${held.lease.id} ${JSON.stringify(outcome)}`
    const group = groups.get(name) ?? { lease: held.lease, outcome, members: [] }
    group.members.push(held)
    groups.set(name, group)
  }
  return [...groups.values()]
}

async function send({ inbox, insist }: SettlerOptions, { lease, outcome, members }: Group): Promise<Answer> {
  const eventIds = members.map((held) => held.event.event_id)
  try {
    const settled = await insist((options) => {
      if (outcome.kind === 'ack') return inbox.ack(lease.id, eventIds, options)
      const how =
        outcome.kind === 'release'
          ? { reason: outcome.reason, delaySeconds: outcome.delaySeconds }
          : { count: false, delaySeconds: 0 }
      return inbox.release(lease.id, { ...options, ...how, eventIds })
    })
    return { settled, lost: undefined }
  } catch (error) {
    const results =
      error instanceof ApiError && error.errorCode === 'lease-lost' ? error.problem?.details['results'] : undefined
    if (!(error instanceof ApiError) || !Array.isArray(results)) throw error
    // A lost lease still says what was done, in the form of the good answer.
    return { settled: { lease_id: lease.id, results: results as Settled['results'] }, lost: error }
  }
}
