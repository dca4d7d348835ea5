import { setTimeout as pause } from 'node:timers/promises'
import { HubError } from '@sluice/protocol'
import type { Rank, RateBudgets as Stored, RateLimit, RateNews } from '../../store/rate-budgets.ts'
import { createBlocks, type Blocks } from './blocks.ts'
import { createLine, type Line, type Waiter } from './line.ts'

/** Whose account, and who asks. */
export type Asking = {
  readonly workspaceId: number
  readonly connection: string
  /** what its integration says */
  readonly declared: RateLimit | undefined
  readonly rank: Rank
  /** users of one rank take turns */
  readonly user: string
}

type AskOptions = {
  /** leave that would take longer is not waited for */
  readonly withinMs: number
  readonly signal?: AbortSignal | undefined
}

/** Leave for requests that are made with an account, of which all nodes together have so many. */
export type RateBudgets = {
  /**
   * Waits for leave to make one request.
   *
   * @throws HubError `rate-limit-exceeded` with the seconds to wait, if that is longer than `withinMs`
   */
  readonly ask: (asking: Asking, options: AskOptions) => Promise<void>
  /** Leave that was not used. */
  readonly giveBack: (asking: Asking) => void
  readonly learn: (asking: Asking, news: RateNews) => Promise<void>
}

type Account = { readonly line: Line; readonly blocks: Blocks; isServed: boolean; wake: AbortController }

const maxAccounts = 10_000
/** Whoever waits asks the store again within this: something may have come free, or somebody more urgent have gone. */
const longestPauseMs = 1000

/**
 * The budgets of this node. Leave is taken from the store in blocks, which grow as long as they are used up, so that not each
 * request costs a commit. The most urgent go first, and users of the same urgency take turns.
 */
export function createRateBudgets(store: Stored, nowMs: () => number): RateBudgets {
  const accounts = new Map<string, Account>()
  const accountOf = ({ workspaceId, connection }: Asking): Account => {
    const place = `${workspaceId}/${connection}`
    const known = accounts.get(place)
    if (known) return known
    for (const [other, { isServed }] of accounts) {
      if (accounts.size < maxAccounts) break
      if (!isServed) accounts.delete(other)
    }
    const made = {
      line: createLine(),
      blocks: createBlocks(nowMs),
      isServed: false,
      wake: new AbortController(),
    }
    accounts.set(place, made)
    return made
  }
  return {
    ask: async (asking, given) => {
      const account = accountOf(asking)
      if (account.line.size() === 0 && account.blocks.use(asking.rank)) return
      const waiting = wait(account, asking, { ...given, nowMs: nowMs() })
      account.wake.abort()
      if (!account.isServed) void serve({ store, nowMs }, account)
      await waiting
    },
    giveBack: (asking) => {
      const { blocks, wake } = accountOf(asking)
      blocks.giveBack(asking.rank)
      wake.abort()
    },
    learn: async (asking, news) => {
      if (!accountOf(asking).blocks.isNews(news)) return
      await store.learn(asking.workspaceId, asking.connection, news)
    },
  }
}

type Wait = AskOptions & { readonly nowMs: number }

async function wait({ line }: Account, asking: Asking, { withinMs, signal, nowMs }: Wait): Promise<void> {
  signal?.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const { rank, user } = asking
  const waiter: Waiter = { rank, user, asking, untilMs: nowMs + withinMs, resolve, reject }
  const leave = (): void => {
    line.leave(waiter)
    reject(signal?.reason)
  }
  signal?.addEventListener('abort', leave, { once: true })
  line.join(waiter)
  try {
    await promise
  } finally {
    signal?.removeEventListener('abort', leave)
  }
}

type Clocked = { readonly store: Stored; readonly nowMs: () => number }

/** As long as somebody waits: the first in line is given leave, or everybody is told how long there is none. */
async function serve({ store, nowMs }: Clocked, account: Account): Promise<void> {
  const { line, blocks } = account
  account.isServed = true
  try {
    for (let first = line.first(); first; first = line.first()) {
      const { rank, workspaceId, connection, declared } = first.asking
      if (blocks.use(rank)) {
        line.serve(first)
        continue
      }
      // Before the store is asked: what comes meanwhile is not slept through.
      account.wake = new AbortController()
      const order = { want: blocks.toWant(line.size()), rank, declared }
      const { granted, waitMs, limit } = await store.take(workspaceId, connection, order)
      if (granted > 0) {
        blocks.add(rank, granted, limit)
        continue
      }
      if (blocks.has(rank)) continue
      const endMs = nowMs() + waitMs
      line.refuse((waiter) => (waiter.rank >= rank && endMs > waiter.untilMs ? toRefusal(waiter, waitMs) : undefined))
      if (line.size() === 0) return
      await pause(Math.min(waitMs, longestPauseMs), undefined, { signal: account.wake.signal }).catch(() => undefined)
    }
  } catch (error) {
    line.refuse(() => error)
  } finally {
    account.isServed = false
  }
}

function toRefusal({ asking }: Waiter, waitMs: number): HubError {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000))
  return new HubError(
    'rate-limit-exceeded',
    `connection "${asking.connection}" has used up what its service allows; there is more in ${seconds} s`,
    { retryAfterSeconds: seconds },
  )
}
