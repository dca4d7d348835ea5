import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { HubError } from '@sluice/protocol/error'
import type { Draft } from '../store.ts'
import type { FromWriter, ToWriter, VerbArguments, VerbName, Verbs, WriteOrder, WriteResult } from './writer-thread.ts'

/** Events in one transaction, unless a single request brings more. Larger groups gain nothing and cost latency. */
const groupEvents = 512
const leaseWeight = 32
/** Beyond these the queue refuses: memory stays bounded. */
const queueEvents = 20_000
const queueBytes = 64 * 1024 * 1024

type Waiting = WriteOrder & {
  readonly events: number
  /** against the size of a group */
  readonly weight: number
  readonly bytes: number
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

export type GroupCommit = {
  readonly write: <Name extends VerbName>(
    verb: Name,
    ...args: VerbArguments<Name>
  ) => Promise<Awaited<ReturnType<Verbs[Name]>>>
  /** Runs a short passive checkpoint between two groups. */
  readonly checkpoint: () => Promise<void>
  readonly stats: () => { queued: number; commits: number; rowsScanned: number }
  /**
   * Commits what waits, then ends the writer.
   *
   * @param last runs in between: the writer's connection is to be the last one, which clears the write-ahead log away
   */
  readonly close: (last: () => Promise<void>) => Promise<void>
}

type Options = {
  readonly file: string
  /** verbs that this process may use; undefined allows all */
  readonly only: ReadonlySet<VerbName> | undefined
  readonly nowMs: () => number
  readonly onReady: (clockMs: number) => void
  readonly onCommit: (orders: readonly WriteOrder[], results: readonly WriteResult[], wakes: readonly string[]) => void
  readonly onDeath: (error: Error) => void
}

/**
 * Gathers concurrent writes into one transaction: while the writer thread commits a group, the next one fills. Callers are
 * answered after the commit.
 */
export async function openGroupCommit(options: Options): Promise<GroupCommit> {
  const worker = new Worker(new URL('writer-thread.ts', import.meta.url), { workerData: options.file })
  const exit = once(worker, 'exit').catch(() => undefined)
  const queue: Waiting[] = []
  const counts = { queued: 0, bytes: 0, commits: 0, rowsScanned: 0 }
  let flying: Waiting[] = []
  let scheduled = false
  let dead: Error | undefined
  let checkpoints: (() => void)[] = []
  let idle: (() => void)[] = []

  const post = (message: ToWriter): void => worker.postMessage(message)
  const send = (): void => {
    scheduled = false
    if (flying.length > 0) return
    flying = takeGroup(queue, counts)
    if (flying.length > 0)
      post({ kind: 'group', nowMs: options.nowMs(), orders: flying.map(({ verb, args }) => ({ verb, args })) })
    else for (const done of idle.splice(0)) done()
  }
  const schedule = (): void => {
    if (scheduled || flying.length > 0) return
    scheduled = true
    setImmediate(send)
  }
  const finish = (results: readonly WriteResult[], wakes: readonly string[]): void => {
    const group = flying
    flying = []
    counts.commits += 1
    // The next group goes out before anybody is answered: the disk works while answers are written.
    send()
    options.onCommit(group, results, wakes)
    for (const [index, waiting] of group.entries()) settle(waiting, results[index])
  }
  worker.on('message', (message: FromWriter) => {
    if (message.kind === 'ready') options.onReady(message.clockMs)
    if (message.kind === 'done') {
      counts.rowsScanned += message.rowsScanned
      finish(message.results, message.wakes)
    }
    if (message.kind === 'checkpointed') for (const done of checkpoints.splice(0)) done()
  })
  worker.on('error', (error) => {
    dead = error instanceof Error ? error : new Error(String(error))
    for (const waiting of [...flying, ...queue.splice(0)]) waiting.reject(toDeath(dead))
    flying = []
    options.onDeath(dead)
  })
  await once(worker, 'message')

  return {
    write: (verb, ...args) =>
      new Promise((resolve, reject) => {
        const { events, weight, bytes } = measure(verb, args)
        if (dead) return reject(toDeath(dead))
        if (options.only?.has(verb) === false)
          return reject(
            new HubError('conflict', `${verb} needs the data folder for itself; stop the hub, or ask it by --url`),
          )
        if (counts.queued + events > queueEvents || counts.bytes + bytes > queueBytes) return reject(overloaded())
        counts.queued += events
        counts.bytes += bytes
        queue.push({ verb, args, events, weight, bytes, resolve: resolve as (value: unknown) => void, reject }) // the verb types it
        schedule()
      }),
    checkpoint: () =>
      new Promise((resolve) => {
        if (dead) return resolve()
        checkpoints.push(resolve)
        post({ kind: 'checkpoint' })
      }),
    stats: () => ({ queued: counts.queued, commits: counts.commits, rowsScanned: counts.rowsScanned }),
    close: async (last) => {
      // Whoever is answered by the last group may still have something to write: an audit entry, events to give back.
      while (!dead && (flying.length > 0 || queue.length > 0)) {
        await new Promise<void>((resolve) => idle.push(resolve))
        await nextTurn()
      }
      await last()
      if (dead) return
      dead = new Error('the store is closed')
      post({ kind: 'close' })
      await exit
    },
  }
}

function takeGroup(queue: Waiting[], counts: { queued: number; bytes: number }): Waiting[] {
  let size = 0
  let taken = 0
  while (taken < queue.length) {
    const weight = queue[taken]?.weight ?? 0
    if (taken > 0 && size + weight > groupEvents) break
    size += weight
    taken += 1
  }
  const group = queue.splice(0, taken)
  for (const waiting of group) {
    counts.queued -= waiting.events
    counts.bytes -= waiting.bytes
  }
  return group
}

const withDrafts: ReadonlySet<VerbName> = new Set([
  'appendEvents',
  'addQuarantined',
  'addScheduled',
  'releaseQuarantined',
])

function measure(verb: VerbName, args: readonly unknown[]): { events: number; weight: number; bytes: number } {
  // A lease may have to look at many rows: few of them go into one transaction.
  if (verb === 'leaseEvents') return { events: 1, weight: leaseWeight, bytes: 0 }
  if (!withDrafts.has(verb)) return { events: 1, weight: 1, bytes: 0 }
  const drafts = args[1] as readonly Draft[] // the arguments of these
  let bytes = 0
  for (const draft of drafts) bytes += draft.body.length
  return { events: drafts.length, weight: drafts.length, bytes }
}

function settle(waiting: Waiting, result: WriteResult | undefined): void {
  if (!result) return waiting.reject(new Error('the writer gave no result'))
  if ('value' in result) return waiting.resolve(result.value)
  const { code, message, details } = result.error
  // A fault of ours: what it says is for the log, not for the caller.
  if (code === 'internal') return waiting.reject(new Error(message))
  waiting.reject(
    new HubError(code, message, { details, ...(code === 'storage-unavailable' && { retryAfterSeconds: 1 }) }),
  )
}

function overloaded(): HubError {
  return new HubError('overloaded', 'too many writes are waiting for the disk; send it again in a second', {
    retryAfterSeconds: 1,
  })
}

function toDeath(cause: Error): HubError {
  return new HubError('storage-unavailable', 'the writer has stopped', { cause, retryAfterSeconds: 1 })
}
