import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { measureCpu, type LoadRun } from '../cpu.ts'
import { measureBoth, type PostgresRun } from '../postgres.ts'
import { pinMainThread, serverCore } from '../pin.ts'

/** A reference in a process of its own, its main thread pinned to the server's core like the hub's. */
export type Reference<Order, Answer> = {
  /** what it said when it was ready */
  readonly ready: Answer
  readonly pid: number
  readonly ask: (order: Order) => Promise<Answer>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

type Script =
  | 'bare-insert.ts'
  | 'bare-lease.ts'
  | 'bare-postgres-batch.ts'
  | 'bare-postgres-lease.ts'
  | 'bare-postgres-single.ts'
  | 'fastify-route.ts'
  | 'receiver.ts'

export async function openReference<Order extends object, Answer>(
  script: Script,
  args: readonly string[] = [],
): Promise<Reference<Order, Answer>> {
  const child = fork(new URL(script, import.meta.url), args, { execArgv: [] })
  const ready = await next<Answer>(child)
  const { pid } = child
  if (pid === undefined) throw new Error(`${script} did not start`)
  pinMainThread(pid, serverCore)
  return {
    ready,
    pid,
    ask: (order) => {
      child.send(order)
      return next<Answer>(child)
    },
    [Symbol.asyncDispose]: async () => {
      const exit = once(child, 'exit')
      child.disconnect()
      await exit
    },
  }
}

/** What the references without HTTP are asked and say. */
export type BareReference = Reference<{ readonly seconds: number }, { readonly rows: number; readonly seconds: number }>

export async function runBare(reference: BareReference, seconds: number): Promise<LoadRun> {
  const { answer, cpu } = await measureCpu(reference.pid, () => reference.ask({ seconds }))
  return { rate: answer.rows / answer.seconds, count: answer.rows, cpu }
}

/** The same for a reference that works on Postgres. */
export async function runBareOn(
  server: Parameters<typeof measureBoth>[0],
  reference: BareReference,
  seconds: number,
): Promise<PostgresRun> {
  const { answer, ...costs } = await measureBoth(server, [reference.pid], () => reference.ask({ seconds }))
  return { ...costs, rate: answer.rows / answer.seconds, count: answer.rows }
}

async function next<Answer>(child: ChildProcess): Promise<Answer> {
  const ended = new AbortController()
  const failed = once(child, 'exit', { signal: ended.signal }).then(([code]) => {
    throw new Error(`a reference process ended with ${String(code)}`)
  })
  failed.catch(() => {})
  try {
    const [answer] = await Promise.race([once(child, 'message'), failed])
    return answer as Answer // what that script sends
  } finally {
    ended.abort()
  }
}
