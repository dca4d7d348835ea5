import { setTimeout as pause } from 'node:timers/promises'
import type { ClaimedTrigger } from '../store/triggers.ts'
import { claimMs, pollTrigger, type PollParts } from './poll-trigger.ts'

export type Polling = { readonly close: () => Promise<void> }

const everyMs = 1000
/** Polls at a time on this node; the runner has its own limit. */
const atOnce = 8

/** Polls triggers when their time has come. Each is claimed by one node at a time. */
export function startPolling(parts: PollParts, onError: (error: unknown) => void): Polling {
  const { context } = parts
  const closing = new AbortController()
  const running = new Set<Promise<void>>()
  const poll = async (claimed: ClaimedTrigger): Promise<void> => {
    const workspace = await context.store.findWorkspaceById(claimed.workspaceId)
    if (workspace) await pollTrigger(parts, workspace, claimed)
  }
  /** Answers whether more may be due. */
  const round = async (): Promise<boolean> => {
    const free = atOnce - running.size
    const due = await context.store.triggers.claimDue(free, claimMs)
    for (const claimed of due) {
      const run = poll(claimed)
        .catch(onError)
        .finally(() => running.delete(run))
      running.add(run)
    }
    return due.length === free
  }
  const loop = (async () => {
    while (!closing.signal.aborted) {
      const isFull = await round().catch(onError)
      // Not a second of rest while others wait for their turn: many triggers have short intervals.
      if (isFull) await Promise.race(running)
      else await pause(everyMs, undefined, { signal: closing.signal, ref: false }).catch(() => {})
    }
  })()
  return {
    close: async () => {
      closing.abort()
      await loop
      await Promise.all(running)
    },
  }
}
