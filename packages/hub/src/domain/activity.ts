import { setTimeout as pause } from 'node:timers/promises'
import type { ActivityEntry, FailureCount } from '../store/activity.ts'
import { hourMs, minuteMs } from '../store/activity.ts'
import type { InboxProgress, Store } from '../store/store.ts'

/** What this node has done for each workspace, noted in memory and written down together. */
export type ActivityNotes = {
  readonly note: (workspaceId: number, deed: 'published' | 'acknowledged', count: number) => void
  /** Writes down what has come together. */
  readonly flush: () => Promise<void>
}

type Noted = { published: number; acknowledged: number }

const nothing = { published: 0, acknowledged: 0, failed: 0, dead: 0, waiting: null, leased: null, oldestMs: null }

export function createActivityNotes(store: Pick<Store, 'activity' | 'nowMs'>): ActivityNotes {
  let noted = new Map<number, Noted>()
  return {
    note: (workspaceId, deed, count) => {
      if (count === 0) return
      const known = noted.get(workspaceId)
      if (known) known[deed] += count
      else noted.set(workspaceId, { published: 0, acknowledged: 0, [deed]: count })
    },
    flush: async () => {
      const taken = noted
      noted = new Map()
      const atMs = store.nowMs()
      await store.activity.add(
        Array.from(taken, ([workspaceId, counts]) => ({ ...nothing, workspaceId, atMs, ...counts })),
      )
    },
  }
}

export type ActivityOptions = {
  readonly holder: string
  /** this node takes its turn to look at levels and failures, which are in the store */
  readonly looks: boolean
  readonly onError: (error: unknown) => void
}

/** What a node has noted and not written is lost when it is killed: so many seconds of a chart. */
const writeMs = 10_000
/** One node that has ended is followed by another after this long. */
const claimMs = 2 * minuteMs
/** Levels are looked at where something happened within a day, in so many workspaces and inboxes of each. */
const workspacesMax = 200
const inboxesMax = 1000

/** Writes down what happens, until closed; then what is left. */
export function startActivity(
  store: Store,
  notes: ActivityNotes,
  { holder, looks, onError }: ActivityOptions,
): { readonly close: () => Promise<void> } {
  const stop = new AbortController()
  const look = createLook(store)
  const lookAlone = async (): Promise<void> => {
    if (await store.claimTask('activity', holder, claimMs)) await look()
  }
  const { signal } = stop
  const running = [repeat(notes.flush, { everyMs: writeMs, signal, onError })]
  if (looks) running.push(repeat(lookAlone, { everyMs: minuteMs, signal, onError }))
  return {
    close: async () => {
      stop.abort()
      await Promise.all(running)
      await notes.flush().catch(onError)
    },
  }
}

/** Each call adds what has failed since the one before, and how much waits. */
export function createLook(store: Store): () => Promise<void> {
  let lastFailure: number | undefined
  return async () => {
    const { lastId, failures } = await store.activity.countFailures(lastFailure)
    lastFailure = lastId
    await store.activity.add(await toLevels(store, failures))
  }
}

async function repeat(
  run: () => Promise<void>,
  { everyMs, signal, onError }: { everyMs: number; signal: AbortSignal; onError: (error: unknown) => void },
): Promise<void> {
  while (!signal.aborted) {
    await run().catch((error: unknown) => !signal.aborted && onError(error))
    await pause(everyMs, undefined, { signal, ref: false }).catch(() => undefined)
  }
}

/** What failed, and how much waits, where something happened within a day. */
async function toLevels(store: Store, failures: readonly FailureCount[]): Promise<ActivityEntry[]> {
  const failed = new Map(failures.map((one) => [one.workspaceId, one]))
  const busy = await store.activity.listBusy(store.nowMs() - 24 * hourMs, workspacesMax)
  const entries: ActivityEntry[] = []
  for (const workspaceId of new Set([...busy, ...failed.keys()])) {
    const progress = await readAllProgress(store, workspaceId)
    entries.push({
      ...nothing,
      workspaceId,
      atMs: store.nowMs(),
      ...failed.get(workspaceId),
      ...toSums(progress, store.nowMs()),
    })
  }
  return entries
}

async function readAllProgress(store: Store, workspaceId: number): Promise<InboxProgress[]> {
  const inboxes = await store.listInboxes(workspaceId, '', inboxesMax)
  const progress: InboxProgress[] = []
  // One after the other: nobody waits for it. An inbox may go meanwhile.
  for (const { key } of inboxes) {
    const one = await store.readProgress(workspaceId, key).catch(() => undefined)
    if (one) progress.push(one)
  }
  return progress
}

function toSums(
  progress: readonly InboxProgress[],
  nowMs: number,
): Pick<ActivityEntry, 'waiting' | 'leased' | 'oldestMs'> {
  const sum = (of: (one: InboxProgress) => number): number => progress.reduce((total, one) => total + of(one), 0)
  const oldest = Math.min(...progress.map(({ oldestMs }) => oldestMs ?? nowMs), nowMs)
  return {
    waiting: sum(({ behind, waiting, parked }) => behind + waiting + parked),
    leased: sum(({ leased }) => leased),
    oldestMs: nowMs - oldest,
  }
}
