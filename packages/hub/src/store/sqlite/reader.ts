import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { HubError } from '@sluice/protocol/error'
import type { FromReader, ReaderArguments, ReaderVerb, ReaderVerbs, ToReader } from './reader-thread.ts'

export type Reader = {
  readonly read: <Name extends ReaderVerb>(
    verb: Name,
    ...args: ReaderArguments<Name>
  ) => Promise<Awaited<ReturnType<ReaderVerbs[Name]>>>
  readonly isAlive: () => boolean
  readonly close: () => Promise<void>
}

type Waiting = { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }

/** Reads that may wait at a time; more are refused, so that memory stays bounded. */
const maxWaiting = 1000

export function openReader(file: string): Reader {
  const worker = new Worker(new URL('reader-thread.ts', import.meta.url), { workerData: file })
  const exit = once(worker, 'exit').catch(() => undefined)
  const waiting = new Map<number, Waiting>()
  let ended = false
  let last = 0
  const failAll = (cause: unknown): void => {
    ended = true
    for (const { reject } of waiting.values())
      reject(new HubError('storage-unavailable', 'the reader has stopped', { cause }))
    waiting.clear()
  }
  worker.on('message', ({ id, value, error }: FromReader) => {
    const caller = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) caller?.resolve(value)
    else caller?.reject(new HubError('storage-unavailable', 'the store could not be read', { cause: new Error(error) }))
  })
  worker.on('error', failAll)
  worker.on('exit', failAll)
  return {
    read: (verb, ...args) =>
      new Promise((resolve, reject) => {
        if (ended) return reject(new HubError('storage-unavailable', 'the reader has stopped'))
        if (waiting.size >= maxWaiting)
          return reject(new HubError('overloaded', 'too many searches are waiting', { retryAfterSeconds: 1 }))
        last += 1
        waiting.set(last, { resolve: resolve as (value: unknown) => void, reject }) // the verb types it
        worker.postMessage({ id: last, verb, args } satisfies ToReader)
      }),
    isAlive: () => !ended,
    close: async () => {
      if (ended) return
      worker.postMessage({ close: true } satisfies ToReader)
      await exit
    },
  }
}
