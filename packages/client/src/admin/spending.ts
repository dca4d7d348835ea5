import type { Budget, CostGroup, PutBudget } from '@sluice/protocol'
import type { Request, RequestOptions } from '../request.ts'
import type { BudgetPage, CostPage, PageQuery, RunPage } from './page.ts'

type Match = {
  readonly integration?: string | undefined
  /** its name, without the integration */
  readonly action?: string | undefined
  readonly connection?: string | undefined
  /** user_id of the key */
  readonly user?: string | undefined
}

export type RunsQuery = PageQuery & Match & { readonly type?: string | undefined }

export type CostsQuery = PageQuery &
  Match & {
    /** first day, as 2026-11-01; default the first of the month of `to` */
    readonly from?: string | undefined
    /** last day; default today */
    readonly to?: string | undefined
    /** default `integration` */
    readonly group_by?: CostGroup | undefined
  }

export function createSpendingRoutes(request: Request) {
  const budget = (key: string): string => `/v1/budgets/${encodeURIComponent(key)}`
  return {
    listRuns: (query: RunsQuery = {}, options?: RequestOptions): Promise<RunPage> =>
      request({ method: 'GET', path: '/v1/runs', query, repeatable: true }, options),
    listCosts: (query: CostsQuery = {}, options?: RequestOptions): Promise<CostPage> =>
      request({ method: 'GET', path: '/v1/costs', query, repeatable: true }, options),
    listBudgets: (query: PageQuery = {}, options?: RequestOptions): Promise<BudgetPage> =>
      request({ method: 'GET', path: '/v1/budgets', query, repeatable: true }, options),
    putBudget: (key: string, body: PutBudget, options?: RequestOptions): Promise<Budget> =>
      request({ method: 'PUT', path: budget(key), body, repeatable: true }, options),
    getBudget: (key: string, options?: RequestOptions): Promise<Budget> =>
      request({ method: 'GET', path: budget(key), repeatable: true }, options),
    deleteBudget: (key: string, options?: RequestOptions): Promise<void> =>
      request({ method: 'DELETE', path: budget(key), repeatable: false, answer: 'none' }, options),
  }
}
