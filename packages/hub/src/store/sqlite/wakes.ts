import type { Draft, Wake } from '../store.ts'
import type { WriteOrder, WriteResult } from './writer-thread.ts'

export type Wakes = {
  readonly announce: (
    orders: readonly WriteOrder[],
    results: readonly WriteResult[],
    inboxes: readonly string[],
  ) => void
  readonly listen: (listener: (wake: Wake) => void) => () => void
  /** events appended since the store was opened */
  readonly appended: () => number
}

/** Tells listeners, after each commit, what may have something new. */
export function createWakes(): Wakes {
  const listeners = new Set<(wake: Wake) => void>()
  let count = 0
  return {
    announce: (orders, results, inboxes) => {
      for (const [workspaceId, drafts] of appendedBy(orders, results)) {
        count += drafts.length
        for (const listener of listeners) listener({ workspaceId, appended: drafts })
      }
      for (const name of inboxes) {
        const slash = name.indexOf('/')
        const wake = { workspaceId: Number(name.slice(0, slash)), inbox: name.slice(slash + 1) }
        for (const listener of listeners) listener(wake)
      }
    },
    listen: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    appended: () => count,
  }
}

function appendedBy(orders: readonly WriteOrder[], results: readonly WriteResult[]): Map<number, Draft[]> {
  const appended = new Map<number, Draft[]>()
  for (const [index, { verb, args }] of orders.entries()) {
    const result = results[index]
    if ((verb !== 'appendEvents' && verb !== 'releaseQuarantined') || !result || 'error' in result) continue
    const [workspaceId, drafts] = args as [number, readonly Draft[]] // the arguments of both
    const list = appended.get(workspaceId)
    if (list) list.push(...drafts)
    else appended.set(workspaceId, [...drafts])
  }
  return appended
}
