import { HubError } from '@sluice/protocol'

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

export type Queue<Resource> = {
  /** @throws HubError `overloaded`; the signal's reason when it aborts while waiting */
  readonly take: (key: string, signal?: AbortSignal) => Promise<Slot<Resource>>
  readonly close: () => Promise<void>
}

type Idle<Resource> = { readonly key: string; readonly resource: Resource; readonly timer: NodeJS.Timeout }
type Waiter<Resource> = { readonly key: string; readonly start: (slot: Slot<Resource>) => void }

/** Places for runs: keys take turns, so that one that asks for thousands does not keep the others waiting. */
export function createQueue<Resource>({ slots, maxWaiting, idleMs, retire }: QueueOptions<Resource>): Queue<Resource> {
  const waiting = new Map<string, Waiter<Resource>[]>()
  let idle: Idle<Resource>[] = []
  let [busy, waiters, closed] = [0, 0, false]
  let settled: (() => void) | undefined

  const drop = ({ timer, resource }: Idle<Resource>): void => {
    clearTimeout(timer)
    retire(resource)
  }
  const takeIdle = (key: string): Resource | undefined => {
    const at = idle.findLastIndex((one) => one.key === key)
    const [found] = at < 0 ? [] : idle.splice(at, 1)
    if (found) clearTimeout(found.timer)
    return found?.resource
  }
  const keep = (key: string, resource: Resource): void => {
    const timer = setTimeout(() => {
      idle = idle.filter((one) => one.timer !== timer)
      retire(resource)
    }, idleMs)
    timer.unref()
    idle.push({ key, resource, timer })
    // As many may wait for work as may work.
    const oldest = idle.length > slots ? idle.shift() : undefined
    if (oldest) drop(oldest)
  }
  const open = (key: string): Slot<Resource> => {
    busy += 1
    let isOpen = true
    const resource = takeIdle(key)
    return {
      resource,
      give: (given) => {
        if (!isOpen) return
        isOpen = false
        busy -= 1
        if (given !== undefined) {
          if (closed) retire(given)
          else keep(key, given)
        }
        next()
        if (busy === 0) settled?.()
      },
    }
  }
  const next = (): void => {
    const [key] = waiting.keys()
    if (key === undefined || busy >= slots) return
    const line = waiting.get(key) ?? []
    const waiter = line.shift()
    // To the end of the round.
    waiting.delete(key)
    if (line.length > 0) waiting.set(key, line)
    waiters -= 1
    waiter?.start(open(key))
  }
  return {
    take: (key, signal) => {
      signal?.throwIfAborted()
      if (closed) return Promise.reject(new HubError('shutting-down', 'this node is stopping; send the request again'))
      if (busy < slots && waiters === 0) return Promise.resolve(open(key))
      if (waiters >= maxWaiting)
        return Promise.reject(new HubError('overloaded', 'too many runs are waiting', { retryAfterSeconds: 5 }))
      waiters += 1
      return new Promise((resolve, reject) => {
        const waiter: Waiter<Resource> = {
          key,
          start: (slot) => {
            signal?.removeEventListener('abort', onAbort)
            resolve(slot)
          },
        }
        const onAbort = (): void => {
          const line = waiting.get(key)?.filter((one) => one !== waiter) ?? []
          if (line.length > 0) waiting.set(key, line)
          else waiting.delete(key)
          waiters -= 1
          reject(signal?.reason)
        }
        signal?.addEventListener('abort', onAbort, { once: true })
        waiting.set(key, [...(waiting.get(key) ?? []), waiter])
      })
    },
    close: async () => {
      closed = true
      for (const one of idle) drop(one)
      idle = []
      if (busy > 0) await new Promise<void>((resolve) => (settled = resolve))
    },
  }
}
