import type { NewBatchEvent } from '@sluice/protocol'
import type { BatchItemResult } from '../batch.ts'
import { ApiError } from '../error.ts'
import { FlushError, type FailedEvent } from './error.ts'
import { isInTransaction } from './open-transaction.ts'
import type { FlushOutcome } from './session.ts'

/** Sends all of them, and says in their order what became of each; null where there is nowhere to send them. */
type Send = (events: readonly NewBatchEvent[]) => Promise<readonly BatchItemResult[] | null>

/** Events that wait for a flush, in order. */
export type Buffer = {
  readonly waiting: ReadonlySet<NewBatchEvent>
  add(event: NewBatchEvent): void
  /** @param options `givesUp`: what is not accepted does not stay */
  flush(send: Send, options: { readonly givesUp: boolean }): Promise<FlushOutcome>
  /** `isInDoubt`: what `store` has written may still be rolled back */
  flushTo(store: (events: readonly NewBatchEvent[]) => unknown): Promise<{ count: number; isInDoubt: boolean }>
  /** how many were dropped */
  clear(): number
  /** Resolves when no flush is under way. */
  settled(): Promise<void>
}

/** One flush at a time: each begins with what the one before has left. */
export function createBuffer(): Buffer {
  const waiting = new Set<NewBatchEvent>()
  let sending: readonly NewBatchEvent[] = []
  let last: Promise<void> = Promise.resolve()
  const inTurn = <Result>(work: (events: readonly NewBatchEvent[]) => Promise<Result>): Promise<Result> => {
    const turn = last
      .then(() => work((sending = [...waiting])))
      .finally(() => {
        sending = []
      })
    last = turn.then(
      () => undefined,
      () => undefined,
    )
    return turn
  }
  return {
    waiting,
    add: (event) => void waiting.add(event),
    flush: (send, { givesUp }) => inTurn((events) => flushAll(events, { send, waiting, givesUp })),
    flushTo: (store) =>
      inTurn(async (events) => {
        const copies = structuredClone(events)
        if (copies.length > 0) await store(copies)
        remove(waiting, events)
        return { count: events.length, isInDoubt: isInTransaction(copies) }
      }),
    clear: () => {
      const dropped = waiting.size - sending.filter((event) => waiting.has(event)).length
      waiting.clear()
      return dropped
    },
    settled: () => last,
  }
}

type Flush = { readonly send: Send; readonly waiting: Set<NewBatchEvent>; readonly givesUp: boolean }

async function flushAll(events: readonly NewBatchEvent[], { send, waiting, givesUp }: Flush): Promise<FlushOutcome> {
  if (events.length === 0) return { accepted: 0, results: [] }
  const results = await send(events).catch((cause: unknown) => {
    const error = toItemError(cause)
    if (givesUp) remove(waiting, events)
    throw new FlushError(
      0,
      events.map((event) => ({ event: structuredClone(event), error })),
      { cause, givesUp },
    )
  })
  if (results === null) {
    remove(waiting, events)
    return { accepted: 0, results: [] }
  }
  const failed: FailedEvent[] = []
  for (const [index, event] of events.entries()) {
    const result = results[index]
    if (result && 'status' in result) waiting.delete(event)
    else failed.push({ event: structuredClone(event), error: result?.error ?? noResult })
  }
  if (givesUp) remove(waiting, events)
  if (failed.length > 0) throw new FlushError(events.length - failed.length, failed, { givesUp })
  return { accepted: events.length, results }
}

function remove(waiting: Set<NewBatchEvent>, events: readonly NewBatchEvent[]): void {
  for (const event of events) waiting.delete(event)
}

const noResult = { error_code: 'no-result', message: 'the hub said nothing of this event' }

function toItemError(cause: unknown): FailedEvent['error'] {
  const message = cause instanceof Error ? cause.message : String(cause)
  return { error_code: cause instanceof ApiError ? (cause.errorCode ?? `http-${cause.status}`) : 'no-answer', message }
}
