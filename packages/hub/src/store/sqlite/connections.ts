import type { ConnectionGrant } from '@sluice/protocol'
import {
  toAccess,
  toGrant,
  type AccountChange,
  type ConnectionRow,
  type Connections,
  type NewConnection,
  type RefreshClaim,
  type RefreshEnd,
  type SeenTokens,
} from '../connections.ts'
import { row, rows, type Database } from './database.ts'
import type { GroupCommit } from './group-commit.ts'
import { workspaceOf, type Engine } from './writer-state.ts'

type Columns<Row> = Omit<Row, 'account' | 'grant'> & {
  readonly account: string | null
  readonly access: string
  readonly grantedKeys: string | null
}

const columns = `workspace_id as workspaceId, key, id, integration, user_id as userId, access, granted_keys as grantedKeys, sealed, method, expires_ms as expiresMs,
  refresh_ms as refreshMs, account, account_error as accountError, broken, generation, created_ms as createdMs, updated_ms as updatedMs`

const toRow = <Row extends ConnectionRow>({ account, access, grantedKeys, ...rest }: Columns<Row>): Row =>
  ({
    ...rest,
    grant: toGrant(access, grantedKeys),
    account: account === null ? null : JSON.parse(account),
  }) as unknown as Row // the columns above

function findConnection(db: Database, workspaceId: number, key: string): ConnectionRow | undefined {
  const found = row<Columns<ConnectionRow>>(
    db.sql(`select ${columns} from connection where workspace_id = ? and key = ?`),
    workspaceId,
    key,
  )
  return found && toRow(found)
}

type Page = Parameters<Connections['list']>[1]

function listConnections(db: Database, workspaceId: number, { after, limit, holder }: Page): ConnectionRow[] {
  const statement = db.sql(
    `select ${columns} from connection where workspace_id = ?1 and key > ?2
     and (?3 is null or access = 'workspace' or user_id = ?3
       or (access = 'keys' and exists (select 1 from json_each(granted_keys) where value = ?4)))
     order by key limit ?5`,
  )
  const of = [holder?.userId ?? null, holder?.keyId ?? null]
  return rows<Columns<ConnectionRow>>(statement, workspaceId, after, ...of, limit).map(toRow)
}

export function putConnection(engine: Engine, workspaceId: number, connection: NewConnection): boolean {
  workspaceOf(engine, workspaceId)
  const isNew = findConnection(engine.db, workspaceId, connection.key) === undefined
  const { key, id, integration, userId, sealed, method, expiresMs, refreshMs } = connection
  const { access, grantedKeys } = toAccess(connection)
  engine.db
    .sql(
      `insert into connection (workspace_id, key, id, integration, user_id, access, granted_keys, sealed, method, expires_ms,
         refresh_ms, created_ms, updated_ms) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       on conflict (workspace_id, key) do update set id = excluded.id, integration = excluded.integration,
         user_id = excluded.user_id, access = excluded.access, granted_keys = excluded.granted_keys, sealed = excluded.sealed,
         method = excluded.method, expires_ms = excluded.expires_ms, refresh_ms = excluded.refresh_ms, account = null,
         account_error = null, broken = null, unanswered = null, generation = 0, held_until_ms = 0,
         updated_ms = excluded.updated_ms`,
    )
    .run(
      workspaceId,
      key,
      id,
      integration,
      userId,
      access,
      grantedKeys,
      sealed,
      method,
      expiresMs,
      refreshMs,
      engine.nowMs,
      engine.nowMs,
    )
  return isNew
}

export function setConnectionGrant(engine: Engine, workspaceId: number, key: string, grant: ConnectionGrant): boolean {
  const { access, grantedKeys } = toAccess({ grant })
  const { changes } = engine.db
    .sql(`update connection set access = ?, granted_keys = ?, updated_ms = ? where workspace_id = ? and key = ?`)
    .run(access, grantedKeys, engine.nowMs, workspaceId, key)
  return Number(changes) > 0
}

export function setConnectionAccount({ db }: Engine, workspaceId: number, key: string, change: AccountChange): void {
  const account = change.account && JSON.stringify(change.account)
  db.sql(`update connection set account = ?, account_error = ? where workspace_id = ? and key = ? and id = ?`).run(
    account,
    change.error,
    workspaceId,
    key,
    change.id,
  )
}

