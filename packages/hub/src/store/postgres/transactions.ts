import { HubError } from '@sluice/protocol/error'
import {
  beginText,
  isLost,
  toStoreError,
  type Client,
  type Connection,
  type Connections,
  type Value,
} from './connections.ts'
import { early } from './asked-ahead.ts'
import { findMark } from './in-doubt.ts'
import type { Locks } from './locks.ts'

/** Reads answer; writes are sent without waiting, and a fault of one is a fault of the commit. */
export type Transaction = Connection & {
  readonly write: (text: string, values?: readonly Value[]) => void
}

export type Transactions = {
  /**
   * Runs work in a transaction that has the slot for itself, on this node in the order asked for, on all nodes by a lock. The lock is an advisory one, taken in a statement
   * of its own, so that what the work reads is what the holder before has committed. Work that is rejected changes nothing.
   *
   * If the connection breaks while the commit is under way, waits until it is known whether it happened.
   *
   * @throws HubError `storage-unavailable`: nothing has changed
   */
  readonly run: <Result>(slot: string, work: (transaction: Transaction) => Promise<Result>) => Promise<Result>
  /** It is being found out what became of the last commit of the slot: for as long as the database is away. */
  readonly isInDoubt: (slot: string) => boolean
  readonly commits: () => number
  /** Gives up waiting for what cannot be known. */
  readonly close: () => void
}

type Options = {
  readonly connections: Connections
  readonly pooled: boolean
  readonly locks: Locks
  /** of this process */
  readonly node: string
  readonly nowMs: () => number
}

export function createTransactions({ connections, pooled, locks, node, nowMs }: Options): Transactions {
  const begin = beginText(pooled)
  let last = 0
  let commits = 0
  const closed = new AbortController()
  const ends = new Map<string, Promise<void>>()
  const inDoubt = new Set<string>()

  const runNow = async <Result>(slot: string, work: (transaction: Transaction) => Promise<Result>): Promise<Result> => {
    const number = (last += 1)
    const outcome = await connections
      .use((client) => attempt(client, { begin, locks, slot, mark: [node, slot, number], nowMs, work }))
      .catch(async (error: unknown) => {
        if (error instanceof InDoubt) return error
        if (isTimeout(error)) await connections.query(locks.free, [...locks.key(slot)]).catch(() => {})
        throw error
      })
    if (outcome instanceof InDoubt) {
      inDoubt.add(slot)
      try {
        if ((await findMark({ connections, begin, locks, node }, slot, closed.signal)) !== number)
          throw toStoreError(outcome.cause)
      } finally {
        inDoubt.delete(slot)
      }
      commits += 1
      return outcome.result as Result // of the work that ran
    }
    if (outcome.wrote) commits += 1
    return outcome.result
  }

  return {
    // One after the other: a mark is that of the last transaction, and whoever waits here takes no connection.
    run: (slot, work) => {
      if (inDoubt.has(slot)) return Promise.reject(toStoreError(new Error('a commit is in doubt')))
      const before = ends.get(slot) ?? Promise.resolve()
      const result = before.then(() => runNow(slot, work))
      const end = result.then(
        () => {},
        () => {},
      )
      ends.set(slot, end)
      void end.then(() => ends.get(slot) === end && ends.delete(slot))
      return result
    },
    isInDoubt: (slot) => inDoubt.has(slot),
    commits: () => commits,
    close: () => closed.abort(),
  }
}

/** A statement took too long: here most likely the one that waits for the lock. */
function isTimeout(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === '57014'
}

/** The connection broke after the commit was sent and before it was answered. */
class InDoubt extends HubError {
  readonly result: unknown

  constructor(result: unknown, cause: unknown) {
    super('storage-unavailable', 'the connection broke during a commit', { cause })
    this.result = result
  }
}

type Attempt<Result> = {
  readonly begin: string
  readonly locks: Locks
  readonly slot: string
  readonly mark: readonly [node: string, slot: string, number: number]
  readonly nowMs: () => number
  readonly work: (transaction: Transaction) => Promise<Result>
}

async function attempt<Result>(
  client: Client,
  { begin, locks, slot, mark, nowMs, work }: Attempt<Result>,
): Promise<{ result: Result; wrote: boolean }> {
  const begun = Promise.all([client.command(begin), client.query(locks.take, [...locks.key(slot)])])
  const writes: Promise<unknown>[] = []
  // Nothing is written before the lock is known to be held: what is sent in vain can only be reads.
  const waiting: (() => Promise<unknown>)[] = []
  let isHeld = false
  const send = (write: () => Promise<unknown>): void => {
    if (!isHeld) return void waiting.push(write)
    writes.push(early(write()))
  }
  const release = early(
    begun.then(() => {
      isHeld = true
      for (const write of waiting.splice(0)) send(write)
    }),
  )
  const transaction: Transaction = {
    query: (text, values) => client.query(text, values),
    write: (text, values) => send(() => client.query(text, values)),
  }
  let result: Result
  try {
    result = await work(transaction)
    await release
  } catch (error) {
    // A transaction that has failed at its start refuses what was sent behind it, which says nothing of the reason.
    let reason = error
    await begun.catch((first: unknown) => (reason = first))
    if (!isLost(reason) && client.isAlive()) await client.command('rollback').catch(() => {})
    throw reason
  }
  if (writes.length === 0) {
    await client.command('commit')
    return { result, wrote: false }
  }
  send(() => note(client, mark, nowMs()))
  const { command, error, faults } = await commit(client, writes)
  if (command === 'COMMIT' && faults.length === 0) return { result, wrote: true }
  if (error !== undefined && isLost(error)) throw new InDoubt(result, error)
  throw faults[0] ?? error ?? new Error('the transaction was rolled back')
}

/** The mark of a transaction, by which it can be found out whether it was committed. */
function note(
  client: Client,
  mark: readonly [node: string, slot: string, number: number],
  nowMs: number,
): Promise<unknown> {
  return client.query(
    `insert into commit_mark (node, slot, number, at_ms) values ($1, $2, $3, $4)
     on conflict (node, slot) do update set number = excluded.number, at_ms = excluded.at_ms`,
    [...mark, nowMs],
  )
}

type Ended = { readonly command?: string; readonly error?: unknown; readonly faults: readonly unknown[] }

/** Sent behind the writes without waiting for them: if one of them fails, the server rolls back and says so. */
async function commit(client: Client, writes: readonly Promise<unknown>[]): Promise<Ended> {
  const ending = early(client.command('commit'))
  const faults = (await Promise.allSettled(writes)).flatMap((sent) => (sent.status === 'rejected' ? [sent.reason] : []))
  try {
    return { command: await ending, faults }
  } catch (error) {
    return { error, faults }
  }
}
