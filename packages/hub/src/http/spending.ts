import type { Context } from '../domain/context.ts'
import { listBudgets, putBudget, removeBudget, showBudget } from '../domain/spending/budgets.ts'
import { listCosts, listRuns } from '../domain/spending/list-spending.ts'
import type { Handlers } from './call.ts'
import { json, noContent } from './exchange.ts'
import { pageResponse } from './page.ts'

type SpendingRoute = 'listRuns' | 'listCosts' | 'listBudgets' | 'putBudget' | 'getBudget' | 'deleteBudget'

export function spendingHandlers(context: Context): Pick<Handlers, SpendingRoute> {
  return {
    listRuns: async ({ principal, query }) => pageResponse('runs', await listRuns(context, principal.workspace, query)),
    listCosts: async ({ principal, query }) =>
      pageResponse('costs', await listCosts(context, principal.workspace, query)),
    listBudgets: async ({ principal, query }) =>
      pageResponse('budgets', await listBudgets(context, principal.workspace, query)),
    putBudget: async ({ principal, params, body }) => {
      const { budget, created } = await putBudget(context, principal, { key: params.key, wanted: body })
      return json(created ? 201 : 200, budget)
    },
    getBudget: async ({ principal, params }) => json(200, await showBudget(context, principal.workspace, params.key)),
    deleteBudget: async ({ principal, params }) => {
      await removeBudget(context, principal, params.key)
      return noContent()
    },
  }
}