export function removeConnection({ db }: Engine, workspaceId: number, key: string): boolean {
  const { changes } = db.sql(`delete from connection where workspace_id = ? and key = ?`).run(workspaceId, key)
  return Number(changes) > 0
}

type Claiming = { readonly workspaceId: number; readonly key: string; readonly forMs: number }

export function claimRefresh(
  { db, nowMs }: Engine,
  { workspaceId, key, forMs }: Claiming,
  { id, generation }: SeenTokens,
): RefreshClaim | undefined {
  const found = row<Columns<RefreshClaim>>(
    db.sql(
      `update connection set fence = fence + 1, held_until_ms = ?1
       where workspace_id = ?2 and key = ?3 and id = ?4 and generation = ?5
         and held_until_ms + iif(unanswered > 0 and held_until_ms > 0, ?7, 0) <= ?6
       returning ${columns}, fence, coalesce(unanswered, 0) as unanswered`,
    ),
    nowMs + forMs,
    workspaceId,
    key,
    id,
    generation,
    nowMs,
    forMs,
  )
  return found && toRow(found)
}

type Holding = { readonly forMs: number; readonly sending: boolean }

export function holdRefresh({ db, nowMs }: Engine, claim: RefreshClaim, { forMs, sending }: Holding): boolean {
  const { workspaceId, key, id, generation, fence } = claim
  const { changes } = db
    .sql(
      `update connection set held_until_ms = ?, unanswered = nullif(coalesce(unanswered, 0) + ?, 0)
       where workspace_id = ? and key = ? and id = ? and generation = ? and fence = ?`,
    )
    .run(nowMs + forMs, sending ? 1 : 0, workspaceId, key, id, generation, fence)
  return Number(changes) > 0
}

export function finishRefresh({ db, nowMs }: Engine, claim: RefreshClaim, end: RefreshEnd): boolean {
  const { workspaceId, key, id, generation, fence } = claim
  const tokens = [workspaceId, key, id, generation]
  const present = `workspace_id = ? and key = ? and id = ? and generation = ?`
  if (end.kind === 'tokens') {
    const { changes } = db
      .sql(
        `update connection set sealed = ?, expires_ms = ?, refresh_ms = ?, updated_ms = ?, generation = generation + 1,
           broken = null, unanswered = null, held_until_ms = 0 where ${present}`,
      )
      .run(end.sealed, end.expiresMs, end.refreshMs, nowMs, ...tokens)
    return Number(changes) > 0
  }
  const { changes } =
    end.kind === 'later'
      ? db
          .sql(
            `update connection set refresh_ms = ?, unanswered = nullif(?, 0), held_until_ms = 0 where ${present} and fence = ?`,
          )
          .run(end.refreshMs, end.unanswered, ...tokens, fence)
      : db
          .sql(
            `update connection set broken = ?, updated_ms = ?, refresh_ms = null, held_until_ms = 0 where ${present} and fence = ?`,
          )
          .run(end.reason, nowMs, ...tokens, fence)
  return Number(changes) > 0
}

type Parts = { readonly group: GroupCommit; readonly db: Database; readonly nowMs: () => number }

/** Reads on this thread, by key; writes in the writer's. */
export function createConnections({ group, db, nowMs }: Parts): Connections {
  return {
    find: async (workspaceId, key) => findConnection(db, workspaceId, key),
    list: async (workspaceId, page) => listConnections(db, workspaceId, page),
    put: (workspaceId, connection) => group.write('putConnection', workspaceId, connection),
    setGrant: (workspaceId, key, grant) => group.write('setConnectionGrant', workspaceId, key, grant),
    setAccount: async (workspaceId, key, change) => {
      await group.write('setConnectionAccount', workspaceId, key, change)
    },
    remove: (workspaceId, key) => group.write('removeConnection', workspaceId, key),
    listDue: async (limit) => {
      const statement = db.sql(
        `select workspace_id as workspaceId, key from connection
         where refresh_ms <= ?1 and held_until_ms <= ?1 order by refresh_ms limit ?2`,
      )
      return rows(statement, nowMs(), limit)
    },
    claimRefresh: (workspaceId, key, seen, forMs) => group.write('claimRefresh', { workspaceId, key, forMs }, seen),
    renewRefresh: (claim, forMs) => group.write('holdRefresh', claim, { forMs, sending: false }),
    noteSending: (claim, forMs) => group.write('holdRefresh', claim, { forMs, sending: true }),
    finishRefresh: (claim, end) => group.write('finishRefresh', claim, end),
  }
}
