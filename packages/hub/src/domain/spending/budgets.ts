import { HubError, type Budget, type PutBudget } from '@sluice/protocol'
import type { BudgetRow, CostMatch } from '../../store/spending.ts'
import { noteDeed } from '../audit.ts'
import type { Principal } from '../authenticate.ts'
import type { Context, Workspace } from '../context.ts'
import { openKey } from '../cursors.ts'
import { toPage, type Page, type PageRequest } from '../page.ts'
import { toIso } from '../to-wire.ts'
import { toLimit, toUsd, type MicroUsd } from './micro-usd.ts'
import { toPeriod, type Period } from './period.ts'
import { requireSlug } from '../require-slug.ts'

/** As they stand in the store: defaults are filled in. */
export type BudgetSettings = Pick<Budget, 'match' | 'limit_usd' | 'period' | 'on_exceeded'>

/** Near its end is a budget from here on. */
const nearShare = 0.8

/** Makes a budget, or changes it. @throws HubError `validation-error` */
export async function putBudget(
  context: Context,
  principal: Principal,
  { key, wanted }: { readonly key: string; readonly wanted: PutBudget },
): Promise<{ budget: Budget; created: boolean }> {
  const { store } = context
  const { workspace } = principal
  requireSlug(key, 'key')
  const settings: BudgetSettings = { ...wanted, match: wanted.match ?? {} }
  const text = JSON.stringify(settings)
  const before = await store.spending.findBudget(workspace.id, key)
  if (before?.settings === text) return { budget: await toWire(context, workspace, before), created: false }
  if (!before) await refuseOneMore(context, workspace)
  const created = await store.spending.putBudget(workspace.id, { key, settings: text })
  await noteDeed(context, principal, {
    verb: created ? 'budget.create' : 'budget.change',
    target: key,
    details: settings,
  })
  return { budget: await showBudget(context, workspace, key), created }
}

/** Budgets of a workspace: each run looks at all of them. */
export const maxBudgets = 1000

async function refuseOneMore({ store }: Context, workspace: Workspace): Promise<void> {
  const known = await store.spending.listBudgets(workspace.id, { after: '', limit: maxBudgets })
  if (known.length >= maxBudgets)
    throw new HubError('conflict', `a workspace may have ${maxBudgets} budgets; remove one first`)
}

/** @throws HubError `not-found` */
export async function showBudget(context: Context, workspace: Workspace, key: string): Promise<Budget> {
  return toWire(context, workspace, await requireBudget(context, workspace, key))
}

async function requireBudget({ store }: Context, workspace: Workspace, key: string): Promise<BudgetRow> {
  const found = await store.spending.findBudget(workspace.id, key.slice(0, 256))
  if (!found)
    throw new HubError('not-found', `budget "${key.slice(0, 100)}" does not exist; PUT /v1/budgets/{key} makes it`)
  return found
}

/** By key. */
export async function listBudgets(
  context: Context,
  workspace: Workspace,
  { limit, cursor }: PageRequest,
): Promise<Page> {
  const { store, cursors } = context
  const scope = `${workspace.id}/budgets`
  const page = { after: openKey(cursors, scope, cursor), limit: limit + 1 }
  const found = await store.spending.listBudgets(workspace.id, page)
  const rows = await Promise.all(found.map((row) => toWire(context, workspace, row)))
  return toPage({ cursors, scope, limit, rows, placeOf: ({ key }) => key, print: (row) => JSON.stringify(row) })
}

/** @throws HubError `not-found` */
export async function removeBudget(context: Context, principal: Principal, key: string): Promise<void> {
  await requireBudget(context, principal.workspace, key)
  await context.store.spending.removeBudget(principal.workspace.id, key)
  await noteDeed(context, principal, { verb: 'budget.remove', target: key })
}

/** What a budget counts, in its period of now. */
export type Standing = {
  readonly key: string
  readonly row: BudgetRow
  readonly settings: BudgetSettings
  readonly period: Period
  readonly spent: MicroUsd
  readonly state: Budget['state']
}

export async function readStanding({ store }: Context, workspace: Workspace, row: BudgetRow): Promise<Standing> {
  const settings = JSON.parse(row.settings) as BudgetSettings // written by this file
  const period = toPeriod(settings.period, store.nowMs())
  const spent = await store.spending.sumCosts(workspace.id, { ...period, match: toMatch(settings.match) })
  const limit = toLimit(settings.limit_usd)
  const state = spent >= limit ? 'exceeded' : spent >= limit * nearShare ? 'near' : 'open'
  return { key: row.key, row, settings, period, spent, state }
}

/** What a run is counted by. */
export type RunSubject = {
  readonly integration: string
  readonly action: string
  readonly connection: string | null
  readonly userId: string
}

export function countsFor({ match }: BudgetSettings, run: RunSubject): boolean {
  return (
    (match.integration ?? run.integration) === run.integration &&
    (match.action ?? `${run.integration}.${run.action}`) === `${run.integration}.${run.action}` &&
    (match.connection ?? run.connection) === run.connection &&
    (match.user ?? run.userId) === run.userId
  )
}

/** An action is named with its integration, whose name may hold a dot; names of actions hold none. */
function toMatch({ integration, action, connection, user }: BudgetSettings['match']): CostMatch {
  if (action === undefined) return { integration, connection, userId: user }
  const dot = action.lastIndexOf('.')
  const [ofAction, name] = [action.slice(0, Math.max(dot, 0)), action.slice(dot + 1)]
  // Both are said, and differ: no run is of two integrations.
  const isNone = integration !== undefined && integration !== ofAction
  return { integration: isNone ? '' : ofAction, action: name, connection, userId: user }
}

async function toWire(context: Context, workspace: Workspace, row: BudgetRow): Promise<Budget> {
  const { settings, period, spent, state } = await readStanding(context, workspace, row)
  return {
    key: row.key,
    ...settings,
    spent_usd: toUsd(spent),
    state,
    opens_at: toIso(period.endMs),
    created_at: toIso(row.createdMs),
    updated_at: toIso(row.updatedMs),
  }
}
