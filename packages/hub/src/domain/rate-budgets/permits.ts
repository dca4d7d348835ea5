import type { Installed } from '../../runner/installed.ts'
import type { RunOptions, RunOrder, RunOutcome } from '../../runner/runner.ts'
import type { Rank } from '../../store/rate-budgets.ts'
import type { Context } from '../context.ts'
import type { Asking } from './rate-budgets.ts'

type OrderOfAccount = RunOrder & { readonly rank: Rank; readonly user: string }

type Options = Omit<RunOptions, 'permits'> & {
  readonly installed: Installed
  /** undefined: nobody's limits are touched */
  readonly connection: string | undefined
}

/**
 * Runs an order whose requests with the account are each given leave. That for the first is waited for before the run takes a
 * process from others; if it is not used, others have it.
 *
 * @throws HubError `rate-limit-exceeded`, if that would take longer than the run may: nothing was run
 */
export async function runWithLeave(
  { runner, rateBudgets }: Context,
  order: OrderOfAccount,
  { installed, connection, ...options }: Options,
): Promise<RunOutcome> {
  if (connection === undefined) return runner.run(order, options)
  const { workspaceId, rank, user, deadlineMs } = order
  const { rate_limit: limit } = installed.config
  const declared = limit && { requests: limit.requests, perMs: limit.per_seconds * 1000 }
  const asking: Asking = { workspaceId, connection, declared, rank, user }
  await rateBudgets.ask(asking, { withinMs: deadlineMs, signal: options.signal })
  let isInHand = true
  const ask: NonNullable<RunOptions['permits']>['ask'] = async (given) => {
    if (!isInHand) return rateBudgets.ask(asking, given)
    isInHand = false
  }
  try {
    return await runner.run(order, {
      ...options,
      permits: { ask, learn: (limits) => rateBudgets.learn(asking, limits) },
    })
  } finally {
    if (isInHand) rateBudgets.giveBack(asking)
  }
}
