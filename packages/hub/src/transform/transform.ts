import type { Fault } from '@sluice/protocol'
import { createQueue } from '../runner/queue.ts'
import type { FromTransform, ToTransform } from './messages.ts'
import { startTransformProcess, type TransformProcess } from './process.ts'

/** `limit`: it took too long or too much memory, which may be another time's fault as well. */
type Transformed = { readonly value: unknown } | { readonly fault: Fault; readonly limit: boolean }

/**
 * Makes values of events as mappings say that users wrote. Expressions run in processes that are ended when they take too
 * long or too much memory: in a thread, a heap that is full ends all of the hub. A tenant has half of the processes at most, and what it
 * has used it shares with nobody. A process has one mapping at a time, so that what ends it ends no other.
 */
export type Transform = {
  /** What is wrong with a mapping, by JSON Pointer. */
  readonly check: (group: string, mapping: unknown) => Promise<readonly Fault[]>
  /** @param event as JSON text. @throws HubError `overloaded`, `shutting-down` */
  readonly apply: (group: string, mapping: unknown, event: string) => Promise<Transformed>
  readonly close: () => Promise<void>
}

export type TransformOptions = {
  /** at a time, default 2 */
  readonly processes?: number
  /** for one mapping, default 1,000 */
  readonly deadlineMs?: number
  /** of the value as JSON, default 262,144 */
  readonly maxBytes?: number
}

const idleMs = 60_000
const maxWaiting = 1000

/** @example const transform = openTransform() */
export function openTransform(options: TransformOptions = {}): Transform {
  const { processes = 2, deadlineMs = 1000, maxBytes = 262_144 } = options
  const queue = createQueue<TransformProcess>({ slots: processes, maxWaiting, idleMs, retire: (one) => one.end() })
  const ask = async (group: string, order: ToTransform): Promise<FromTransform | undefined> => {
    const slot = await queue.take({ group, key: '' })
    let kept: TransformProcess | undefined
    try {
      const one = slot.resource?.hasEnded() === false ? slot.resource : await startTransformProcess()
      const answer = await one.ask(order, deadlineMs)
      if (answer) kept = one
      return answer
    } finally {
      slot.give(kept)
    }
  }
  const tooMuch = `took more than ${deadlineMs} ms, or too much memory`
  return {
    check: async (group, mapping) => {
      const answer = await ask(group, { kind: 'check', mapping })
      if (answer?.kind === 'checked') return answer.faults
      return [answer?.kind === 'fault' ? answer.fault : { pointer: '', detail: tooMuch }]
    },
    apply: async (group, mapping, event) => {
      const answer = await ask(group, { kind: 'apply', mapping, event, maxBytes })
      if (answer?.kind === 'made') return { value: answer.value }
      if (answer?.kind === 'fault') return { fault: answer.fault, limit: false }
      return { fault: { pointer: '', detail: tooMuch }, limit: true }
    },
    close: () => queue.close(),
  }
}
