import type { AccountChange, ConnectionRow, Connections, NewConnection } from '../connections.ts'
import { row, rows, type Database } from './database.ts'
import type { GroupCommit } from './group-commit.ts'
import { workspaceOf, type Engine } from './writer-state.ts'

type Columns = Omit<ConnectionRow, 'account'> & { readonly account: string | null }

const columns = `key, id, integration, user_id as userId, access as "grant", sealed, account, account_error as accountError,
  created_ms as createdMs, updated_ms as updatedMs`

const toRow = ({ account, ...rest }: Columns): ConnectionRow => ({
  ...rest,
  account: account === null ? null : JSON.parse(account),
})

function findConnection(db: Database, workspaceId: number, key: string): ConnectionRow | undefined {
  const found = row<Columns>(
    db.sql(`select ${columns} from connection where workspace_id = ? and key = ?`),
    workspaceId,
    key,
  )
  return found && toRow(found)
}

type Page = Parameters<Connections['list']>[1]

function listConnections(db: Database, workspaceId: number, { after, limit, userId }: Page): ConnectionRow[] {
  const statement = db.sql(
    `select ${columns} from connection where workspace_id = ? and key > ?
     and (? is null or access = 'workspace' or user_id = ?) order by key limit ?`,
  )
  return rows<Columns>(statement, workspaceId, after, userId ?? null, userId ?? null, limit).map(toRow)
}

export function putConnection(engine: Engine, workspaceId: number, connection: NewConnection): boolean {
  workspaceOf(engine, workspaceId)
  const isNew = findConnection(engine.db, workspaceId, connection.key) === undefined
  const { key, id, integration, userId, grant, sealed } = connection
  engine.db
    .sql(
      `insert into connection (workspace_id, key, id, integration, user_id, access, sealed, created_ms, updated_ms)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?)
       on conflict (workspace_id, key) do update set id = excluded.id, integration = excluded.integration,
         user_id = excluded.user_id, access = excluded.access, sealed = excluded.sealed, account = null, account_error = null,
         updated_ms = excluded.updated_ms`,
    )
    .run(workspaceId, key, id, integration, userId, grant, sealed, engine.nowMs, engine.nowMs)
  return isNew
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

type Parts = { readonly group: GroupCommit; readonly db: Database }

/** Reads on this thread, by key; writes in the writer's. */
export function createConnections({ group, db }: Parts): Connections {
  return {
    find: async (workspaceId, key) => findConnection(db, workspaceId, key),
    list: async (workspaceId, page) => listConnections(db, workspaceId, page),
    put: (workspaceId, connection) => group.write('putConnection', workspaceId, connection),
    setAccount: async (workspaceId, key, change) => {
      await group.write('setConnectionAccount', workspaceId, key, change)
    },
    remove: (workspaceId, key) => group.write('removeConnection', workspaceId, key),
  }
}
