import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { pinMainThread, serverCore } from '../pin.ts'

/** A reference in a process of its own, its main thread pinned to the server's core like the hub's. */
export type Reference<Order, Answer> = {
  /** what it said when it was ready */
  readonly ready: Answer
  readonly ask: (order: Order) => Promise<Answer>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

export async function openReference<Order extends object, Answer>(
  script: 'bare-insert.ts' | 'bare-lease.ts' | 'fastify-route.ts' | 'receiver.ts',
  args: readonly string[] = [],
): Promise<Reference<Order, Answer>> {
  const child = fork(new URL(script, import.meta.url), args, { execArgv: [] })
  const ready = await next<Answer>(child)
  if (child.pid !== undefined) pinMainThread(child.pid, serverCore)
  return {
    ready,
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
