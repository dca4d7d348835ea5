import type {
  ConnectSessionRow,
  ConnectSessions,
  Leaving,
  NewConnectSession,
  NewOAuthClient,
  OAuthClientRow,
  OAuthClients,
} from '../connections.ts'
import { row, type Database } from './database.ts'
import type { GroupCommit } from './group-commit.ts'
import { workspaceOf, type Engine } from './writer-state.ts'

type Parts = { readonly group: GroupCommit; readonly db: Database; readonly nowMs: () => number }

function findOAuthClient(db: Database, workspaceId: number, integration: string): OAuthClientRow | undefined {
  const statement = db.sql(
    `select integration, id, client_id as clientId, sealed, created_ms as createdMs, updated_ms as updatedMs
     from oauth_client where workspace_id = ? and integration = ?`,
  )
  return row(statement, workspaceId, integration)
}

export function putOAuthClient(engine: Engine, workspaceId: number, client: NewOAuthClient): boolean {
  workspaceOf(engine, workspaceId)
  const isNew = findOAuthClient(engine.db, workspaceId, client.integration) === undefined
  const { integration, id, clientId, sealed } = client
  engine.db
    .sql(
      `insert into oauth_client (workspace_id, integration, id, client_id, sealed, created_ms, updated_ms)
       values (?1, ?2, ?3, ?4, ?5, ?6, ?6)
       on conflict (workspace_id, integration) do update set id = ?3, client_id = ?4, sealed = ?5, updated_ms = ?6`,
    )
    .run(workspaceId, integration, id, clientId, sealed, engine.nowMs)
  return isNew
}

export function removeOAuthClient({ db }: Engine, workspaceId: number, integration: string): boolean {
  const { changes } = db
    .sql(`delete from oauth_client where workspace_id = ? and integration = ?`)
    .run(workspaceId, integration)
  return Number(changes) > 0
}

function createOAuthClients({ group, db }: Parts): OAuthClients {
  return {
    find: async (workspaceId, integration) => findOAuthClient(db, workspaceId, integration),
    put: (workspaceId, client) => group.write('putOAuthClient', workspaceId, client),
    remove: (workspaceId, integration) => group.write('removeOAuthClient', workspaceId, integration),
  }
}

const columns = `token, workspace_id as workspaceId, settings, expires_ms as expiresMs`

export function addConnectSession(engine: Engine, session: NewConnectSession, maxOpen: number): boolean {
  const { token, workspaceId, settings, expiresMs } = session
  workspaceOf(engine, workspaceId)
  engine.db.sql(`delete from connect_session where workspace_id = ? and expires_ms <= ?`).run(workspaceId, engine.nowMs)
  const { changes } = engine.db
    .sql(
      `insert into connect_session (token, workspace_id, settings, expires_ms)
       select ?1, ?2, ?3, ?4 where (select count(*) from connect_session where workspace_id = ?2) < ?5`,
    )
    .run(token, workspaceId, settings, expiresMs, maxOpen)
  return Number(changes) > 0
}

export function leaveConnectSession({ db, nowMs }: Engine, token: string, leaving: Leaving): boolean {
  const { state, browser, sealed } = leaving
  const { changes } = db
    .sql(`update connect_session set state = ?, browser = ?, sealed = ? where token = ? and expires_ms > ?`)
    .run(state, browser, sealed, token, nowMs)
  return Number(changes) > 0
}

export function takeConnectState({ db, nowMs }: Engine, state: string): (ConnectSessionRow & Leaving) | undefined {
  const found = row<ConnectSessionRow & Leaving>(
    db.sql(`select ${columns}, state, browser, sealed from connect_session where state = ? and expires_ms > ?`),
    state,
    nowMs,
  )
  if (found) db.sql(`update connect_session set state = null where token = ?`).run(found.token)
  return found
}

export function endConnectSession({ db }: Engine, token: string): boolean {
  return Number(db.sql(`delete from connect_session where token = ?`).run(token).changes) > 0
}

function createConnectSessions({ group, db, nowMs }: Parts): ConnectSessions {
  return {
    add: (session, maxOpen) => group.write('addConnectSession', session, maxOpen),
    find: async (token) =>
      row(db.sql(`select ${columns} from connect_session where token = ? and expires_ms > ?`), token, nowMs()),
    leave: (token, leaving) => group.write('leaveConnectSession', token, leaving),
    takeState: (state) => group.write('takeConnectState', state),
    end: (token) => group.write('endConnectSession', token),
  }
}

/** What is needed to connect accounts in a browser. */
export function createConnecting(parts: Parts): { oauthClients: OAuthClients; connectSessions: ConnectSessions } {
  return { oauthClients: createOAuthClients(parts), connectSessions: createConnectSessions(parts) }
}
