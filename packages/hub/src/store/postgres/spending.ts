import { HubError } from '@sluice/protocol/error'
import {
  dayMs,
  runsMs,
  type BudgetRow,
  type CostGroup,
  type CostMatch,
  type CostRow,
  type NewRun,
  type RunRow,
  type Spending,
} from '../spending.ts'
import type { Connection, Value } from './connections.ts'
import type { Parts } from './store-parts.ts'

const runColumns = `id, at_ms as "atMs", ms, integration, action, connection, user_id as "userId", key_id as "keyId", door, type,
  micro_usd as "microUsd"`

/** A run lets go of no more rows than this. */
const goneRows = 100

/** One statement: its parts happen together, and the sums wait for each other row by row. The lock keeps the workspace from going meanwhile. */
const noteText = `with place as (select workspace_id from log where workspace_id = $1 for key share),
  run as (insert into action_run (workspace_id, at_ms, ms, integration, action, connection, user_id, key_id, door, type, micro_usd)
    select workspace_id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 from place),
  gone as (delete from action_run where at_ms < $12
    and id in (select id from action_run where workspace_id = $1 order by id limit ${goneRows}))
  insert into cost (workspace_id, day, integration, action, connection, user_id, runs, unpriced, micro_usd)
    select workspace_id, $13, $4, $5, coalesce($6, ''), $7, 1, $14, coalesce($11, 0) from place
    on conflict (workspace_id, day, integration, action, connection, user_id) do update set runs = cost.runs + 1,
      unpriced = cost.unpriced + excluded.unpriced, micro_usd = cost.micro_usd + excluded.micro_usd
  returning 1 as noted`

async function noteRun({ query }: Connection, workspaceId: number, { run, nowMs }: { run: NewRun; nowMs: number }) {
  const { atMs, ms, integration, action, connection, userId, keyId, door, type, microUsd } = run
  const noted = await query(noteText, [
    workspaceId,
    atMs,
    ms,
    integration,
    action,
    connection,
    userId,
    keyId,
    door,
    type,
    microUsd,
    nowMs - runsMs,
    Math.floor(atMs / dayMs),
    microUsd === null ? 1 : 0,
  ])
  if (noted.length === 0) throw new HubError('not-found', 'the workspace does not exist')
}

const budgetColumns = `key, settings, near_from as "nearFrom", exceeded_from as "exceededFrom", created_ms as "createdMs",
  updated_ms as "updatedMs"`

const matching = `($1::text is null or integration = $1) and ($2::text is null or action = $2)
  and ($3::text is null or connection = $3) and ($4::text is null or user_id = $4)`
const matched = ({ integration, action, connection, userId }: CostMatch): Value[] => [
  integration ?? null,
  action ?? null,
  connection ?? null,
  userId ?? null,
]

const groups: Readonly<Record<CostGroup, string>> = {
  integration: 'integration',
  action: `integration || '.' || action`,
  connection: 'connection',
  user: 'user_id',
  day: 'day::text',
}

/** Each change is one statement. */
export function createSpending({ connections, nowMs }: Parts): Spending {
  const { query } = connections
  return {
    noteRun: (workspaceId, run) => noteRun(connections, workspaceId, { run, nowMs: nowMs() }),
    listRuns: (workspaceId, { before, limit, match }) =>
      query<RunRow>(
        `select ${runColumns} from action_run where ${matching} and ($5::text is null or type = $5) and workspace_id = $6
         and id < $7 order by id desc limit $8`,
        [...matched(match), match.type ?? null, workspaceId, before, limit],
      ),
    listCosts: (workspaceId, { groupBy, after, limit, fromDay, toDay, match }) =>
      query<CostRow>(
        `select * from (
           select (${groups[groupBy]}) collate "C" as name, sum(runs)::bigint as runs, sum(unpriced)::bigint as unpriced,
             sum(micro_usd)::bigint as "microUsd"
           from cost where ${matching} and workspace_id = $5 and day between $6 and $7 group by 1) as grouped
         where $8::text is null or name > $8 order by name limit $9`,
        [...matched(match), workspaceId, fromDay, toDay, after, limit],
      ),
    sumCosts: async (workspaceId, { fromDay, toDay, match }) => {
      const [found] = await query<{ sum: number }>(
        `select coalesce(sum(micro_usd), 0)::bigint as sum from cost where ${matching} and workspace_id = $5
         and day between $6 and $7`,
        [...matched(match), workspaceId, fromDay, toDay],
      )
      return found?.sum ?? 0
    },
    ...createBudgets(connections, nowMs),
  }
}

type Budgets = Pick<Spending, 'putBudget' | 'findBudget' | 'listBudgets' | 'removeBudget' | 'markTold'>

function createBudgets({ query }: Connection, nowMs: () => number): Budgets {
  return {
    putBudget: async (workspaceId, { key, settings }) => {
      const [made] = await query<{ isNew: boolean }>(
        `with place as (select workspace_id from log where workspace_id = $1 for key share)
         insert into budget (workspace_id, key, settings, created_ms, updated_ms)
           select workspace_id, $2, $3, $4, $4 from place
         on conflict (workspace_id, key) do update set settings = excluded.settings, near_from = null, exceeded_from = null,
           updated_ms = excluded.updated_ms
         returning xmax = 0 as "isNew"`,
        [workspaceId, key, settings, nowMs()],
      )
      if (!made) throw new HubError('not-found', 'the workspace does not exist')
      return made.isNew
    },
    findBudget: async (workspaceId, key) => {
      const [found] = await query<BudgetRow>(
        `select ${budgetColumns} from budget where workspace_id = $1 and key = $2`,
        [workspaceId, key],
      )
      return found
    },
    listBudgets: (workspaceId, { after, limit }) =>
      query<BudgetRow>(
        `select ${budgetColumns} from budget where workspace_id = $1 and key > $2 order by key limit $3`,
        [workspaceId, after, limit],
      ),
    removeBudget: async (workspaceId, key) => {
      const gone = await query(`delete from budget where workspace_id = $1 and key = $2 returning key`, [
        workspaceId,
        key,
      ])
      return gone.length > 0
    },
    markTold: async (workspaceId, key, { kind, fromDay }) => {
      const column = kind === 'near' ? 'near_from' : 'exceeded_from'
      await query(`update budget set ${column} = $3 where workspace_id = $1 and key = $2`, [workspaceId, key, fromDay])
    },
  }
}
