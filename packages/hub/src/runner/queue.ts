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
  /** @throws HubError `overloaded`, `shutting-down`; the signal's reason when it aborts while waiting */
  readonly take: (key: string, signal?: AbortSignal) => Promise<Slot<Resource>>
  /** Resolves when every place is free. */
  readonly close: () => Promise<void>
}

/** Places for runs: keys take turns, so that one that asks for thousands does not keep the others waiting. */
export function createQueue<Resource>(options: QueueOptions<Resource>): Queue<Resource> {
  const { slots, maxWaiting } = options
  const line = createLine<(slot: Slot<Resource>) => void>()
  const idle = createIdle(options)
  let [busy, closed] = [0, false]
  let onFree: (() => void) | undefined

  const open = (key: string): Slot<Resource> => {
    busy += 1
    let isOpen = true
    return {
      resource: idle.take(key),
      give: (given) => {
        if (!isOpen) return
        isOpen = false
        busy -= 1
        if (given !== undefined) idle.keep(key, given)
        const next = busy < slots ? line.shift() : undefined
        next?.start(open(next.key))
        if (busy === 0) onFree?.()
      },
    }
  }
  return {
    take: async (key, signal) => {
      signal?.throwIfAborted()
      if (closed) throw new HubError('shutting-down', 'this node is stopping; send the request again')
      if (busy < slots && line.size() === 0) return open(key)
      if (line.size() >= maxWaiting)
        throw new HubError('overloaded', 'too many runs are waiting', { retryAfterSeconds: 5 })
      return waitInLine(line, key, signal)
    },
    close: async () => {
      closed = true
      if (busy > 0) await new Promise<void>((resolve) => (onFree = resolve))
      idle.close()
    },
  }
}

function waitInLine<Resource>(
  line: Line<(slot: Slot<Resource>) => void>,
  key: string,
  signal: AbortSignal | undefined,
): Promise<Slot<Resource>> {
  return new Promise((resolve, reject) => {
    const start = (slot: Slot<Resource>): void => {
      signal?.removeEventListener('abort', onAbort)
      resolve(slot)
    }
    const onAbort = (): void => {
      line.leave(key, start)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    line.join(key, start)
  })
}

/** Those who wait: each key has a queue of its own, and the keys take turns. */
type Line<Start> = {
  readonly join: (key: string, start: Start) => void
  readonly leave: (key: string, start: Start) => void
  readonly shift: () => { readonly key: string; readonly start: Start } | undefined
  readonly size: () => number
}

function createLine<Start>(): Line<Start> {
  const waiting = new Map<string, Start[]>()
  let size = 0
  const put = (key: string, starts: Start[]): void => {
    if (starts.length > 0) waiting.set(key, starts)
    else waiting.delete(key)
  }
  return {
    join: (key, start) => {
      size += 1
      put(key, [...(waiting.get(key) ?? []), start])
    },
    leave: (key, start) => {
      const starts = waiting.get(key) ?? []
      if (!starts.includes(start)) return
      size -= 1
      put(
        key,
        starts.filter((one) => one !== start),
      )
    },
    shift: () => {
      const [first] = waiting
      if (!first) return undefined
      const [key, [start, ...rest]] = first
      size -= 1
      // To the end of the round.
      waiting.delete(key)
      put(key, rest)
      return start && { key, start }
    },
    size: () => size,
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
