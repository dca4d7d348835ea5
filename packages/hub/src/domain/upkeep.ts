import { setTimeout as pause } from 'node:timers/promises'
import type { RetentionPolicy, Store } from '../store/store.ts'

const dayMs = 86_400_000

const defaultRetention: RetentionPolicy = {
  passedMs: 30 * dayMs,
  anywayMs: 90 * dayMs,
  attemptsMs: 7 * dayMs,
  maxRows: 500,
}

/** Between two steps of trimming publishes have the writer for themselves. */
const stepPauseMs = 20
const workspacesAtATime = 100

export type Upkeep = { readonly close: () => Promise<void> }

/** A node that has ended is followed by another one after this long. */
const claimMs = 5000

export type UpkeepOptions = {
  /** this node: one at a time does the work */
  readonly holder: string
  readonly policy?: RetentionPolicy
  readonly expireEveryMs?: number
  readonly trimEveryMs?: number
  /** done as often as trimming, by the same node */
  readonly also?: (() => Promise<unknown>) | undefined
  readonly onError: (error: unknown) => void
}

/** Gives back what leases that ran out held, and lets go of what retention no longer keeps, until closed. */
export function startUpkeep(store: Store, options: UpkeepOptions): Upkeep {
  const { holder, policy = defaultRetention, expireEveryMs = 1000, trimEveryMs = 60_000, also, onError } = options
  const stop = new AbortController()
  const { signal } = stop
  let isMine = false
  const alone = async (work: () => Promise<void>): Promise<void> => {
    isMine = await store.claimTask('upkeep', holder, claimMs)
    if (isMine) await work()
  }
  const expiring = repeat(() => alone(() => store.expireLeases()), { everyMs: expireEveryMs, signal, onError })
  const trim = async (): Promise<void> => {
    await also?.()
    await trimAll(store, { policy, signal, onError })
  }
  const trimming = repeat(() => alone(trim), { everyMs: trimEveryMs, signal, onError })
  return {
    close: async () => {
      stop.abort()
      await Promise.all([expiring, trimming])
      // The next node need not wait until the claim has run out.
      if (isMine) await store.claimTask('upkeep', holder, 0).catch(onError)
    },
  }
}

type Repetition = { readonly everyMs: number; readonly signal: AbortSignal; readonly onError: (error: unknown) => void }

async function repeat(run: () => Promise<void>, { everyMs, signal, onError }: Repetition): Promise<void> {
  while (await rest(everyMs, signal)) {
    try {
      await run()
    } catch (error) {
      if (!signal.aborted) onError(error)
    }
  }
}

/** False once stopped. */
async function rest(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await pause(ms, undefined, { signal, ref: false })
    return true
  } catch {
    return false
  }
}

type Trimming = Pick<Repetition, 'signal' | 'onError'> & { readonly policy: RetentionPolicy }

async function trimAll(store: Store, { policy, signal, onError }: Trimming): Promise<void> {
  for (let after = ''; ;) {
    const workspaces = await store.listWorkspaces(after, workspacesAtATime)
    for (const { id } of workspaces) {
      try {
        while ((await store.trimEvents(id, policy)).more) if (!(await rest(stepPauseMs, signal))) return
      } catch (error) {
        // The others have their turn all the same.
        if (signal.aborted) return
        onError(error)
      }
    }
    const last = workspaces.at(-1)
    if (!last || signal.aborted) return
    after = last.key
  }
}
