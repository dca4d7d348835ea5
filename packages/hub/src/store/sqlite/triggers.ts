import {
  pollsMs,
  seenMs,
  type ClaimedTrigger,
  type NewTrigger,
  type PollEnd,
  type PollRow,
  type TriggerRow,
  type Triggers,
} from '../triggers.ts'
import { row, rows, type Database } from './database.ts'
import type { GroupCommit } from './group-commit.ts'
import { workspaceOf, type Engine } from './writer-state.ts'

type Columns<Row> = Omit<Row, 'primed'> & { readonly primed: number }

const columns = `key, id, settings, status, generation, primed, state, last_poll_ms as lastPollMs, next_poll_ms as nextPollMs,
  failures, last_error as lastError, created_ms as createdMs, updated_ms as updatedMs`

const toRow = <Row extends TriggerRow>(found: Columns<Row>): Row =>
  ({ ...found, primed: found.primed === 1 }) as unknown as Row // the columns above

function findTrigger(db: Database, workspaceId: number, key: string): TriggerRow | undefined {
  const found = row<Columns<TriggerRow>>(
    db.sql(`select ${columns} from polling_trigger where workspace_id = ? and key = ?`),
    workspaceId,
    key,
  )
  return found && toRow(found)
}

function listTriggers(
  db: Database,
  workspaceId: number,
  { after, limit }: { after: string; limit: number },
): TriggerRow[] {
  const statement = db.sql(
    `select ${columns} from polling_trigger where workspace_id = ? and key > ? order by key limit ?`,
  )
  return rows<Columns<TriggerRow>>(statement, workspaceId, after, limit).map(toRow)
}

export function putTrigger(
  engine: Engine,
  workspaceId: number,
  { key, id, settings, nextPollMs }: NewTrigger,
): boolean {
  workspaceOf(engine, workspaceId)
  const before = findTrigger(engine.db, workspaceId, key)
  if (before && before.id !== id) forget(engine, workspaceId, before.id)
  engine.db
    .sql(
      `insert into polling_trigger (workspace_id, key, id, settings, status, generation, primed, next_poll_ms, failures,
         claimed_until_ms, created_ms, updated_ms) values (?1, ?2, ?3, ?4, 'active', 1, 0, ?5, 0, 0, ?6, ?6)
       on conflict (workspace_id, key) do update set settings = ?4, generation = generation + 1, next_poll_ms = ?5,
         failures = 0, last_error = null, token = null, claimed_until_ms = 0, updated_ms = ?6,
         primed = iif(id = ?3, primed, 0), state = iif(id = ?3, state, null), last_poll_ms = iif(id = ?3, last_poll_ms, null), id = ?3`,
    )
    .run(workspaceId, key, id, settings, nextPollMs, engine.nowMs)
  return before === undefined
}

function forget({ db }: Engine, workspaceId: number, id: string): void {
  for (const table of ['trigger_seen', 'trigger_poll'])
    db.sql(`delete from ${table} where workspace_id = ? and trigger_id = ?`).run(workspaceId, id)
}

export function setTriggerStatus(engine: Engine, workspaceId: number, key: string, status: string): void {
  engine.db
    .sql(`update polling_trigger set status = ?, updated_ms = ? where workspace_id = ? and key = ?`)
    .run(status, engine.nowMs, workspaceId, key)
}

export function removeTrigger(engine: Engine, workspaceId: number, key: string): boolean {
  const before = findTrigger(engine.db, workspaceId, key)
  if (!before) return false
  forget(engine, workspaceId, before.id)
  engine.db.sql(`delete from polling_trigger where workspace_id = ? and key = ?`).run(workspaceId, key)
  return true
}

type Claiming = { readonly token: string; readonly forMs: number }

export function claimDueTriggers(engine: Engine, limit: number, claiming: Claiming): ClaimedTrigger[] {
  const due = rows<{ workspaceId: number; key: string }>(
    engine.db.sql(
      `select workspace_id as workspaceId, key from polling_trigger
       where status = 'active' and next_poll_ms <= ? and claimed_until_ms <= ? order by next_poll_ms limit ?`,
    ),
    engine.nowMs,
    engine.nowMs,
    limit,
  )
  return due.flatMap(({ workspaceId, key }) => claimTrigger(engine, workspaceId, key, claiming) ?? [])
}

export function claimTrigger(
  engine: Engine,
  workspaceId: number,
  key: string,
  { token, forMs }: Claiming,
): ClaimedTrigger | undefined {
  const found = row<Columns<ClaimedTrigger>>(
    engine.db.sql(
      `update polling_trigger set token = ?, claimed_until_ms = ? where workspace_id = ? and key = ? and claimed_until_ms <= ?
       returning ${columns}, workspace_id as workspaceId, token`,
    ),
    token,
    engine.nowMs + forMs,
    workspaceId,
    key,
    engine.nowMs,
  )
  return found && toRow(found)
}

