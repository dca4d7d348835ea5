import { matchesEventType, matchesGlob, type Filter } from '@sluice/protocol'
import type { Store, Wake } from '../store/store.ts'

/**
 * Wakes those who wait for events. Consumers of an inbox compete, so a wake-up goes to one of them, first come first served,
 * and whoever found something wakes the next. Followers of a log are all woken: each sees everything.
 */
export type Notifier = {
  /** Takes a place in the queue of an inbox. Join before looking for events: a wake-up in between is then not missed. */
  readonly join: (place: Place) => Waiter
  readonly follow: (workspaceId: number, filter: Filter) => Follower
  /** Ends every wait, now and from now on. */
  readonly close: () => void
  readonly isClosed: () => boolean
}

type Place = { readonly workspaceId: number; readonly inbox: string; readonly filter: Filter }

export type Waiter = {
  /** Clears a wake-up that came before now. Call before each look for events. */
  readonly begin: () => void
  /** Resolves at a wake-up, on abort, or after so many ms. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
  /** Wakes one of the queue after so many ms: when something may become available by time alone. */
  readonly wakeIn: (ms: number) => void
  /** Wakes the next in the queue: there is more than this one could take. */
  readonly pass: () => void
  readonly leave: () => void
}

type Follower = Pick<Waiter, 'begin' | 'wait' | 'leave'>

/** Should a wake-up ever be lost, the head of the queue looks again after this long. */
const safetyNetMs = 5000

type Sleeper = { signalled: boolean; wake: (() => void) | undefined }
type Queue = { filter: Filter; readonly sleeping: Set<Sleeper>; readonly awake: Set<Sleeper>; alarm: Alarm | undefined }
type Alarm = { readonly at: number; readonly timer: NodeJS.Timeout }
type FollowerEntry = Sleeper & { readonly filter: Filter }

type State = {
  readonly queues: Map<number, Map<string, Queue>>
  readonly followers: Map<number, Set<FollowerEntry>>
  closed: boolean
}

export function createNotifier(store: Pick<Store, 'onWake'>): Notifier {
  const state: State = { queues: new Map(), followers: new Map(), closed: false }
  const unsubscribe = store.onWake((wake) => spread(state, wake))
  return {
    join: (place) => join(state, place),
    follow: (workspaceId, filter) => follow(state, workspaceId, filter),
    isClosed: () => state.closed,
    close: () => {
      state.closed = true
      unsubscribe()
      for (const queues of state.queues.values()) {
        for (const queue of queues.values()) {
          clearTimeout(queue.alarm?.timer)
          for (const sleeper of queue.sleeping) sleeper.wake?.()
        }
      }
      for (const followers of state.followers.values()) for (const follower of followers) follower.wake?.()
    },
  }
}

function spread({ queues, followers }: State, { workspaceId, inbox, appended }: Wake): void {
  const queuesHere = queues.get(workspaceId)
  if (inbox !== undefined) {
    const queue = queuesHere?.get(inbox)
    if (queue) signalQueue(queue)
  }
  if (inbox !== undefined && !appended) return
  const wanted = (filter: Filter): boolean => !appended || appended.some((event) => mayWant(filter, event))
  for (const queue of queuesHere?.values() ?? []) if (wanted(queue.filter)) signalQueue(queue)
  for (const follower of followers.get(workspaceId) ?? [])
    if (!follower.signalled && wanted(follower.filter)) signal(follower)
}

type Appended = NonNullable<Wake['appended']>[number]

/** Conditions on the content are left to the store: waking once too often is no harm. */
export function mayWant({ event_types, sources, subjects }: Filter, event: Appended): boolean {
  const listed = (globs: readonly string[] | undefined, value: string | null): boolean =>
    globs === undefined || globs.length === 0 || (value !== null && globs.some((glob) => matchesGlob(glob, value)))
  return (
    matchesEventType(event_types ?? [], event.eventType) &&
    listed(sources, event.source) &&
    listed(subjects, event.subject)
  )
}

