import { freshRate, learnLimits, takeRequests, type RateBudgets, type RateState } from '../rate-budgets.ts'
import type { Parts } from './store-parts.ts'
import type { Transaction } from './transactions.ts'

/** One row for an account; nodes take turns at it. */
export function createRateBudgets({ transactions, nowMs }: Parts): RateBudgets {
  type Change<Result> = (state: RateState) => { readonly state: RateState; readonly result: Result }
  const change = <Result>(workspaceId: number, connection: string, decide: Change<Result>): Promise<Result> =>
    transactions.run(`rate/${workspaceId}/${connection}`, async (transaction) => {
      const before = await read(transaction, workspaceId, connection)
      const { state, result } = decide(before)
      if (state === before) return result
      transaction.write(
        `insert into rate_budget (workspace_id, connection, state) select workspace_id, $2, $3 from log where workspace_id = $1
         on conflict (workspace_id, connection) do update set state = excluded.state`,
        [workspaceId, connection, JSON.stringify(state)],
      )
      return result
    })
  return {
    take: (workspaceId, connection, order) =>
      change(workspaceId, connection, (before) => {
        const { state, taken } = takeRequests(before, order, nowMs())
        return { state, result: taken }
      }),
    learn: (workspaceId, connection, news) =>
      change(workspaceId, connection, (before) => ({ state: learnLimits(before, news, nowMs()), result: undefined })),
  }
}

async function read({ query }: Transaction, workspaceId: number, connection: string): Promise<RateState> {
  const [found] = await query<{ state: string }>(
    `select state from rate_budget where workspace_id = $1 and connection = $2`,
    [workspaceId, connection],
  )
  return found ? (JSON.parse(found.state) as RateState) : freshRate // written above
}
