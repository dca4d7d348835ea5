import { HubError } from '@sluice/protocol/error'

/** Beyond these the queues of a process refuse: memory stays bounded. */
const queueEvents = 20_000
const queueBytes = 64 * 1024 * 1024

export type Outcome = { readonly value: unknown } | { readonly error: unknown }

type Waiting<Order> = {
  readonly order: Order
  readonly size: Size
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

export type Size = {
  readonly events: number
  readonly bytes: number
  /** against the size of a group */
  readonly weight: number
}

export type Groups<Order> = {
  readonly add: (slot: string, order: Order, size: Size) => Promise<unknown>
  readonly queued: () => number
  /** Resolves when nothing waits or runs. */
  readonly idle: () => Promise<void>
}

type Options<Order> = {
  /** orders of one transaction, unless a single one weighs more */
  readonly maxWeight: number
  /** Orders of such a slot are refused. */
  readonly isBlocked: (slot: string) => boolean
  /** One outcome for each order. A rejection is that of all of them. */
  readonly run: (slot: string, orders: readonly Order[]) => Promise<Outcome[]>
}

/** Gathers what concurrent callers want of a slot into one transaction: while a group commits, the next one fills. */
export function createGroups<Order>({ maxWeight, isBlocked, run }: Options<Order>): Groups<Order> {
  const slots = new Map<string, Waiting<Order>[]>()
  const counts = { events: 0, bytes: 0 }
  let idle: (() => void)[] = []

  const serve = async (slot: string, queue: Waiting<Order>[]): Promise<void> => {
    while (queue.length > 0) {
      const group = takeGroup(queue, maxWeight)
      try {
        const outcomes = await run(
          slot,
          group.map(({ order }) => order),
        )
        for (const [index, { resolve, reject }] of group.entries()) {
          const outcome = outcomes[index]
          if (outcome && 'value' in outcome) resolve(outcome.value)
          else reject(outcome?.error ?? new Error('the group gave no outcome'))
        }
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
      for (const { size } of group) {
        counts.events -= size.events
        counts.bytes -= size.bytes
      }
    }
    slots.delete(slot)
    if (slots.size === 0) for (const done of idle.splice(0)) done()
  }

  return {
    add: (slot, order, size) =>
      new Promise((resolve, reject) => {
        if (isBlocked(slot)) {
          const message = 'the database is not available; send it again in a second'
          return reject(new HubError('storage-unavailable', message, { retryAfterSeconds: 1 }))
        }
        if (counts.events + size.events > queueEvents || counts.bytes + size.bytes > queueBytes) {
          const message = 'too many writes are waiting for the database; send it again in a second'
          return reject(new HubError('overloaded', message, { retryAfterSeconds: 1 }))
        }
        counts.events += size.events
        counts.bytes += size.bytes
        const waiting = { order, size, resolve, reject }
        const queue = slots.get(slot)
        if (queue) return void queue.push(waiting)
        const started = [waiting]
        slots.set(slot, started)
        // Whoever asks in this turn of the event loop comes along.
        setImmediate(() => void serve(slot, started))
      }),
    queued: () => counts.events,
    idle: async () => {
      while (slots.size > 0) await new Promise<void>((resolve) => idle.push(resolve))
    },
  }
}

function takeGroup<Order>(queue: Waiting<Order>[], maxWeight: number): Waiting<Order>[] {
  let weight = 0
  let taken = 0
  while (taken < queue.length) {
    weight += queue[taken]?.size.weight ?? 0
    if (taken > 0 && weight > maxWeight) break
    taken += 1
  }
  return queue.splice(0, taken)
}
