import { z } from 'zod'
import { shortText } from '../event.ts'
import { list, ok, page, type Route } from '../route.ts'
import { Budget, Cost, CostGroup, PutBudget, Run } from '../spending.ts'

/** Which runs; each that is given must be equal. */
const match = {
  integration: shortText(100).optional(),
  action: shortText(100).optional().describe('its name, without the integration'),
  connection: shortText(100).optional(),
  user: shortText().optional().describe('user_id of the key'),
}

/** Runs of actions, what they cost, and what they may cost. */
export const spendingRoutes = {
  listRuns: {
    method: 'GET',
    path: '/v1/runs',
    summary: 'Runs of actions, newest first; kept for 7 days',
    access: 'read',
    query: page.extend({ ...match, type: shortText(40).optional() }),
    answers: ok('a page', list('runs', Run)),
  },
  listCosts: {
    method: 'GET',
    path: '/v1/costs',
    summary: 'What runs have cost, added up',
    access: 'read',
    query: page.extend({
      ...match,
      from: z.iso.date().optional().describe('first day, in UTC; default the first of the month of `to`'),
      to: z.iso.date().optional().describe('last day; default today'),
      group_by: CostGroup.default('integration') as unknown as z.ZodType<CostGroup>,
    }),
    answers: ok('a page, by name', list('costs', Cost)),
  },
  listBudgets: {
    method: 'GET',
    path: '/v1/budgets',
    summary: 'Budgets, with what is spent of them',
    access: 'read',
    query: page,
    answers: ok('a page', list('budgets', Budget)),
  },
  putBudget: {
    method: 'PUT',
    path: '/v1/budgets/{key}',
    summary: 'Say what runs may cost in a day or a month',
    access: 'admin',
    body: PutBudget,
    answers: {
      200: { description: 'was there, changed if it differed', schema: Budget },
      201: { description: 'made', schema: Budget },
    },
  },
  getBudget: {
    method: 'GET',
    path: '/v1/budgets/{key}',
    summary: 'One budget',
    access: 'read',
    answers: ok('the budget', Budget),
  },
  deleteBudget: {
    method: 'DELETE',
    path: '/v1/budgets/{key}',
    summary: 'Remove a budget',
    access: 'admin',
    answers: { 204: { description: 'removed' } },
  },
} as const satisfies Record<string, Route>
