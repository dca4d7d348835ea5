import { setTimeout as pause } from 'node:timers/promises'
import type { Connections } from './connections.ts'
import type { Locks } from './locks.ts'

/** Between two attempts to find out about a commit, growing. */
const firstPauseMs = 50
const maxPauseMs = 1000

type Doubt = {
  readonly connections: Connections
  readonly locks: Locks
  readonly node: string
  readonly begin: string
}

/** The number of the last transaction of a slot that this node has committed, once that is certain. */
export async function findMark(
  { connections, begin, locks, node }: Doubt,
  slot: string,
  closed: AbortSignal,
): Promise<number> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(maxPauseMs, pauseMs * 2)) {
    try {
      return await connections.use(async (client) => {
        // Whoever holds the lock may be the transaction in question: once the lock is ours, it has ended.
        const [, , marks] = await Promise.all([
          client.command(begin),
          client.query(locks.take, [...locks.key(slot)]),
          client.query<{ number: number }>(`select number from commit_mark where node = $1 and slot = $2`, [
            node,
            slot,
          ]),
          client.command('rollback'),
        ])
        return marks[0]?.number ?? 0
      })
    } catch (error) {
      if (closed.aborted) throw new Error('it is not known whether a commit took place', { cause: error })
      await pause(pauseMs, undefined, { signal: closed }).catch(() => {})
    }
  }
}