export function finishPoll(engine: Engine, claimed: ClaimedTrigger, end: PollEnd): boolean {
  const { workspaceId, key, id, token } = claimed
  const { db, nowMs } = engine
  const current = row<{ id: string }>(
    db.sql(`select id from polling_trigger where workspace_id = ? and key = ? and id = ? and token = ?`),
    workspaceId,
    key,
    id,
    token,
  )
  if (!current) {
    if (findTrigger(db, workspaceId, key)?.id === id)
      notePoll(engine, claimed, { ...end, good: undefined }, 'superseded')
    return false
  }
  notePoll(engine, claimed, end, end.good ? 'good' : 'failed')
  const { nextPollMs, error, good, startedMs } = end
  db.sql(
    `update polling_trigger set next_poll_ms = ?1, token = null, claimed_until_ms = 0, last_error = ?2,
       failures = iif(?3, 0, failures + 1), primed = iif(?3, 1, primed), state = iif(?3, ?4, state),
       last_poll_ms = iif(?3, ?5, last_poll_ms) where workspace_id = ?6 and key = ?7`,
  ).run(nextPollMs, error, good ? 1 : 0, good?.state ?? null, startedMs, workspaceId, key)
  const see = db.sql(
    `insert into trigger_seen (workspace_id, trigger_id, digest, seen_ms) values (?, ?, ?, ?)
     on conflict (workspace_id, trigger_id, digest) do update set seen_ms = excluded.seen_ms`,
  )
  for (const digest of end.good?.seen ?? []) see.run(workspaceId, id, digest, nowMs)
  if (end.good)
    db.sql(`delete from trigger_seen where workspace_id = ? and trigger_id = ? and seen_ms < ?`).run(
      workspaceId,
      id,
      nowMs - seenMs,
    )
  return true
}

function notePoll({ db, nowMs }: Engine, { workspaceId, id }: ClaimedTrigger, end: PollEnd, outcome: string): void {
  const { startedMs, ms, found, published, error } = end
  db.sql(
    `insert into trigger_poll (workspace_id, trigger_id, at_ms, ms, outcome, found, published, error) values (?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(workspaceId, id, startedMs, ms, outcome, found, published, error)
  db.sql(`delete from trigger_poll where workspace_id = ? and trigger_id = ? and at_ms < ?`).run(
    workspaceId,
    id,
    nowMs - pollsMs,
  )
}

type Parts = {
  readonly group: GroupCommit
  readonly db: Database
  readonly nowMs: () => number
  readonly newId: () => string
}

/** Reads on this thread, by key; writes in the writer's. */
export function createTriggers({ group, db, nowMs, newId }: Parts): Triggers {
  return {
    find: async (workspaceId, key) => findTrigger(db, workspaceId, key),
    list: async (workspaceId, page) => listTriggers(db, workspaceId, page),
    put: (workspaceId, trigger) => group.write('putTrigger', workspaceId, trigger),
    setStatus: async (workspaceId, key, status) => {
      await group.write('setTriggerStatus', workspaceId, key, status)
    },
    remove: (workspaceId, key) => group.write('removeTrigger', workspaceId, key),
    claimDue: async (limit, forMs) => {
      // Nothing is written while nothing is due: this is asked every second.
      const due = db.sql(`select 1 as due from polling_trigger where status = 'active' and next_poll_ms <= ? limit 1`)
      return row(due, nowMs()) === undefined ? [] : group.write('claimDueTriggers', limit, { token: newId(), forMs })
    },
    claim: (workspaceId, key, forMs) => group.write('claimTrigger', workspaceId, key, { token: newId(), forMs }),
    findSeen: async ({ workspaceId, id }, digests) => {
      const statement = db.sql(
        `select digest from trigger_seen where workspace_id = ? and trigger_id = ? and digest in (select value from json_each(?))`,
      )
      return rows<{ digest: string }>(statement, workspaceId, id, JSON.stringify(digests)).map(({ digest }) => digest)
    },
    finish: (claimed, end) => group.write('finishPoll', claimed, end),
    listPolls: async (workspaceId, key, { before, limit }) => {
      const statement = db.sql(
        `select trigger_poll.id, at_ms as atMs, ms, outcome, found, published, error from trigger_poll
         join polling_trigger using (workspace_id) where workspace_id = ? and polling_trigger.key = ?
         and trigger_poll.trigger_id = polling_trigger.id and trigger_poll.id < ? order by trigger_poll.id desc limit ?`,
      )
      return rows<PollRow>(statement, workspaceId, key, before, limit)
    },
  }
}
