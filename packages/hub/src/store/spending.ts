/** Runs of actions, what they have cost, and what they may cost. Money is in millionths of a dollar, days are those since 1970 in UTC. */
export type Spending = {
  /** Keeps a run in the history and adds up its cost, in one commit. Runs of longer ago than `runsMs` are let go. */
  noteRun(workspaceId: number, run: NewRun): Promise<void>
  /** Newest first, below row id `before`. */
  listRuns(workspaceId: number, page: { before: number; limit: number; match: RunMatch }): Promise<RunRow[]>
  /** By name of the group, after `after`; null begins. */
  listCosts(
    workspaceId: number,
    page: CostSpan & { groupBy: CostGroup; after: string | null; limit: number },
  ): Promise<CostRow[]>
  sumCosts(workspaceId: number, span: CostSpan): Promise<number>

  putBudget(workspaceId: number, budget: NewBudget): Promise<boolean>
  findBudget(workspaceId: number, key: string): Promise<BudgetRow | undefined>
  listBudgets(workspaceId: number, page: { after: string; limit: number }): Promise<BudgetRow[]>
  removeBudget(workspaceId: number, key: string): Promise<boolean>
  /** Keeps in mind that it was told of the period which began on that day; putting the budget anew forgets it. */
  markTold(workspaceId: number, key: string, told: { kind: 'near' | 'exceeded'; fromDay: number }): Promise<void>
}

/** Runs are listed for so long. */
export const runsMs = 7 * 86_400_000
export const dayMs = 86_400_000

/** Each member that is given must be equal. */
export type CostMatch = {
  readonly integration?: string | undefined
  readonly action?: string | undefined
  readonly connection?: string | undefined
  readonly userId?: string | undefined
}
type RunMatch = CostMatch & { readonly type?: string | undefined }

/** Both days are in it. */
export type CostSpan = { readonly fromDay: number; readonly toDay: number; readonly match: CostMatch }
export type CostGroup = 'integration' | 'action' | 'connection' | 'user' | 'day'

export type NewRun = {
  readonly atMs: number
  readonly ms: number
  readonly integration: string
  readonly action: string
  readonly connection: string | null
  readonly userId: string
  readonly keyId: string | null
  readonly door: string
  readonly type: string
  /** null: not known */
  readonly microUsd: number | null
}

export type RunRow = NewRun & { readonly id: number }

export type CostRow = {
  /** of the group; empty for runs without a connection, `integration.action` for an action */
  readonly name: string
  readonly runs: number
  /** runs whose cost is not known */
  readonly unpriced: number
  readonly microUsd: number
}

export type NewBudget = { readonly key: string; readonly settings: string }

export type BudgetRow = NewBudget & {
  /** first day of the period of which it was told, or null */
  readonly nearFrom: number | null
  readonly exceededFrom: number | null
  readonly createdMs: number
  readonly updatedMs: number
}
