import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Fault } from '@sluice/protocol'
import { createQueue } from '../runner/queue.ts'
import type { FromTransform, ToTransform } from './transform-thread.ts'

/** `limit`: it took too long or too much memory, which may be another time's fault as well. */
type Transformed = { readonly value: unknown } | { readonly fault: Fault; readonly limit: boolean }

/**
 * Makes values of events as mappings say that users wrote. Expressions run in threads that are ended when they take too long or
 * too much memory; a tenant has half of the threads at most.
 */
export type Transform = {
  /** What is wrong with a mapping, by JSON Pointer. */
  readonly check: (group: string, mapping: unknown) => Promise<readonly Fault[]>
  /** @param event as JSON text. @throws HubError `overloaded`, `shutting-down` */
  readonly apply: (group: string, mapping: unknown, event: string) => Promise<Transformed>
  readonly close: () => Promise<void>
}

export type TransformOptions = {
  /** threads at a time, default 2 */
  readonly threads?: number
  /** for one mapping, default 1,000 */
  readonly deadlineMs?: number
  /** of the value as JSON, default 262,144 */
  readonly maxBytes?: number
}

/** Of one thread, in MB. An event and what is made of it have a few at most. */
const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 }
const idleMs = 60_000
const maxWaiting = 1000

/** @example const transform = openTransform() */
export function openTransform(options: TransformOptions = {}): Transform {
  const { threads = 2, deadlineMs = 1000, maxBytes = 262_144 } = options
  const retire = (worker: Worker): void => void worker.terminate()
  const queue = createQueue<Worker>({ slots: threads, maxWaiting, idleMs, retire })
  const ask = async (group: string, order: ToTransform): Promise<FromTransform | undefined> => {
    const slot = await queue.take({ group, key: '' })
    let kept: Worker | undefined
    try {
      const worker = slot.resource ?? (await startThread())
      const answer = await exchange(worker, order, deadlineMs)
      if (answer) kept = worker
      else retire(worker)
      return answer
    } finally {
      slot.give(kept)
    }
  }
  const tooMuch = `took more than ${deadlineMs} ms, or more than ${resourceLimits.maxOldGenerationSizeMb} MB of memory`
  return {
    check: async (group, mapping) => {
      const answer = await ask(group, { kind: 'check', mapping: JSON.stringify(mapping) })
      if (answer?.kind === 'checked') return answer.faults
      return [answer?.kind === 'fault' ? answer.fault : { pointer: '', detail: tooMuch }]
    },
    apply: async (group, mapping, event) => {
      const answer = await ask(group, { kind: 'apply', mapping: JSON.stringify(mapping), event, maxBytes })
      if (answer?.kind === 'made') return { value: JSON.parse(answer.value) }
      if (answer?.kind === 'fault') return { fault: answer.fault, limit: false }
      return { fault: { pointer: '', detail: tooMuch }, limit: true }
    },
    close: () => queue.close(),
  }
}

/** The time of a mapping does not begin before its thread is there. */
async function startThread(): Promise<Worker> {
  const worker = new Worker(new URL('transform-thread.ts', import.meta.url), { resourceLimits, env: {} })
  // Nobody may be listening when it is ended.
  worker.on('error', () => undefined)
  worker.unref()
  await once(worker, 'message')
  return worker
}

/** Undefined where the thread has to be ended, or has ended. */
function exchange(worker: Worker, order: ToTransform, deadlineMs: number): Promise<FromTransform | undefined> {
  return new Promise((resolve) => {
    const finish = (answer: FromTransform | undefined): void => {
      clearTimeout(timer)
      worker.off('message', finish).off('exit', onExit)
      resolve(answer)
    }
    const onExit = (): void => finish(undefined)
    const timer = setTimeout(() => finish(undefined), deadlineMs)
    worker.on('message', finish).on('exit', onExit)
    worker.postMessage(order)
  })
}