function signal(sleeper: Sleeper): void {
  sleeper.signalled = true
  sleeper.wake?.()
}

/** One who sleeps, the longest waiting first; else one who is looking right now and may have looked too early. */
function signalQueue({ sleeping, awake }: Queue): void {
  const [next] = sleeping.size > 0 ? sleeping : awake
  if (next) signal(next)
}

function join(state: State, place: Place): Waiter {
  const queue = queueOf(state, place)
  const self: Sleeper = { signalled: false, wake: undefined }
  queue.awake.add(self)
  return {
    begin: () => {
      self.signalled = false
    },
    wait: async (ms, abort) => {
      if (self.signalled || state.closed || abort.aborted) return
      queue.awake.delete(self)
      queue.sleeping.add(self)
      setAlarm(queue, safetyNetMs)
      await sleep(self, ms, abort)
      queue.sleeping.delete(self)
      queue.awake.add(self)
    },
    wakeIn: (ms) => setAlarm(queue, ms),
    pass: () => {
      queue.awake.delete(self)
      signalQueue(queue)
      queue.awake.add(self)
    },
    leave: () => {
      queue.awake.delete(self)
      // A wake-up that was given and not used belongs to somebody else.
      if (self.signalled) signalQueue(queue)
      if (queue.awake.size + queue.sleeping.size > 0) return
      clearTimeout(queue.alarm?.timer)
      const queues = state.queues.get(place.workspaceId)
      queues?.delete(place.inbox)
      if (queues?.size === 0) state.queues.delete(place.workspaceId)
    },
  }
}

function queueOf(state: State, place: Place): Queue {
  const queues = state.queues.get(place.workspaceId) ?? new Map<string, Queue>()
  state.queues.set(place.workspaceId, queues)
  const queue: Queue = queues.get(place.inbox) ?? {
    filter: place.filter,
    sleeping: new Set(),
    awake: new Set(),
    alarm: undefined,
  }
  // It may have changed since the others joined: theirs is then the older one.
  queue.filter = place.filter
  queues.set(place.inbox, queue)
  return queue
}

function setAlarm(queue: Queue, ms: number): void {
  const at = performance.now() + ms
  if (queue.alarm && queue.alarm.at <= at) return
  clearTimeout(queue.alarm?.timer)
  const timer = setTimeout(() => {
    queue.alarm = undefined
    signalQueue(queue)
    if (queue.sleeping.size > 0) setAlarm(queue, safetyNetMs)
  }, ms)
  queue.alarm = { at, timer }
}

function follow(state: State, workspaceId: number, filter: Filter): Follower {
  const followers = state.followers.get(workspaceId) ?? new Set<FollowerEntry>()
  state.followers.set(workspaceId, followers)
  const self: FollowerEntry = { signalled: false, wake: undefined, filter }
  followers.add(self)
  return {
    begin: () => {
      self.signalled = false
    },
    wait: async (ms, abort) => {
      if (self.signalled || state.closed || abort.aborted) return
      await sleep(self, ms, abort)
    },
    leave: () => {
      followers.delete(self)
      if (followers.size === 0) state.followers.delete(workspaceId)
    },
  }
}

/** For one who waits for news that come another way than through the store. */
export function createSleeper(): Pick<Waiter, 'begin' | 'wait'> & { readonly nudge: () => void } {
  const self: Sleeper = { signalled: false, wake: undefined }
  return {
    begin: () => {
      self.signalled = false
    },
    wait: async (ms, abort) => {
      if (!self.signalled && !abort.aborted) await sleep(self, ms, abort)
    },
    nudge: () => signal(self),
  }
}

function sleep(sleeper: Sleeper, ms: number, abort: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer)
      abort.removeEventListener('abort', wake)
      sleeper.wake = undefined
      resolve()
    }
    const timer = setTimeout(wake, ms)
    abort.addEventListener('abort', wake, { once: true })
    sleeper.wake = wake
  })
}
