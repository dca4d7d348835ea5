import { HubError } from '@sluice/protocol/error'
import type { ConnectSessionRow, ConnectSessions, Leaving, OAuthClientRow, OAuthClients } from '../connections.ts'
import type { Parts } from './store-parts.ts'
import type { Transaction } from './transactions.ts'

const slotOf = (workspaceId: number): string => `connections/${workspaceId}`

async function requireLog({ query }: Transaction, workspaceId: number): Promise<void> {
  const found = await query(`select 1 as found from log where workspace_id = $1`, [workspaceId])
  if (found.length === 0) throw new HubError('not-found', 'the workspace does not exist')
}

function createOAuthClients({ connections, transactions, nowMs }: Parts): OAuthClients {
  return {
    find: async (workspaceId, integration) => {
      const [found] = await connections.query<OAuthClientRow>(
        `select integration, id, client_id as "clientId", sealed, created_ms as "createdMs", updated_ms as "updatedMs"
         from oauth_client where workspace_id = $1 and integration = $2`,
        [workspaceId, integration],
      )
      return found
    },
    put: (workspaceId, { integration, id, clientId, sealed }) =>
      transactions.run(slotOf(workspaceId), async (transaction) => {
        await requireLog(transaction, workspaceId)
        const known = await transaction.query(
          `select 1 as found from oauth_client where workspace_id = $1 and integration = $2`,
          [workspaceId, integration],
        )
        transaction.write(
          `insert into oauth_client (workspace_id, integration, id, client_id, sealed, created_ms, updated_ms)
           values ($1, $2, $3, $4, $5, $6, $6)
           on conflict (workspace_id, integration) do update set id = excluded.id, client_id = excluded.client_id,
             sealed = excluded.sealed, updated_ms = excluded.updated_ms`,
          [workspaceId, integration, id, clientId, sealed, nowMs()],
        )
        return known.length === 0
      }),
    remove: (workspaceId, integration) =>
      transactions.run(slotOf(workspaceId), async ({ query }) => {
        const gone = await query(
          `delete from oauth_client where workspace_id = $1 and integration = $2 returning 1 as gone`,
          [workspaceId, integration],
        )
        return gone.length > 0
      }),
  }
}

const columns = `token, workspace_id as "workspaceId", settings, expires_ms as "expiresMs"`

/** Changed by their rows alone, but for the first one: how many there are is counted in turn. */
function createConnectSessions({ connections, transactions, nowMs }: Parts): ConnectSessions {
  const { query } = connections
  return {
    add: ({ token, workspaceId, settings, expiresMs }, maxOpen) =>
      transactions.run(slotOf(workspaceId), async (transaction) => {
        await requireLog(transaction, workspaceId)
        transaction.write(`delete from connect_session where workspace_id = $1 and expires_ms <= $2`, [
          workspaceId,
          nowMs(),
        ])
        const [open] = await transaction.query<{ count: number }>(
          `select count(*) as count from connect_session where workspace_id = $1 and expires_ms > $2`,
          [workspaceId, nowMs()],
        )
        if ((open?.count ?? 0) >= maxOpen) return false
        transaction.write(
          `insert into connect_session (token, workspace_id, settings, expires_ms) values ($1, $2, $3, $4)`,
          [token, workspaceId, settings, expiresMs],
        )
        return true
      }),
    find: async (token) => {
      const [found] = await query<ConnectSessionRow>(
        `select ${columns} from connect_session where token = $1 and expires_ms > $2`,
        [token, nowMs()],
      )
      return found
    },
    leave: async (token, { state, browser, sealed }) => {
      const left = await query(
        `update connect_session set state = $2, browser = $3, sealed = $4 where token = $1 and expires_ms > $5 returning 1 as left`,
        [token, state, browser, sealed, nowMs()],
      )
      return left.length > 0
    },
    takeState: async (state) => {
      const [found] = await query<ConnectSessionRow & Leaving>(
        `with taken as (select token from connect_session where state = $1 and expires_ms > $2 for update),
           cleared as (update connect_session set state = null from taken where connect_session.token = taken.token
             returning connect_session.token)
         select ${columns}, state, browser, sealed from connect_session join cleared using (token)`,
        [state, nowMs()],
      )
      return found
    },
    end: async (token) => {
      const ended = await query(`delete from connect_session where token = $1 returning 1 as ended`, [token])
      return ended.length > 0
    },
  }
}

/** What is needed to connect accounts in a browser. */
export function createConnecting(parts: Parts): { oauthClients: OAuthClients; connectSessions: ConnectSessions } {
  return { oauthClients: createOAuthClients(parts), connectSessions: createConnectSessions(parts) }
}
