import { setTimeout as delay } from 'node:timers/promises'
import { Agent, type Dispatcher } from 'undici'
import type { UpdateContext } from './define.ts'
import type { SourceRow } from './nested.ts'
import type { Operations, TableRows } from './operations.ts'
import type { RunOptions } from './run.ts'

/**
 * What goes wrong, at each nth request or row. Requests: `rate-limit` is answered 429, `error` 503, `unauthorized` 401, and a
 * `cut` has no answer. Rows: `repeat` comes twice, `late` after the rows that follow it, `drift` has a column more.
 */
export type Chaos = {
  readonly kind: 'rate-limit' | 'error' | 'cut' | 'unauthorized' | 'repeat' | 'late' | 'drift'
  readonly every: number
}

/** So much shorter are the waits of requests. */
const hurry = 100

/** A run to which things happen, that it must be able to bear. Its waits are a hundredth as long. */
export function withChaos(run: RunOptions, chaos: readonly Chaos[]): RunOptions {
  if (chaos.length === 0) return run
  const sleep = async (ms: number, signal: AbortSignal | undefined): Promise<void> =>
    delay(ms / hurry, undefined, { signal })
  const { update } = run.connector as unknown as { readonly update: (context: Context) => Promise<void> } // of any types
  const connector = {
    ...run.connector,
    update: (context: Context) => update({ ...context, op: troubled(context.op, chaos) }),
  }
  return { ...run, sleep, connector, dispatcher: failing(run.dispatcher ?? new Agent(), chaos) }
}

type Context = UpdateContext<unknown, SourceRow, TableRows>

const answers = { 'rate-limit': 429, error: 503, unauthorized: 401 } as const

function failing(dispatcher: Dispatcher, chaos: readonly Chaos[]): Dispatcher {
  let count = 0
  return dispatcher.compose((dispatch) => (options, handler) => {
    count += 1
    const found = chaos.find(({ kind, every }) => (kind in answers || kind === 'cut') && count % every === 0)
    if (!found) return dispatch(options, handler)
    queueMicrotask(() => answer(found, handler))
    return true
  })
}

function answer({ kind }: Chaos, handler: Dispatcher.DispatchHandler): void {
  handler.onRequestStart?.(idle, {})
  if (!(kind in answers)) {
    const error = Object.assign(new Error('the connection was cut by --chaos'), { code: 'ECONNRESET' })
    return handler.onResponseError?.(idle, error)
  }
  handler.onResponseStart?.(idle, answers[kind as keyof typeof answers], { 'retry-after': '1' })
  handler.onResponseEnd?.(idle, {})
}

const idle: Dispatcher.DispatchController = {
  aborted: false,
  paused: false,
  reason: null,
  abort: () => {},
  pause: () => {},
  resume: () => {},
}

function troubled(op: Operations, chaos: readonly Chaos[]): Operations {
  let count = 0
  const held: { table: string; row: SourceRow }[] = []
  const isTurn = (kind: Chaos['kind']): boolean => chaos.some((one) => one.kind === kind && count % one.every === 0)
  const release = async (): Promise<void> => {
    for (const { table, row } of held.splice(0)) await op.upsert(table, row)
  }
  return {
    ...op,
    upsert: async (table, row) => {
      count += 1
      if (isTurn('late')) return void held.push({ table, row })
      await op.upsert(table, isTurn('drift') ? { ...row, chaos_drift: count } : row)
      if (isTurn('repeat')) await op.upsert(table, row)
    },
    checkpoint: async (state) => {
      await release()
      await op.checkpoint(state)
    },
  }
}
