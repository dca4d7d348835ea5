import { setTimeout as pause } from 'node:timers/promises'
import type { Filter } from '@sluice/protocol'
import type { Context, Workspace } from './context.ts'
import { tickMs } from './follow.ts'
import { toEventText } from './to-wire.ts'

/** An event; or, about once a second, how many there were and how many of them were sent; or `idle`. */
export type TailItem = { readonly text: string } | { readonly seen: number; readonly shown: number } | 'idle'

export type TailRequest = {
  readonly filter: Filter
  /** events sent in a second, at most; of a burst as many at once */
  readonly perSecond: number
  readonly signal: AbortSignal
  readonly isAllowed: () => Promise<boolean>
}

const eventsAtATime = 500
/** Rows that one look may cost: it happens on the thread that serves requests. */
const rowBudget = 1000
/** A look at the log at most so often, however much comes. */
const restMs = 40
/** Whoever is further behind goes to the end: it is what happens now that is looked at. */
const behindMax = 5000

/**
 * What is published from now on, for somebody who looks on: all of it while it is little, a sample beyond. Knows no inbox, takes
 * no lease and makes no progress.
 */
export async function* tailLog(
  { store, notifier }: Pick<Context, 'store' | 'notifier'>,
  workspace: Workspace,
  { filter, perSecond, signal, isAllowed }: TailRequest,
): AsyncGenerator<TailItem> {
  const follower = notifier.follow(workspace.id, filter)
  const sample = createSample(perSecond)
  let { head: after } = await store.readHead(workspace.id)
  try {
    // The reader knows from then on that nothing is missed.
    yield 'idle'
    while (!signal.aborted && !notifier.isClosed()) {
      follower.begin()
      const { head } = await store.readHead(workspace.id)
      if (head - after > behindMax) {
        sample.pass(head - eventsAtATime - after)
        after = head - eventsAtATime
      }
      const { events, scannedTo } = await store.scanEvents(workspace.id, {
        after,
        filter,
        limit: eventsAtATime,
        rowBudget,
      })
      for (const event of events) if (sample.take()) yield { text: toEventText(workspace, event) }
      if (sample.isDue()) {
        yield sample.report()
        if (!(await isAllowed())) return
      }
      if (scannedTo > after) await pause(restMs, undefined, { signal }).catch(() => undefined)
      else await follower.wait(tickMs, signal)
      after = Math.max(after, scannedTo)
    }
  } finally {
    follower.leave()
  }
}

/** A bucket that fills evenly: a burst is shown as far as it reaches, and after it one in so many. */
function createSample(perSecond: number) {
  let room = perSecond
  let filledMs = performance.now()
  let reportedMs = filledMs
  let wasQuiet = true
  let seen = 0
  let shown = 0
  return {
    take: (): boolean => {
      const now = performance.now()
      room = Math.min(perSecond, room + ((now - filledMs) / 1000) * perSecond)
      filledMs = now
      seen += 1
      if (room < 1) return false
      room -= 1
      shown += 1
      return true
    },
    pass: (count: number): void => void (seen += count),
    isDue: (): boolean => performance.now() - reportedMs >= tickMs,
    report: (): TailItem => {
      // The first second in which nothing came is told, too.
      const item = seen === 0 && wasQuiet ? 'idle' : { seen, shown }
      reportedMs = performance.now()
      wasQuiet = seen === 0
      seen = 0
      shown = 0
      return item
    },
  }
}
