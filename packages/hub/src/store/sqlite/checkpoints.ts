import { once } from 'node:events'
import { statSync } from 'node:fs'
import { Worker } from 'node:worker_threads'

/** The write-ahead log is copied into the database file when it has grown to this. */
const walBytes = 16 * 1024 * 1024
const everyMs = 100

export type Checkpoints = { readonly close: () => Promise<void> }

type Options = {
  readonly file: string
  /** runs a short checkpoint between two groups of the writer, which then begins the log anew */
  readonly finish: () => Promise<void>
}

/** Watches the size of the write-ahead log; the copying happens in a thread of its own, so that commits do not wait for it. */
export function openCheckpoints({ file, finish }: Options): Checkpoints {
  const worker = new Worker(new URL('checkpoint-thread.ts', import.meta.url), { workerData: file })
  const exit = once(worker, 'exit').catch(() => undefined)
  worker.on('error', () => {})
  let running = false
  const run = async (): Promise<void> => {
    running = true
    worker.postMessage('checkpoint')
    await Promise.race([once(worker, 'message'), exit])
    await finish()
    running = false
  }
  const timer = setInterval(() => {
    const size = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0
    // The file keeps its size after a checkpoint; what matters is that a round follows another while there is traffic.
    if (!running && size > walBytes) run().catch(() => (running = false))
  }, everyMs)
  timer.unref()
  return {
    close: async () => {
      clearInterval(timer)
      worker.postMessage('close')
      await exit
    },
  }
}
