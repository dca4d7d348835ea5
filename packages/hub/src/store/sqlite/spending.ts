import {
  dayMs,
  runsMs,
  type BudgetRow,
  type CostGroup,
  type CostMatch,
  type CostRow,
  type CostSpan,
  type NewBudget,
  type NewRun,
  type RunRow,
  type Spending,
} from '../spending.ts'
import { row, rows, type Database } from './database.ts'
import type { GroupCommit } from './group-commit.ts'
import { workspaceOf, type Engine } from './writer-state.ts'

const runColumns = `id, at_ms as atMs, ms, integration, action, connection, user_id as userId, key_id as keyId, door, type,
  micro_usd as microUsd`

/** A run lets go of no more rows than this. */
const goneRows = 100

export function noteRun(engine: Engine, workspaceId: number, run: NewRun): void {
  workspaceOf(engine, workspaceId)
  const { db } = engine
  const { atMs, ms, integration, action, connection, userId, keyId, door, type, microUsd } = run
  db.sql(
    `insert into action_run (workspace_id, at_ms, ms, integration, action, connection, user_id, key_id, door, type, micro_usd)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(workspaceId, atMs, ms, integration, action, connection, userId, keyId, door, type, microUsd)
  db.sql(
    `delete from action_run where at_ms < ? and id in (select id from action_run where workspace_id = ? order by id limit ${goneRows})`,
  ).run(engine.nowMs - runsMs, workspaceId)
  db.sql(
    `insert into cost (workspace_id, day, integration, action, connection, user_id, runs, unpriced, micro_usd)
     values (?, ?, ?, ?, ?, ?, 1, ?, ?)
     on conflict do update set runs = runs + 1, unpriced = unpriced + excluded.unpriced,
       micro_usd = micro_usd + excluded.micro_usd`,
  ).run(
    workspaceId,
    Math.floor(atMs / dayMs),
    integration,
    action,
    connection ?? '',
    userId,
    microUsd === null ? 1 : 0,
    microUsd ?? 0,
  )
}

const budgetColumns = `key, settings, near_from as nearFrom, exceeded_from as exceededFrom, created_ms as createdMs,
  updated_ms as updatedMs`

function findBudget(db: Database, workspaceId: number, key: string): BudgetRow | undefined {
  return row<BudgetRow>(
    db.sql(`select ${budgetColumns} from budget where workspace_id = ? and key = ?`),
    workspaceId,
    key,
  )
}

export function putBudget(engine: Engine, workspaceId: number, { key, settings }: NewBudget): boolean {
  workspaceOf(engine, workspaceId)
  const isNew = findBudget(engine.db, workspaceId, key) === undefined
  engine.db
    .sql(
      `insert into budget (workspace_id, key, settings, created_ms, updated_ms) values (?1, ?2, ?3, ?4, ?4)
       on conflict (workspace_id, key) do update set settings = ?3, near_from = null, exceeded_from = null, updated_ms = ?4`,
    )
    .run(workspaceId, key, settings, engine.nowMs)
  return isNew
}

export function removeBudget({ db }: Engine, workspaceId: number, key: string): boolean {
  return Number(db.sql(`delete from budget where workspace_id = ? and key = ?`).run(workspaceId, key).changes) > 0
}

export function markBudgetTold(
  { db }: Engine,
  workspaceId: number,
  key: string,
  { kind, fromDay }: Parameters<Spending['markTold']>[2],
): void {
  db.sql(
    `update budget set ${kind === 'near' ? 'near_from' : 'exceeded_from'} = ? where workspace_id = ? and key = ?`,
  ).run(fromDay, workspaceId, key)
}

const matching = `(?1 is null or integration = ?1) and (?2 is null or action = ?2) and (?3 is null or connection = ?3)
  and (?4 is null or user_id = ?4)`
const matched = ({ integration, action, connection, userId }: CostMatch): (string | null)[] => [
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
  day: 'cast(day as text)',
}

function listCosts(db: Database, workspaceId: number, page: Parameters<Spending['listCosts']>[1]): CostRow[] {
  const { groupBy, after, limit, fromDay, toDay, match } = page
  const statement = db.sql(
    `select * from (
       select ${groups[groupBy]} as name, sum(runs) as runs, sum(unpriced) as unpriced, sum(micro_usd) as microUsd
       from cost where ${matching} and workspace_id = ?5 and day between ?6 and ?7 group by 1)
     where ?8 is null or name > ?8 order by name limit ?9`,
  )
  return rows<CostRow>(statement, ...matched(match), workspaceId, fromDay, toDay, after, limit)
}

function sumCosts(db: Database, workspaceId: number, { fromDay, toDay, match }: CostSpan): number {
  const statement = db.sql(
    `select coalesce(sum(micro_usd), 0) as sum from cost where ${matching} and workspace_id = ?5 and day between ?6 and ?7`,
  )
  return row<{ sum: number }>(statement, ...matched(match), workspaceId, fromDay, toDay)?.sum ?? 0
}

type Parts = { readonly group: GroupCommit; readonly db: Database }

/** Reads on this thread; writes in the writer's. */
export function createSpending({ group, db }: Parts): Spending {
  return {
    noteRun: async (workspaceId, run) => {
      await group.write('noteRun', workspaceId, run)
    },
    listRuns: async (workspaceId, { before, limit, match }) => {
      const statement = db.sql(
        `select ${runColumns} from action_run where ${matching} and (?5 is null or type = ?5) and workspace_id = ?6
         and id < ?7 order by id desc limit ?8`,
      )
      return rows<RunRow>(statement, ...matched(match), match.type ?? null, workspaceId, before, limit)
    },
    listCosts: async (workspaceId, page) => listCosts(db, workspaceId, page),
    sumCosts: async (workspaceId, span) => sumCosts(db, workspaceId, span),
    putBudget: (workspaceId, budget) => group.write('putBudget', workspaceId, budget),
    findBudget: async (workspaceId, key) => findBudget(db, workspaceId, key),
    listBudgets: async (workspaceId, { after, limit }) =>
      rows<BudgetRow>(
        db.sql(`select ${budgetColumns} from budget where workspace_id = ? and key > ? order by key limit ?`),
        workspaceId,
        after,
        limit,
      ),
    removeBudget: (workspaceId, key) => group.write('removeBudget', workspaceId, key),
    markTold: async (workspaceId, key, told) => {
      await group.write('markBudgetTold', workspaceId, key, told)
    },
  }
}
