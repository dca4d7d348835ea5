import { toValidationError, type Cost, type CostGroup, type Run } from '@sluice/protocol'
import { dayMs, type CostMatch, type CostRow, type CostSpan, type RunRow } from '../../store/spending.ts'
import type { Context, Workspace } from '../context.ts'
import { openKey, openPosition } from '../cursors.ts'
import { toPage, type Page, type PageRequest } from '../page.ts'
import { toIso } from '../to-wire.ts'
import { toUsd } from './micro-usd.ts'
import { toDate, toDay, toPeriod } from './period.ts'

type Match = {
  readonly integration?: string | undefined
  readonly action?: string | undefined
  readonly connection?: string | undefined
  readonly user?: string | undefined
}

const toMatch = ({ integration, action, connection, user }: Match): CostMatch => ({
  integration,
  action,
  connection,
  userId: user,
})

/** Newest first. */
export async function listRuns(
  { store, cursors }: Context,
  workspace: Workspace,
  { limit, cursor, type, ...query }: PageRequest & Match & { readonly type?: string | undefined },
): Promise<Page> {
  const match = { ...toMatch(query), type }
  const scope = `${workspace.id}/runs/${JSON.stringify(match)}`
  const before = openPosition(cursors, scope, cursor, Number.MAX_SAFE_INTEGER)
  const rows = await store.spending.listRuns(workspace.id, { before, limit: limit + 1, match })
  return toPage({
    cursors,
    scope,
    limit,
    rows,
    placeOf: ({ id }) => id,
    print: (row) => JSON.stringify(toWireRun(row)),
  })
}

function toWireRun(row: RunRow): Run {
  const { id, atMs, ms, integration, action, connection, userId, keyId, door, type, microUsd } = row
  return {
    run_id: String(id),
    at: toIso(atMs),
    ms,
    integration,
    action,
    connection,
    user_id: userId,
    key_id: keyId,
    door: door as Run['door'], // written by `note-run.ts`
    type,
    cost_usd: microUsd === null ? null : toUsd(microUsd),
  }
}

type CostsRequest = PageRequest &
  Match & {
    readonly from?: string | undefined
    readonly to?: string | undefined
    readonly group_by: CostGroup
  }

/** By name of the group. @throws HubError `validation-error` for a span that ends before it begins */
export async function listCosts(
  { store, cursors }: Context,
  workspace: Workspace,
  { limit, cursor, from, to, group_by: groupBy, ...query }: CostsRequest,
): Promise<Page> {
  const match = toMatch(query)
  const span = { ...toSpan({ from, to }, store.nowMs()), match }
  if (span.fromDay > span.toDay) throw toValidationError([{ pointer: 'query.to', detail: 'is before from' }])
  const scope = `${workspace.id}/costs/${JSON.stringify([from, to, match, groupBy])}`
  const after = cursor === undefined ? null : openKey(cursors, scope, cursor)
  const rows = await store.spending.listCosts(workspace.id, { ...span, groupBy, after, limit: limit + 1 })
  const print = (row: CostRow): string => JSON.stringify(toWireCost(groupBy, row))
  return toPage({ cursors, scope, limit, rows, placeOf: ({ name }) => name, print })
}

function toSpan({ from, to }: Pick<CostsRequest, 'from' | 'to'>, nowMs: number): Pick<CostSpan, 'fromDay' | 'toDay'> {
  const lastDay = to === undefined ? Math.floor(nowMs / dayMs) : toDay(to)
  return { fromDay: from === undefined ? toPeriod('month', lastDay * dayMs).fromDay : toDay(from), toDay: lastDay }
}

function toWireCost(groupBy: CostGroup, { name, runs, unpriced, microUsd }: CostRow): Cost {
  const group = groupBy === 'day' ? toDate(Number(name)) : name === '' ? null : name
  return { group, runs, unpriced, cost_usd: toUsd(microUsd) }
}
