import { HubError } from '@sluice/protocol'
import { createTurns, type Claim, type Turns } from './turns.ts'

/** The right to use one of a few places, with what the last user of the same key left there. */
export type Slot<Resource> = {
  readonly resource: Resource | undefined
  /** Frees the place; what is given is kept for the next of the same key. */
  readonly give: (resource: Resource | undefined) => void
}

export type QueueOptions<Resource> = {
  readonly slots: number
  readonly maxWaiting: number
  readonly idleMs: number
  readonly retire: (resource: Resource) => void
}

/** Whose run it is: groups share the places, and what is kept belongs to a key of a group. */
export type Place = Partial<Claim> & { readonly group: string; readonly key: string }

export type Queue<Resource> = {
  /** @throws HubError `overloaded`, `shutting-down`; the signal's reason when it aborts while waiting */
  readonly take: (place: Place, signal?: AbortSignal) => Promise<Slot<Resource>>
  /** Resolves when every place is free. */
  readonly close: () => Promise<void>
}

/**
 * Places for runs. Groups take turns, and none has more than half of the places or a quarter of the line for itself; in a group the most
 * urgent go first and users take turns, and none has more than half of what the group may have of the line.
 */
export function createQueue<Resource>(options: QueueOptions<Resource>): Queue<Resource> {
  const { slots, maxWaiting } = options
  const slotsOfGroup = Math.max(1, Math.ceil(slots / 2))
  const waitingOfGroup = Math.max(1, Math.ceil(maxWaiting / 4))
  const waitingOfUser = Math.max(1, Math.ceil(waitingOfGroup / 2))
  const line = createLine<Resource>()
  const idle = createIdle(options)
  const busy = new Map<string, number>()
  let [total, closed] = [0, false]
  let onFree: (() => void) | undefined

  const isFree = (group: string): boolean => total < slots && (busy.get(group) ?? 0) < slotsOfGroup
  const count = (group: string, change: 1 | -1): void => {
    total += change
    const now = (busy.get(group) ?? 0) + change
    if (now > 0) busy.set(group, now)
    else busy.delete(group)
  }
  const open = ({ group, key, user = '' }: Place): Slot<Resource> => {
    count(group, 1)
    line.serve(group, user)
    let isOpen = true
    return {
      resource: idle.take(toName({ group, key })),
      give: (given) => {
        if (!isOpen) return
        isOpen = false
        count(group, -1)
        if (given !== undefined) idle.keep(toName({ group, key }), given)
        const next = line.shift(isFree)
        next?.start(open(next.place))
        if (total === 0) onFree?.()
      },
    }
  }
  return {
    take: async (place, signal) => {
      signal?.throwIfAborted()
      if (closed) throw new HubError('shutting-down', 'this node is stopping; send the request again')
      if (isFree(place.group) && line.size(place.group) === 0) return open(place)
      const isFull = line.size() >= maxWaiting || line.size(place.group) >= waitingOfGroup
      if (isFull || (place.user !== undefined && line.sizeOfUser(place) >= waitingOfUser))
        throw new HubError('overloaded', 'too many runs are waiting', { retryAfterSeconds: 5 })
      return waitInLine(line, place, signal)
    },
    close: async () => {
      closed = true
      if (total > 0) await new Promise<void>((resolve) => (onFree = resolve))
      idle.close()
    },
  }
}

const toName = ({ group, key }: Pick<Place, 'group' | 'key'>): string => `${group}\0${key}`

function waitInLine<Resource>(
  line: Line<Resource>,
  place: Place,
  signal: AbortSignal | undefined,
): Promise<Slot<Resource>> {
  return new Promise((resolve, reject) => {
    const { rank = 0, user = '' } = place
    const waiter: Waiter<Resource> = {
      rank,
      user,
      place,
      start: (slot) => {
        signal?.removeEventListener('abort', onAbort)
        resolve(slot)
      },
    }
    const onAbort = (): void => {
      line.leave(waiter)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    line.join(waiter)
  })
}

type Waiter<Resource> = Claim & { readonly place: Place; readonly start: (slot: Slot<Resource>) => void }

/** Those who wait: each group has a queue of its own. */
type Line<Resource> = {
  readonly join: (waiter: Waiter<Resource>) => void
  readonly leave: (waiter: Waiter<Resource>) => void
  /** The first of the next group that may have a place; that group then goes to the end of the round. */
  readonly shift: (isFree: (group: string) => boolean) => Waiter<Resource> | undefined
  readonly size: (group?: string) => number
  readonly sizeOfUser: (place: Place) => number
  /** A user of the group has got a place. */
  readonly serve: (group: string, user: string) => void
}

function createLine<Resource>(): Line<Resource> {
  const waiting = new Map<string, Waiter<Resource>[]>()
  const turns = new Map<string, Turns>()
  let total = 0
  const put = (group: string, waiters: Waiter<Resource>[]): void => {
    if (waiters.length > 0) waiting.set(group, waiters)
    else waiting.delete(group)
    // Nobody waits: who went first does not matter any more.
    if (waiters.length === 0) turns.delete(group)
    else if (!turns.has(group)) turns.set(group, createTurns())
  }
  return {
    join: (waiter) => {
      total += 1
      const { group } = waiter.place
      put(group, [...(waiting.get(group) ?? []), waiter])
    },
    leave: (waiter) => {
      const { group } = waiter.place
      const waiters = waiting.get(group) ?? []
      const others = waiters.filter((one) => one !== waiter)
      total -= waiters.length - others.length
      put(group, others)
    },
    shift: (isFree) => {
      const group = [...waiting.keys()].find(isFree)
      if (group === undefined) return undefined
      const waiters = waiting.get(group) ?? []
      const first = turns.get(group)?.first(waiters)
      total -= 1
      waiting.delete(group)
      put(
        group,
        waiters.filter((one) => one !== first),
      )
      return first
    },
    size: (group) => (group === undefined ? total : (waiting.get(group)?.length ?? 0)),
    sizeOfUser: ({ group, user }) => (waiting.get(group) ?? []).filter((one) => one.user === user).length,
    serve: (group, user) => turns.get(group)?.serve(user),
  }
}

type Idle<Resource> = {
  readonly take: (key: string) => Resource | undefined
  readonly keep: (key: string, resource: Resource) => void
  readonly close: () => void
}

/** What is kept for the next user of a key: not longer than `idleMs`, and no more than there are places. */
function createIdle<Resource>({ slots, idleMs, retire }: QueueOptions<Resource>): Idle<Resource> {
  type Kept = { readonly key: string; readonly resource: Resource; readonly timer: NodeJS.Timeout }
  let kept: Kept[] = []
  const drop = (one: Kept | undefined): void => {
    if (!one) return
    clearTimeout(one.timer)
    kept = kept.filter((other) => other !== one)
    retire(one.resource)
  }
  return {
    take: (key) => {
      const found = kept.findLast((one) => one.key === key)
      if (!found) return undefined
      clearTimeout(found.timer)
      kept = kept.filter((one) => one !== found)
      return found.resource
    },
    keep: (key, resource) => {
      const one: Kept = { key, resource, timer: setTimeout(() => drop(one), idleMs) }
      one.timer.unref()
      kept.push(one)
      if (kept.length > slots) drop(kept[0])
    },
    close: () => {
      for (const one of kept) drop(one)
    },
  }
}
