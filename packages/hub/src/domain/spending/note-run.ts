import { HubError, type RunDoor } from '@sluice/protocol'
import type { RunOutcome } from '../../runner/runner.ts'
import type { Context, Workspace } from '../context.ts'
import { publishOwnEvent } from '../own-events.ts'
import { toIso } from '../to-wire.ts'
import { countsFor, maxBudgets, readStanding, type RunSubject, type Standing } from './budgets.ts'
import { toMicroUsd, toUsd } from './micro-usd.ts'

async function findStandings(context: Context, workspace: Workspace, run: RunSubject): Promise<Standing[]> {
  const rows = await context.store.spending.listBudgets(workspace.id, { after: '', limit: maxBudgets })
  const matching = rows.filter(({ settings }) => countsFor(JSON.parse(settings), run))
  return Promise.all(matching.map((row) => readStanding(context, workspace, row)))
}

/**
 * Lets a run begin. Runs that are under way are not counted before they end: those that begin at the same time may go beyond a
 * budget by what they cost together.
 *
 * @throws HubError `budget-exceeded`, naming the budget and when it opens again
 */
export async function requireBudgets(context: Context, workspace: Workspace, run: RunSubject): Promise<void> {
  const standings = await findStandings(context, workspace, run)
  const used = standings.find(({ settings, state }) => settings.on_exceeded === 'refuse' && state === 'exceeded')
  if (!used) return
  const { key, settings, spent, period } = used
  // It may be raised before its period is over.
  const retryAfterSeconds = Math.min(3600, Math.ceil((period.endMs - context.store.nowMs()) / 1000))
  throw new HubError(
    'budget-exceeded',
    `budget "${key}" is used up: ${toUsd(spent)} of ${settings.limit_usd} USD a ${settings.period}; it opens again at ${toIso(period.endMs)}`,
    { details: { budget: key, opens_at: toIso(period.endMs) }, retryAfterSeconds },
  )
}

export type DoneRun = RunSubject & {
  readonly keyId: string | null
  readonly door: RunDoor
  readonly startedMs: number
}

/** Writes down what a run was and what it cost, and tells of budgets that are near their end, or beyond it. */
export async function noteRun(
  context: Context,
  workspace: Workspace,
  run: DoneRun,
  { result, ms }: RunOutcome,
): Promise<void> {
  const { integration, action, connection, userId, keyId, door, startedMs } = run
  const { type, microUsd } = toCost(result)
  const row = { integration, action, connection, userId, keyId, door, atMs: startedMs, ms, type, microUsd }
  try {
    await context.store.spending.noteRun(workspace.id, row)
    if (!microUsd) return
    for (const standing of await findStandings(context, workspace, run))
      if (standing.state !== 'open') await tell(context, workspace, standing)
  } catch {
    // The run has taken place: who waits for it must not run it again because it could not be noted.
    context.counts.unnotedRuns += 1
  }
}

function toCost(result: RunOutcome['result']): { type: string; microUsd: number | null } {
  if (!('type' in result)) return { type: result.reason, microUsd: null }
  return { type: result.type, microUsd: 'cost_usd' in result.result ? toMicroUsd(result.result.cost_usd) : null }
}

/**
 * Once in a period of a budget, also when nodes find it out together. A limit that was reached at once was near, too, and
 * the event of the one tells both.
 */
async function tell(context: Context, workspace: Workspace, { row, settings, period, spent, state }: Standing) {
  const kind = state === 'exceeded' ? 'exceeded' : 'near'
  const { fromDay, endMs } = period
  if ((kind === 'near' ? row.nearFrom : row.exceededFrom) === fromDay) return
  const eventType = `sluice.budget.${kind}` as const
  const { match, limit_usd, period: span, on_exceeded } = settings
  const payload = {
    budget: row.key,
    match,
    limit_usd,
    spent_usd: toUsd(spent),
    period: span,
    on_exceeded,
    opens_at: toIso(endMs),
  }
  const once = `${row.key}\0${row.updatedMs}\0${fromDay}`
  await publishOwnEvent(context.store, workspace.id, { eventType, subject: row.key, payload, once })
  await context.store.spending.markTold(workspace.id, row.key, { kind, fromDay })
}
